"""What writing and reading an archive share: how they end early, and the gzip file that can be taken back."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from typing import IO, Any

BLOCK = 1 << 20
"""Bytes that are read or written at once, and after which a wish to stop is looked for."""

_LEVEL = 2
"""Of isal's 0 to 3: a second for a gigabyte or so, a tenth more bytes than gzip's default."""

_GZIP = 31
"""zlib's window bits for a gzip header, which isal writes without a name and a time."""

_SYNC_EVERY = 64 << 20
"""Bytes after which the disk is waited for, so that the wait at the end, which nothing interrupts, is short."""


class Stopped(Exception):
    """The work was asked to stop."""


def go_on(stop: Event) -> None:
    """Return where nobody asked to stop.

    Raises:
        Stopped: it was asked for.
    """
    if stop.is_set():
        raise Stopped


class Damaged(Exception):
    """An archive is not what its manifest says; the message says how, as the end of a sentence."""


def _packer() -> Any:
    from isal import isal_zlib

    return isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, _GZIP)


def pack(content: bytes) -> bytes:
    """Return a gzip file of one member."""
    packer = _packer()
    return bytes(packer.compress(content) + packer.flush())


_EMPTY_MEMBER, _EXTRA = 22, 0xFFFF
"""Bytes of a gzip member that holds nothing but an extra field, and the most that such a field holds."""


def padding(size: int) -> bytes:
    """Return gzip members that hold nothing and have so many bytes together: none, or 22 and more."""
    members = []
    while size:
        member = min(size, _EMPTY_MEMBER + _EXTRA)
        if 0 < size - member < _EMPTY_MEMBER:
            member -= _EMPTY_MEMBER
        extra = member - _EMPTY_MEMBER
        header = b"\x1f\x8b\x08\x04" + bytes(4) + b"\0\xff" + extra.to_bytes(2, "little") + bytes(extra)
        members.append(header + b"\x03\0" + bytes(8))
        size -= member
    return b"".join(members)


class PackedFile:
    """A gzip file that is written, of one member or more (RFC 1952), and that can be cut back to where one began.

    Args:
        file: open for writing, at the place of the first member.
        sync: waits until the disk has what was written.
    """

    def __init__(self, file: IO[bytes], sync: Callable[[], None] = lambda: None) -> None:
        self._file, self._sync = file, sync
        self._packer: Any = None
        self._unsynced = self._reserved = 0

    def reserve(self, size: int) -> None:
        """Keep room for what :meth:`fill` writes later, before anything else is written."""
        self._reserved = size
        self._file.seek(size)

    def fill(self, content: bytes) -> bool:
        """Write *content* as the first member, into the room that was reserved; return False where it does not fit.

        What is left of the room is filled with members that hold nothing.
        """
        place = self._file.tell()
        packed = pack(content)
        left = self._reserved - len(packed)
        fits = left == 0 or left >= _EMPTY_MEMBER
        self._file.seek(0)
        self._file.write(packed + padding(left) if fits else padding(self._reserved))
        self._file.seek(place)
        return fits

    def write(self, content: bytes) -> None:
        """Write the next bytes.

        Raises:
            OSError: they cannot be written.
        """
        if self._packer is None:
            self._packer = _packer()
        self._put(self._packer.compress(content))

    def end_member(self) -> int:
        """End the member, if one has begun, and return where the next one begins."""
        if self._packer is not None:
            self._put(self._packer.flush())
            self._packer = None
        return self._file.tell()

    def cut_back(self, place: int) -> None:
        """Take back all that was written since a member began."""
        self._packer = None
        self._file.seek(place)
        self._file.truncate()

    def _put(self, packed: bytes) -> None:
        self._file.write(packed)
        self._unsynced += len(packed)
        if self._unsynced >= _SYNC_EVERY:
            self._file.flush()
            self._sync()
            self._unsynced = 0

"""Writing an archive: blocks of a log become gzip members in parallel, and are read back before they count.

Each block is a member of its own (RFC 1952 allows any number), so that compressing and verifying need no more
memory than a few blocks, and so that lines written to the log meanwhile can be added.
"""

from __future__ import annotations

import os
import struct
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, wait
from threading import Event
from typing import TypeVar

from ..log_archives import ArchiveOrigin, gzip_header
from ..reading.log_source import DamagedArchive, unpacked

BLOCK = 2 << 20
"""Bytes of the log in one member; with half as many a rotation takes a tenth longer, with more it gains nothing."""

_IN_FLIGHT = 6
"""Blocks that are worked on at a time: enough for a few threads, a few megabytes in all."""

_LEVEL = 2
"""Of isal's 0 to 3: 3 takes three times as long for less than a hundredth fewer bytes."""

_FLUSHED = 8 << 20
"""Bytes of an archive after which they are flushed to the disk, while the next blocks are compressed."""

_ROOM = 40
"""Bytes kept free in the header, for the numbers in it to grow."""

_PLAIN = b"\x1f\x8b\x08\0\0\0\0\0\0\x03"
"""The header of every member but the first."""

_TRAILER = struct.Struct("<II")
_GZIP = 31
_RAW = -15

_Result = TypeVar("_Result")


class LogChanged(Exception):
    """The log is not the one it was, or not as it was; the message says what was seen."""


class RotationStopped(Exception):
    """The run is to end before the archive is complete."""


class ArchiveCorrupt(Exception):
    """What was written does not read back as what was to be written."""


class ArchiveWriter:
    """An archive while it is written.

    Args:
        descriptor: the empty archive, open for writing.
        pool: threads to compress and verify in.
        stop: ends the work between two blocks.

    Attributes:
        end: bytes of the log that the archive holds, counted from the log's start.
        size: bytes of the archive.
    """

    def __init__(self, descriptor: int, pool: Executor, stop: Event) -> None:
        self._descriptor, self._pool, self._stop = descriptor, pool, stop
        self._head = b""
        self._starts, self._lengths, self._sums = array("Q"), array("Q"), array("I")
        self._verified = 0
        self._flushing: Future[None] | None = None
        self._flushed = 0
        self.end = 0
        self.size = 0

    def extend(self, log: int, upto: int, origin: ArchiveOrigin, mtime: float) -> None:
        """Add what the log holds between :attr:`end` and *upto*.

        Args:
            log: the log, open for reading.
            upto: an offset in it.
            origin: what the archive's header says; its numbers may still change in :meth:`seal`.
            mtime: when the log was last written, in seconds since 1970.

        Raises:
            LogChanged: the log has become shorter than that.
            RotationStopped: the run is to end.
            OSError: the log cannot be read or the archive not be written.
        """
        if not self._head:
            head = gzip_header(origin, mtime)
            self._head = _padded(head, len(head) + _ROOM)
        try:
            self._append(log, upto)
        finally:
            if self._flushing:  # the descriptor is closed when this fails
                wait((self._flushing,))

    def _append(self, log: int, upto: int) -> None:
        heads = iter([self._head] if not self.size else [])
        for member, total, length in self._ahead(
            self._submit(_gzip_member, next(heads, _PLAIN), log, offset, min(BLOCK, upto - offset))
            for offset in range(self.end, upto, BLOCK)
        ):
            write_whole(self._descriptor, member)
            self._starts.append(self.size)
            self._lengths.append(length)
            self._sums.append(total)
            self.size += len(member)
            self.end += length
            self._flush_ahead()

    def _flush_ahead(self) -> None:
        """Let the disk write what there is so far, unless it still does so or there is little."""
        if self.size - self._flushed < _FLUSHED or (self._flushing and not self._flushing.done()):
            return
        self._require_flushed()
        self._flushed = self.size
        self._flushing = self._pool.submit(os.fsync, self._descriptor)

    def _require_flushed(self) -> None:
        """Raise what the disk said: the system tells a descriptor of a failed write once only."""
        if self._flushing:
            self._flushing.result()

    def seal(self, origin: ArchiveOrigin, mtime: float) -> None:
        """Write the final header; its length is that of the first one."""
        self._head = _padded(gzip_header(origin, mtime), len(self._head))
        os.pwrite(self._descriptor, self._head, 0)

    def verify(self, again: int) -> None:
        """Wait until the archive is on the disk, and compare what it holds with what was read from the log.

        Args:
            again: the archive, opened a second time for reading.

        Raises:
            ArchiveCorrupt: they differ.
            RotationStopped: the run is to end.
            OSError: the archive cannot be written or read.
        """
        self._require_flushed()
        syncing = self._pool.submit(os.fsync, self._descriptor)
        try:
            first = min(self._verified, 1)  # the header in front of it may be new
            members = [0] * first + list(range(self._verified, len(self._starts)))
            for sound in self._ahead(self._submit(_is_sound, again, *self._written(index)) for index in members):
                if not sound:
                    raise ArchiveCorrupt("what was written does not read back as it was")
        finally:
            syncing.result()
        self._verified = len(self._starts)

    def _written(self, index: int) -> tuple[int, int, int, int]:
        start = self._starts[index]
        end = self._starts[index + 1] if index + 1 < len(self._starts) else self.size
        return start, end - start, self._lengths[index], self._sums[index]

    def still_holds(self, log: int) -> bool:
        """Tell whether the log's first :attr:`end` bytes are still those that the archive holds."""
        from isal import isal_zlib

        offset = 0
        for length, total in zip(self._lengths, self._sums, strict=True):
            block = os.pread(log, length, offset)
            if len(block) != length or isal_zlib.crc32(block) != total:
                return False
            offset += length
        return True

    def _submit(self, work: Callable[..., _Result], *arguments: object) -> Future[_Result]:
        return self._pool.submit(work, *arguments)

    def _ahead(self, work: Iterable[Future[_Result]]) -> Iterator[_Result]:
        """Yield the results in their order while a few more are worked on."""
        running: deque[Future[_Result]] = deque()
        for future in work:
            running.append(future)
            if self._stop.is_set():
                raise RotationStopped
            if len(running) == _IN_FLIGHT:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()


def archive_content(archive: int) -> Iterator[bytes]:
    """Yield what an archive holds, block by block: of a damaged one, what comes before the damage.

    Args:
        archive: the archive, open for reading.

    Raises:
        ArchiveCorrupt: it is no gzip file, damaged or cut short.
        OSError: it cannot be read.
    """
    try:
        yield from unpacked(archive)
    except DamagedArchive as error:
        raise ArchiveCorrupt(f"it is damaged: {error}") from None


def _padded(head: bytes, length: int) -> bytes:
    """Return the header with its comment filled up with spaces, which JSON does not mind."""
    return head[:-1].ljust(length - 1) + b"\0"


def _gzip_member(head: bytes, log: int, offset: int, length: int) -> tuple[bytes, int, int]:
    """Return the gzip member of a block of the log, the block's checksum and its length."""
    from isal import isal_zlib

    block = os.pread(log, length, offset)
    if len(block) < length:
        raise LogChanged(f"it has become shorter than the {offset + length:,} bytes that it had")
    total = isal_zlib.crc32(block)
    packed = isal_zlib.compress(block, _LEVEL, _RAW)
    return b"".join((head, packed, _TRAILER.pack(total, length))), total, length


def _is_sound(archive: int, start: int, size: int, length: int, total: int) -> bool:
    from isal import isal_zlib
    from isal.igzip_lib import IsalError

    member = os.pread(archive, size, start)
    try:
        block = isal_zlib.decompress(member, _GZIP, length + 1)  # compares what it unpacks with the trailer
    except IsalError:  # type: ignore[misc]
        return False
    return len(block) == length and member[-_TRAILER.size :] == _TRAILER.pack(total, length)


def write_whole(descriptor: int, data: bytes) -> None:
    """Write all of *data*, which one call of the system need not do."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]

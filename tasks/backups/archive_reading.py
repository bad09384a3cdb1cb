"""Archives are read back in full, each member compared with the manifest, in memory that is bounded by it."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterator
from threading import Event
from typing import IO, Any, NamedTuple

from ..core.text.formatting import printable
from .archive_format import BLOCK, Damaged, go_on
from .archive_writing import ContentDigest
from .manifest import INSIDE, LARGEST, Manifest, ManifestEntry, Unusable, decode


class Member(NamedTuple):
    """A member of an archive.

    Attributes:
        entry: what the manifest says of it.
        content: of a file; ``None`` for a folder and for a further name of a file.
    """

    entry: ManifestEntry
    content: IO[bytes] | None


def read_archive(file: IO[bytes], manifest: Manifest, stop: Event, digest: Any = None) -> Iterator[Member]:
    """Yield the members of an archive in its order, each checked against the manifest once its content was read.

    What is yielded has to be read before the next one is asked for.

    Args:
        file: the archive, open for reading.
        manifest: its manifest; without a SHA-256 of the archive, that is not compared.
        stop: ends the work where it is set, also in the middle of a member.
        digest: is given all bytes of the archive; without one, SHA-256 is used.

    Raises:
        Damaged: it is cut short or changed, or holds anything that the manifest does not say.
        Stopped: *stop* was set.
    """
    raw = _Reading(file, hashlib.sha256() if digest is None else digest, stop)
    try:
        with _unpacked(raw) as whole, _Bounded(whole, manifest, stop) as packed, _members(packed) as archive:
            members = iter(archive)
            first = next(members, None)
            is_first = first is not None and first.name == INSIDE
            if is_first:
                _check_inside(archive, first, manifest)
                first = next(members, None)
            for entry in manifest.entries:
                _forget(archive)
                yield from _checked(archive, first, entry, manifest)
                first = next(members, None)
            if not is_first:
                _check_inside(archive, first, manifest)
                first = next(members, None)
            if first is not None:
                raise Damaged("it holds more than its manifest says")
            while packed.read(BLOCK):
                pass
        while raw.read(BLOCK):
            pass
    except _unreadable() as error:
        raise _damaged(error) from None
    if manifest.archive_sha256 and raw.sum.hexdigest() != manifest.archive_sha256:
        raise Damaged("its SHA-256 is not the one of its manifest")


def read_inside(file: IO[bytes], stop: Event, *, to_the_end: bool) -> Manifest | None:
    """Return the manifest inside an archive; ``None`` where it is not the first member and no other was looked for.

    Args:
        file: the archive, open for reading.
        stop: ends the work where it is set.
        to_the_end: read the whole archive for it, as one of schema 1 asks for.

    Raises:
        Damaged: there is none that can be used.
        Stopped: *stop* was set.
    """
    raw = _Reading(file, hashlib.sha256(), stop)
    try:
        with _unpacked(raw) as packed, _members(packed) as archive:
            for info in archive:
                if info.name == INSIDE:
                    return _inside(archive, info)
                if not to_the_end:
                    return None
                _forget(archive)
    except _unreadable() as error:
        raise _damaged(error) from None
    raise Damaged("it does not end with its manifest")


def _forget(archive: tarfile.TarFile) -> None:
    """Let an archive not remember its members: of a million there is one in memory."""
    archive.members.clear()  # type: ignore[attr-defined]


def _unpacked(raw: io.RawIOBase) -> io.BufferedIOBase:
    from isal.igzip import IGzipFile

    return IGzipFile(fileobj=raw, mode="rb")  # type: ignore[no-untyped-call]


def _members(packed: Any) -> tarfile.TarFile:
    return tarfile.open(fileobj=packed, mode="r|", tarinfo=_BoundedInfo)


_LARGEST_HEADER = 1 << 20
"""Bytes of a header before a member: its name takes a few thousand at most."""

_NEVER_WRITTEN = (
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    tarfile.GNUTYPE_SPARSE,
)


class _BoundedInfo(tarfile.TarInfo):
    """A header of a member, which :mod:`tarfile` reads as a whole whatever size it has."""

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type in _NEVER_WRITTEN:
            raise _not_written()
        if self.type == tarfile.XHDTYPE and self.size > _LARGEST_HEADER:
            raise Damaged(f"it has a header of {self.size:,} bytes, more than any name needs")
        return super()._proc_member(archive)  # type: ignore[misc, no-any-return]

    def _proc_gnusparse_10(self, *_: object) -> None:
        raise _not_written()


def _not_written() -> Damaged:
    return Damaged("it has a member of a kind that this suite does not write")


def _unreadable() -> tuple[type[Exception], ...]:
    """Return what reading a damaged archive raises."""
    from isal import isal_zlib

    broken: type[Exception] = isal_zlib.error  # type: ignore[assignment]
    return tarfile.TarError, OSError, EOFError, ValueError, broken


def _damaged(error: Exception) -> Damaged:
    return Damaged(f"it cannot be read to its end: {printable(error) or type(error).__name__}")


_OF_A_MEMBER = 4096
_OF_A_CHARACTER = 16
"""The most bytes that a member takes beside its content, and in the manifest inside: headers, padding, escapes."""


class _Bounded(io.RawIOBase):
    """What an archive unpacks to, up to what its manifest can account for: a bomb is put down early."""

    def __init__(self, packed: io.BufferedIOBase, manifest: Manifest, stop: Event) -> None:
        self._packed, self._stop = packed, stop
        members = sum(entry.size + _OF_A_MEMBER + _OF_A_CHARACTER * len(entry.path) for entry in manifest.entries)
        self._left = members + sum(map(len, manifest.sources)) * _OF_A_CHARACTER + BLOCK

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes.

        Raises:
            Damaged: there are more of them than there can be.
            Stopped: that was asked for.
        """
        go_on(self._stop)
        piece = self._packed.read(size)
        self._left -= len(piece)
        if self._left < 0:
            raise Damaged("it unpacks to more than its manifest says")
        return piece


class _Content(ContentDigest):
    """The content of a member, whose damage is reported as that of the archive."""

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes.

        Raises:
            Damaged: the archive ends or is changed here.
        """
        try:
            return super().read(size)
        except _unreadable() as error:
            raise _damaged(error) from None


class _Reading(io.RawIOBase):
    """A file with the digest of what was read of it."""

    def __init__(self, file: IO[bytes], digest: Any, stop: Event) -> None:
        self._file, self._stop = file, stop
        self.sum = digest

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes.

        Raises:
            Stopped: that was asked for.
        """
        go_on(self._stop)
        piece = self._file.read(size)
        self.sum.update(piece)
        return piece

    def readinto(self, buffer: Any) -> int:
        """Read the next bytes into *buffer*."""
        piece = self.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)


def _checked(
    archive: tarfile.TarFile, info: tarfile.TarInfo | None, entry: ManifestEntry, manifest: Manifest
) -> Iterator[Member]:
    name = printable(entry.name)
    if info is None:
        raise Damaged(f'it ends before "{name}"')
    if info.name != entry.name:
        raise Damaged(f'it holds "{printable(info.name)}" where its manifest says "{name}"')
    if not entry.is_file:
        if not info.isdir():
            raise Damaged(f'"{name}" is no folder in it')
        yield Member(entry, None)
        return
    if entry.link >= 0:
        if not info.islnk() or info.linkname != manifest.entries[entry.link].name:
            raise Damaged(f'"{name}" is no further name of a file in it')
        yield Member(entry, None)
        return
    if not info.isreg() or info.size != entry.size:
        raise Damaged(f'"{name}" is no file of {entry.size:,} bytes in it')
    extracted = archive.extractfile(info)
    assert extracted is not None  # noqa: S101 - it is a regular file
    digest = _Content(extracted, entry.size)
    yield Member(entry, digest)  # type: ignore[arg-type]
    while digest.read(BLOCK):
        pass
    if digest.short or digest.hexdigest() != entry.sha256:
        raise Damaged(f'the content of "{name}" is not the one that was saved')


def _check_inside(archive: tarfile.TarFile, info: tarfile.TarInfo | None, manifest: Manifest) -> None:
    if info is None or info.name != INSIDE:
        raise Damaged("it does not end with its manifest")
    inside = _inside(archive, info)
    if (inside.entries, inside.owners) != (manifest.entries, manifest.owners):
        raise Damaged("the manifest inside is not the one beside it")


def _inside(archive: tarfile.TarFile, info: tarfile.TarInfo) -> Manifest:
    if not info.isreg() or info.size > LARGEST:
        raise Damaged("it does not end with its manifest")
    extracted = archive.extractfile(info)
    assert extracted is not None  # noqa: S101 - it is a regular file
    try:
        return decode(extracted.read())
    except Unusable as error:
        raise Damaged(f"of the manifest inside: {error}") from None

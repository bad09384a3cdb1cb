"""Archives: written the same whenever the same files are, and read back in full."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from threading import Event
from typing import IO, Any, NamedTuple

from ..core.files import safe_files
from ..core.files.safe_files import Identity
from ..core.text.formatting import printable
from .manifest import INSIDE, SCHEMA, Manifest, ManifestEntry, Unusable, decode, encode
from .source_selection import Entry

_LEVEL = 2
"""Of isal's 0 to 3: a second for a gigabyte or so, a tenth more bytes than gzip's default."""

_BLOCK = 1 << 20

_WHOLE = 32 << 20
"""Bytes up to which a file is read as a whole before it is written, so that one that changes can be read again."""

_TRIES = 3

_LARGEST_MANIFEST = 1 << 30

_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Stopped(Exception):
    """The work was asked to stop."""


class Damaged(Exception):
    """An archive is not what its manifest says; the message says how, as the end of a sentence."""


def _gzip(**options: Any) -> Any:
    from isal import igzip

    return igzip.IGzipFile(**options)  # type: ignore[no-untyped-call]


class Written(NamedTuple):
    """What was written.

    Attributes:
        manifest: of the archive, as it is inside.
        gone: paths that were gone, or could not be read, when their turn came, with the reason.
    """

    manifest: Manifest
    gone: list[tuple[str, str]]


def write_archive(
    root: Path,
    entries: Sequence[Entry],
    sources: Sequence[str],
    output: io.RawIOBase,
    stop: Event,
    advance: Callable[[int], None],
) -> Written:
    """Write a gzipped tar archive (PAX, POSIX.1-2001) of what is below *root*.

    Two archives of the same files are equal in every byte: names in order, no owner, no name or time in gzip's header.

    Args:
        root: the project.
        entries: what goes into it, in its order.
        sources: where that comes from, for the manifest.
        output: the archive, open for writing.
        stop: ends the work where it is set.
        advance: called after each entry.

    Raises:
        Stopped: *stop* was set.
        OSError: the archive cannot be written.
    """
    written: list[ManifestEntry] = []
    gone: list[tuple[str, str]] = []
    with (
        _gzip(fileobj=output, mode="wb", filename="", compresslevel=_LEVEL, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT, bufsize=_BLOCK) as archive,
    ):
        for folder, members in _by_folder(entries):
            try:
                with safe_files.folder(root, folder) as descriptor:
                    for entry in members:
                        if stop.is_set():
                            raise Stopped
                        try:
                            written.append(_add(archive, descriptor, entry))
                        except _Unread as error:
                            gone.append((entry.path, str(error)))
                        advance(1)
            except (FileNotFoundError, safe_files.Refused):
                gone += [(entry.path, "its folder has gone") for entry in members]
        manifest = Manifest(SCHEMA, "", [*sources], written)
        content = encode(manifest)
        info = tarfile.TarInfo(INSIDE)
        info.size, info.mode = len(content), 0o600
        archive.addfile(info, io.BytesIO(content))
    return Written(manifest, gone)


def _by_folder(entries: Sequence[Entry]) -> Iterator[tuple[str, list[Entry]]]:
    """Yield runs of entries that lie in one folder."""
    run: list[Entry] = []
    for entry in entries:
        folder = str(PurePosixPath(entry.path).parent)
        if run and str(PurePosixPath(run[0].path).parent) != folder:
            yield str(PurePosixPath(run[0].path).parent), run
            run = []
        run.append(entry)
    if run:
        yield str(PurePosixPath(run[0].path).parent), run


class _Unread(Exception):
    """A file cannot be read; the message says why."""


def _add(archive: tarfile.TarFile, folder: int, entry: Entry) -> ManifestEntry:
    if not entry.is_file:
        info = _info(entry.path, entry.mode, entry.mtime_ns)
        info.type = tarfile.DIRTYPE
        archive.addfile(info)
        return _manifest_entry(entry.path, entry.mode, entry.mtime_ns)
    try:
        descriptor = os.open(PurePosixPath(entry.path).name, _OPEN, dir_fd=folder)
    except OSError as error:
        raise _Unread(f"it cannot be read: {error.strerror}") from None
    with os.fdopen(descriptor, "rb") as file:
        return _add_file(archive, file, entry)


def _add_file(archive: tarfile.TarFile, file: IO[bytes], entry: Entry) -> ManifestEntry:
    status = os.fstat(file.fileno())
    content: IO[bytes] = file
    for _ in range(_TRIES if status.st_size <= _WHOLE else 0):
        file.seek(0)
        before = os.fstat(file.fileno())
        whole = file.read(_WHOLE + 1)
        status = os.fstat(file.fileno())
        content = io.BytesIO(whole)
        if Identity.of(before) == Identity.of(status) and len(whole) == status.st_size:
            break
    size = len(whole) if isinstance(content, io.BytesIO) else status.st_size
    info = _info(entry.path, status.st_mode & 0o7777, status.st_mtime_ns)
    info.size = size
    digest = _Digest(content, size)
    archive.addfile(info, digest)
    changed = Identity.of(os.fstat(file.fileno())) != Identity.of(status) or digest.short
    return _manifest_entry(entry.path, info.mode, status.st_mtime_ns, size, digest.hexdigest(), changed=changed)


class _Digest(io.RawIOBase):
    """A file that is read to a size, with the digest of what was read; what it has become shorter by is zeros."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file, self._left = file, size
        self._sum = hashlib.sha256()
        self.short = False

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        wanted = self._left if size < 0 else min(size, self._left)
        piece = self._file.read(wanted)
        if len(piece) < wanted:
            self.short = True
            piece += bytes(wanted - len(piece))
        self._left -= len(piece)
        self._sum.update(piece)
        return piece

    def hexdigest(self) -> str:
        return self._sum.hexdigest()


def _info(path: str, mode: int, mtime_ns: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(path)
    info.mode = mode
    info.pax_headers = {"mtime": f"{mtime_ns // 10**9}.{mtime_ns % 10**9:09d}"}
    return info


def _manifest_entry(
    path: str, mode: int, mtime_ns: int, size: int = 0, sha256: str = "", *, changed: bool = False
) -> ManifestEntry:
    try:
        path.encode()
    except UnicodeEncodeError:
        raw = path.encode("utf-8", "surrogateescape").hex()
        return ManifestEntry(printable(path), mode, mtime_ns, size, sha256, raw, changed)
    return ManifestEntry(path, mode, mtime_ns, size, sha256, changed=changed)


# Reading


class Member(NamedTuple):
    """A member of an archive: what the manifest says of it, and its content; ``None`` for a folder."""

    entry: ManifestEntry
    content: IO[bytes] | None


def read_archive(file: IO[bytes], manifest: Manifest) -> Iterator[Member]:
    """Yield the members of an archive in its order, each checked against the manifest once its content was read.

    What is yielded has to be read before the next one is asked for.

    Args:
        file: the archive, open for reading.
        manifest: the one beside it.

    Raises:
        Damaged: it is cut short or changed, or holds anything that the manifest does not say.
    """
    raw = _Reading(file)
    try:
        with (
            _gzip(fileobj=raw, mode="rb") as whole,
            _Bounded(whole, manifest) as packed,
            tarfile.open(fileobj=packed, mode="r|") as archive,
        ):
            members = iter(archive)
            for entry in manifest.entries:
                yield from _checked(archive, next(members, None), entry)
            _check_inside(archive, next(members, None), manifest)
            if next(members, None) is not None:
                raise Damaged("it holds more than its manifest says")
            while packed.read(_BLOCK):
                pass
        while raw.read(_BLOCK):
            pass
    except _unreadable() as error:
        raise _damaged(error) from None
    if raw.sum.hexdigest() != manifest.archive_sha256:
        raise Damaged("its SHA-256 is not the one of its manifest")


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

    def __init__(self, packed: IO[bytes], manifest: Manifest) -> None:
        self._packed = packed
        members = sum(entry.size + _OF_A_MEMBER + _OF_A_CHARACTER * len(entry.path) for entry in manifest.entries)
        self._left = members + sum(map(len, manifest.sources)) * _OF_A_CHARACTER + _BLOCK

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes.

        Raises:
            Damaged: there are more of them than there can be.
        """
        piece = self._packed.read(size)
        self._left -= len(piece)
        if self._left < 0:
            raise Damaged("it unpacks to more than its manifest says")
        return piece


class _Content(_Digest):
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

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.sum = hashlib.sha256()

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        piece = self._file.read(size)
        self.sum.update(piece)
        return piece

    def readinto(self, buffer: Any) -> int:
        """Read the next bytes into *buffer*."""
        piece = self.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)


def _checked(archive: tarfile.TarFile, info: tarfile.TarInfo | None, entry: ManifestEntry) -> Iterator[Member]:
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
    if not info.isreg() or info.size != entry.size:
        raise Damaged(f'"{name}" is no file of {entry.size:,} bytes in it')
    extracted = archive.extractfile(info)
    assert extracted is not None  # noqa: S101 - it is a regular file
    digest = _Content(extracted, entry.size)
    yield Member(entry, digest)  # type: ignore[arg-type]
    while digest.read(_BLOCK):
        pass
    if digest.short or digest.hexdigest() != entry.sha256:
        raise Damaged(f'the content of "{name}" is not the one that was saved')


def _check_inside(archive: tarfile.TarFile, info: tarfile.TarInfo | None, manifest: Manifest) -> None:
    if info is None or info.name != INSIDE or not info.isreg() or info.size > _LARGEST_MANIFEST:
        raise Damaged("it does not end with its manifest")
    extracted = archive.extractfile(info)
    assert extracted is not None  # noqa: S101 - it is a regular file
    try:
        inside = decode(extracted.read())
    except Unusable as error:
        raise Damaged(f"of the manifest inside: {error}") from None
    if inside.entries != manifest.entries:
        raise Damaged("the manifest inside is not the one beside it")

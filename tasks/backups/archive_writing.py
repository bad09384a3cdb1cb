"""Archives are written the same whenever the files are the same; what cannot be read is named, and the rest is kept."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import tarfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath
from threading import Event
from typing import IO, NamedTuple

from ..core.files import safe_files
from ..core.files.safe_files import Identity
from ..core.text.formatting import printable
from .archive_format import BLOCK, PackedFile, go_on
from .manifest import INSIDE, SCHEMA, Manifest, ManifestEntry, encode
from .source_selection import Entry, file_entry

_WHOLE = 32 << 20
"""Bytes up to which a file is read as a whole before it is written, so that one that changes can be read again."""

_TRIES = 3

_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

_GONE = "it has gone meanwhile"


class Written(NamedTuple):
    """What was written.

    Attributes:
        manifest: of the archive, as it is inside.
        gone: paths that had gone, or were no longer what they were, when their turn came, with the reason.
        unread: paths of files that cannot be read, with the reason; nothing of them is in the archive.
        read: what is in the archive, files as they were when they were read.
    """

    manifest: Manifest
    gone: list[tuple[str, str]]
    unread: list[tuple[str, str]]
    read: list[Entry]


def write_archive(
    root: Path,
    entries: Sequence[Entry],
    sources: Sequence[str],
    output: PackedFile,
    stop: Event,
    advance: Callable[[int], None],
) -> Written:
    """Write a gzipped tar archive (PAX, POSIX.1-2001) of what is below *root*.

    Two archives of the same files are equal in every byte: names in order, no owner, no name or time in gzip's header.
    A file that is too large to be read as a whole begins a gzip member, so that it can be taken out again where
    reading it fails in the middle.

    Args:
        root: the project.
        entries: what goes into it, in its order.
        sources: where that comes from, for the manifest.
        output: the archive.
        stop: ends the work where it is set, also in the middle of a file.
        advance: called after each entry.

    Raises:
        Stopped: *stop* was set.
        OSError: the archive cannot be written.
    """
    written = Written(Manifest(SCHEMA, "", [*sources], []), [], [], [])
    for folder, members in _by_folder(entries):
        descriptor = _opened(root, folder, members, written)
        try:
            for entry in members if descriptor is not None else ():
                go_on(stop)
                assert descriptor is not None  # noqa: S101 - else there is no member
                try:
                    held, read = _add(output, descriptor, entry, stop)
                except _Gone as error:
                    written.gone.append((entry.path, str(error)))
                except _Unread as error:
                    written.unread.append((entry.path, str(error)))
                else:
                    written.manifest.entries.append(held)
                    written.read.append(read)
                advance(1)
        finally:
            if descriptor is not None:
                os.close(descriptor)
    content = encode(written.manifest)
    info = tarfile.TarInfo(INSIDE)
    info.size, info.mode = len(content), 0o600
    _put_header(output, info)
    output.write(content)
    _put_padding(output, len(content))
    output.write(bytes(2 * tarfile.BLOCKSIZE))
    output.end_member()
    return written


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


def _opened(root: Path, folder: str, members: Sequence[Entry], written: Written) -> int | None:
    """Return the descriptor of a folder; ``None`` where it cannot be opened, which is then said of its members."""
    try:
        with safe_files.folder(root, folder) as descriptor:
            return os.dup(descriptor)
    except (FileNotFoundError, safe_files.Refused):
        written.gone.extend((entry.path, "its folder has gone") for entry in members)
    except OSError as error:
        written.unread.extend((entry.path, f"its folder cannot be read: {error.strerror}") for entry in members)
    return None


class _Gone(Exception):
    """A file is no longer there, or is no file any more; the message says which."""


class _Unread(Exception):
    """A file cannot be read; the message says why."""


def _unread(error: OSError) -> _Unread:
    return _Unread(f"it cannot be read: {error.strerror}")


def _add(output: PackedFile, folder: int, entry: Entry, stop: Event) -> tuple[ManifestEntry, Entry]:
    if not entry.is_file:
        info = _info(entry.path, entry.mode, entry.mtime_ns)
        info.type = tarfile.DIRTYPE
        _put_header(output, info)
        return _manifest_entry(entry.path, entry.mode, entry.mtime_ns), entry
    name = PurePosixPath(entry.path).name
    try:
        descriptor = os.open(name, _OPEN, dir_fd=folder)
    except FileNotFoundError:
        raise _Gone(_GONE) from None
    except OSError as error:
        with suppress(OSError):
            if stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
                raise _Gone("it is a symbolic link by now") from None
        raise _unread(error) from None
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):  # a pipe in its place would read as an empty file
        os.close(descriptor)
        raise _Gone("it is no regular file any more")
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        return _add_file(output, file, status, entry.path, stop)


def _add_file(
    output: PackedFile, file: IO[bytes], status: os.stat_result, path: str, stop: Event
) -> tuple[ManifestEntry, Entry]:
    content: IO[bytes] = file
    for _ in range(_TRIES if status.st_size <= _WHOLE else 0):
        before = os.fstat(file.fileno())
        whole = _read_whole(file)
        status = os.fstat(file.fileno())
        content = io.BytesIO(whole)
        if Identity.of(before) == Identity.of(status) and len(whole) == status.st_size:
            break
    size = len(whole) if isinstance(content, io.BytesIO) else status.st_size
    info = _info(path, status.st_mode & 0o7777, status.st_mtime_ns)
    info.size = size
    place = None if isinstance(content, io.BytesIO) else output.end_member()
    digest = ContentDigest(content, size)
    _put_header(output, info)
    try:
        while piece := _next_piece(digest):
            output.write(piece)
            go_on(stop)
    except _Unread:
        assert place is not None  # noqa: S101 - what is in memory can be read
        output.cut_back(place)
        raise
    _put_padding(output, size)
    changed = Identity.of(os.fstat(file.fileno())) != Identity.of(status) or digest.short
    held = _manifest_entry(path, info.mode, status.st_mtime_ns, size, digest.hexdigest(), changed=changed)
    return held, file_entry(path, status)


def _read_whole(file: IO[bytes]) -> bytes:
    try:
        file.seek(0)
        pieces, left = [], _WHOLE + 1
        while left and (piece := file.read(min(left, BLOCK))):
            pieces.append(piece)
            left -= len(piece)
    except OSError as error:
        raise _unread(error) from None
    return b"".join(pieces)


def _next_piece(digest: ContentDigest) -> bytes:
    try:
        return digest.read(BLOCK)
    except OSError as error:
        raise _unread(error) from None


class ContentDigest(io.RawIOBase):
    """A file that is read to a size, with the digest of what was read; what it has become shorter by is zeros."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file, self._left = file, size
        self._sum = hashlib.sha256()
        self.short = False

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        wanted = self._left if size < 0 else min(size, self._left)
        piece = self._file.read(wanted)
        while len(piece) < wanted and (more := self._file.read(wanted - len(piece))):
            piece += more
        if len(piece) < wanted:
            self.short = True
            piece += bytes(wanted - len(piece))
        self._left -= len(piece)
        self._sum.update(piece)
        return piece

    def hexdigest(self) -> str:
        """Return the digest of what was read so far, in hexadecimal."""
        return self._sum.hexdigest()


def _info(path: str, mode: int, mtime_ns: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(path)
    info.mode = mode
    info.pax_headers = {"mtime": f"{mtime_ns // 10**9}.{mtime_ns % 10**9:09d}"}
    return info


def _put_header(output: PackedFile, info: tarfile.TarInfo) -> None:
    output.write(info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape"))


def _put_padding(output: PackedFile, size: int) -> None:
    """Fill the last block of a content."""
    output.write(bytes(-size % tarfile.BLOCKSIZE))


def _manifest_entry(
    path: str, mode: int, mtime_ns: int, size: int = 0, sha256: str = "", *, changed: bool = False
) -> ManifestEntry:
    try:
        path.encode()
    except UnicodeEncodeError:
        raw = path.encode("utf-8", "surrogateescape").hex()
        return ManifestEntry(printable(path), mode, mtime_ns, size, sha256, raw, changed)
    return ManifestEntry(path, mode, mtime_ns, size, sha256, changed=changed)

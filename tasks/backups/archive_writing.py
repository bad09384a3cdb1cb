"""Archives are written the same whenever the files are the same; what cannot be read is named, and the rest is kept."""

from __future__ import annotations

import hashlib
import io
import itertools
import os
import stat
import tarfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath
from threading import Event
from typing import IO, NamedTuple

import msgspec

from ..core.files import safe_files
from ..core.files.safe_files import Identity
from ..core.text.formatting import printable
from .archive_format import BLOCK, PackedFile, go_on, pack
from .attributes import attributes_of, has_holes, owner_of
from .manifest import INSIDE, SCHEMA, Manifest, ManifestEntry, Owner, encode
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
        lost: paths in the archive with the names of their attributes that are not kept.
        read: what is in the archive, files as they were when they were read.
    """

    manifest: Manifest
    gone: list[tuple[str, str]]
    unread: list[tuple[str, str]]
    lost: list[tuple[str, str]]
    read: list[Entry]


def write_archive(
    root: Path,
    entries: Sequence[Entry],
    sources: Sequence[str],
    output: PackedFile,
    stop: Event,
    advance: Callable[[int], None],
    *,
    before_restore: bool = False,
) -> Written:
    """Write a gzipped tar archive (PAX, POSIX.1-2001) of what is below *root*.

    Two archives of the same files are equal in every byte: names in order, no name or time in gzip's header. A file
    that is too large to be read as a whole begins a gzip member, so that it can be taken out again where reading it
    fails in the middle. The manifest comes first, into room that is kept for it; one that is larger than it could be
    known to become comes last.

    Args:
        root: the project.
        entries: what goes into it, in its order.
        sources: where that comes from, for the manifest.
        output: the archive.
        stop: ends the work where it is set, also in the middle of a file.
        advance: called after each entry.
        before_restore: it is the copy of a state that a restore replaces; the manifest inside says so as well, for a
            run may be killed before there is one beside it.

    Raises:
        Stopped: *stop* was set.
        OSError: the archive cannot be written.
    """
    written = Written(Manifest(SCHEMA, "", [*sources], [], before_restore=before_restore), [], [], [], [])
    output.reserve(_room_for_manifest(root, entries, sources))
    adding = _Adding(output, stop, written.manifest, {}, {})
    for folder, members in _by_folder(entries):
        descriptor = _opened(root, folder, members, written)
        try:
            for entry in members if descriptor is not None else ():
                go_on(stop)
                assert descriptor is not None  # noqa: S101 - else there is no member
                try:
                    held, read = _add(adding, descriptor, entry)
                except _Gone as error:
                    written.gone.append((entry.path, str(error)))
                except _Unread as error:
                    written.unread.append((entry.path, str(error)))
                else:
                    written.manifest.entries.append(held)
                    written.read.append(read)
                    if lost := adding.lost.pop(entry.path, None):
                        written.lost.append((entry.path, ", ".join(lost)))
                advance(1)
        finally:
            if descriptor is not None:
                os.close(descriptor)
    content = _member_of_manifest(written.manifest)
    if not output.fill(content):
        output.write(content)
    output.write(bytes(2 * tarfile.BLOCKSIZE))
    output.end_member()
    return written


def _member_of_manifest(manifest: Manifest) -> bytes:
    content = encode(manifest)
    info = tarfile.TarInfo(INSIDE)
    info.size, info.mode = len(content), 0o600
    return _header(info) + content + _padding(len(content))


_SPARE = 4096

_SPARE_SHARE = 64
"""The part of a manifest by which it may become larger than it was expected, and the bytes beside that."""


def _room_for_manifest(root: Path, entries: Sequence[Entry], sources: Sequence[str]) -> int:
    """Return how many bytes the manifest will take, packed: digests are unknown, and all take the same room."""
    held = []
    for entry in entries:
        digest = hashlib.sha256(entry.path.encode("utf-8", "surrogateescape")).hexdigest() if entry.is_file else ""
        path, raw = _named(entry.path)
        kept = attributes_of(root / entry.path).kept
        held.append(ManifestEntry(path, entry.mode, entry.mtime_ns, entry.size, digest, raw, attributes=kept))
    packed = len(pack(_member_of_manifest(Manifest(SCHEMA, "", [*sources], held))))
    return packed + packed // _SPARE_SHARE + _SPARE


def _by_folder(entries: Sequence[Entry]) -> Iterator[tuple[str, list[Entry]]]:
    """Yield runs of entries that lie in one folder."""
    for folder, members in itertools.groupby(entries, lambda entry: str(PurePosixPath(entry.path).parent)):
        yield folder, [*members]


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


class _Adding(NamedTuple):
    """What adding an entry goes by.

    Attributes:
        output: the archive.
        stop: ends the work.
        manifest: what is in it so far.
        first_names: by device and inode, the place of the first name of a file that has several.
        lost: by path, the attributes that are not kept.
    """

    output: PackedFile
    stop: Event
    manifest: Manifest
    first_names: dict[tuple[int, int], int]
    lost: dict[str, list[str]]

    def owner(self, status: os.stat_result) -> int:
        """Return the place of an owner among the manifest's."""
        owner = owner_of(status.st_uid, status.st_gid)
        if owner not in self.manifest.owners:
            self.manifest.owners.append(owner)
        return self.manifest.owners.index(owner)

    def attributes(self, path: str, descriptor: int) -> dict[str, str]:
        """Return the attributes that are kept."""
        found = attributes_of(descriptor)
        if found.lost:
            self.lost[path] = found.lost
        return found.kept


def _add(adding: _Adding, folder: int, entry: Entry) -> tuple[ManifestEntry, Entry]:
    name = PurePosixPath(entry.path).name
    flags = _OPEN if entry.is_file else _OPEN | os.O_DIRECTORY
    try:
        descriptor = os.open(name, flags, dir_fd=folder)
    except FileNotFoundError:
        raise _Gone(_GONE) from None
    except OSError as error:
        with suppress(OSError):
            if _is_other(os.stat(name, dir_fd=folder, follow_symlinks=False), entry):
                raise _Gone("it is something else by now") from None
        raise _unread(error) from None
    try:
        status = os.fstat(descriptor)
        if _is_other(status, entry):  # a pipe in the place of a file would read as an empty one
            raise _Gone("it is something else by now")
        return (
            _add_file(adding, descriptor, status, entry.path)
            if entry.is_file
            else _add_folder(adding, descriptor, status, entry)
        )
    finally:
        os.close(descriptor)


def _is_other(status: os.stat_result, entry: Entry) -> bool:
    return not (stat.S_ISREG if entry.is_file else stat.S_ISDIR)(status.st_mode)


def _add_folder(adding: _Adding, descriptor: int, status: os.stat_result, entry: Entry) -> tuple[ManifestEntry, Entry]:
    path, raw = _named(entry.path)
    held = ManifestEntry(
        path,
        entry.mode,
        entry.mtime_ns,
        raw=raw,
        owner=adding.owner(status),
        attributes=adding.attributes(entry.path, descriptor),
    )
    info = _info(held, adding.manifest.owners)
    info.type = tarfile.DIRTYPE
    adding.output.write(_header(info))
    return held, entry


def _add_file(adding: _Adding, descriptor: int, status: os.stat_result, path: str) -> tuple[ManifestEntry, Entry]:
    place = adding.first_names.get((status.st_dev, status.st_ino))
    if place is not None and _is_unchanged(adding.manifest.entries[place], status):
        return _add_name(adding, place, path), file_entry(path, status)
    sparse = has_holes(descriptor, status)
    content = io.FileIO(descriptor, closefd=False)
    whole = None
    for _ in range(_TRIES if status.st_size <= _WHOLE else 0):
        before = os.fstat(descriptor)
        whole = _read_whole(content)
        status = os.fstat(descriptor)
        if Identity.of(before) == Identity.of(status) and len(whole) == status.st_size:
            break
    size = status.st_size if whole is None else len(whole)
    name, raw = _named(path)
    held = ManifestEntry(
        name,
        status.st_mode & 0o7777,
        status.st_mtime_ns,
        size,
        raw=raw,
        owner=adding.owner(status),
        attributes=adding.attributes(path, descriptor),
        sparse=sparse,
    )
    digest = ContentDigest(content if whole is None else io.BytesIO(whole), size)
    _put_file(adding, _info(held, adding.manifest.owners), digest, can_fail=whole is None)
    changed = Identity.of(os.fstat(descriptor)) != Identity.of(status) or digest.short
    if status.st_nlink > 1 and not changed:
        adding.first_names[status.st_dev, status.st_ino] = len(adding.manifest.entries)
    held = msgspec.structs.replace(held, sha256=digest.hexdigest(), changed=changed)
    return held, file_entry(path, status)


def _is_unchanged(first: ManifestEntry, status: os.stat_result) -> bool:
    facts = (status.st_size, status.st_mtime_ns, status.st_mode & 0o7777)
    return (first.size, first.mtime_ns, first.mode) == facts


def _add_name(adding: _Adding, place: int, path: str) -> ManifestEntry:
    """Add a further name of a file that is in the archive."""
    name, raw = _named(path)
    first = adding.manifest.entries[place]
    held = msgspec.structs.replace(first, path=name, raw=raw, link=place)
    info = _info(held, adding.manifest.owners)
    info.type, info.linkname, info.size = tarfile.LNKTYPE, first.name, 0
    adding.output.write(_header(info))
    return held


def _put_file(adding: _Adding, info: tarfile.TarInfo, digest: ContentDigest, *, can_fail: bool) -> None:
    """Write a file; where it cannot be read to its end, nothing of it."""
    output = adding.output
    place = output.end_member() if can_fail else None
    output.write(_header(info))
    try:
        while piece := _next_piece(digest):
            output.write(piece)
            go_on(adding.stop)
    except _Unread:
        assert place is not None  # noqa: S101 - what is in memory can be read
        output.cut_back(place)
        raise
    output.write(_padding(info.size))


def _read_whole(file: io.FileIO) -> bytes:
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


def _info(held: ManifestEntry, owners: Sequence[Owner]) -> tarfile.TarInfo:
    info = tarfile.TarInfo(held.name)
    info.mode, info.size = held.mode, held.size
    owner = owners[held.owner]
    info.uid, info.gid, info.uname, info.gname = owner.uid, owner.gid, owner.user, owner.group
    info.pax_headers = {"mtime": f"{held.mtime_ns // 10**9}.{held.mtime_ns % 10**9:09d}"}
    return info


def _header(info: tarfile.TarInfo) -> bytes:
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


def _padding(size: int) -> bytes:
    """Return what fills the last block of a content."""
    return bytes(-size % tarfile.BLOCKSIZE)


def _named(path: str) -> tuple[str, str]:
    """Return a path as the manifest has it, and its bytes in hexadecimal where they are no UTF-8."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return printable(path), path.encode("utf-8", "surrogateescape").hex()
    return path, ""

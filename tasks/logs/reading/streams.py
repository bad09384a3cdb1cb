"""A log over time: its archives and its live file as one stream that a reader goes on in where it left off.

The reader keeps a :class:`Cursor`. Between two visits the file may have been archived by any of the ways of the
rotation, renamed by the program itself (``RotatingFileHandler``), truncated or replaced. What the cursor kept of
the text before it tells where that place is now; the headers of the archives tell how far it has moved.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from ...core.files import folder
from ..archives import FOLDER, HEADER_LIMIT, Archive, Origin, archives, origin_of
from .sources import Broken, Source, open_log

_LENGTHS = (1024, 256, 32)
"""Bytes before a cursor that are kept as digests: the longest that is still there is compared."""


class Cursor(msgspec.Struct, frozen=True, kw_only=True):
    """How far a log was read.

    Attributes:
        device: the device of the live file.
        inode: the inode of the live file.
        offset: where the next record begins, in bytes from the file's start.
        before: digests of the text before that, by its length in bytes.
        archives: the archives of this log that were there, by month and name.
    """

    device: int
    inode: int
    offset: int
    before: dict[str, str]
    archives: list[str]


class Packed(NamedTuple):
    """An archive of a stream: where it lies, what it says of itself, and when its log was last written."""

    path: str
    key: str
    origin: Origin | None
    mtime: float


class Segment(NamedTuple):
    """A part of a stream to be read.

    Attributes:
        path: the file, below the root.
        new_from: where the text begins that was not read before; ``None`` where none was.
        live: True for the log itself.
    """

    path: str
    new_from: int | None
    live: bool


def packed_by_log(root: Path, directory: str) -> dict[str, list[Packed]]:
    """Return the archives of each log, in the order of their rotation.

    Raises:
        Refused, OSError: the archive cannot be walked.
    """
    by_log: dict[str, list[tuple[tuple[str, int], Packed]]] = {}
    for archive in archives(root, directory):
        if archive.stem is None:
            continue
        path = f"{directory}/{FOLDER}/{archive.month}/{archive.name}"
        origin = _origin(root, directory, archive)
        packed = Packed(path, f"{archive.month}/{archive.name}", origin, archive.status.st_mtime)
        log = origin.log if origin else f"{archive.stem}.log"
        by_log.setdefault(log, []).append(((str(archive.day), archive.serial), packed))
    return {log: [packed for _, packed in sorted(found)] for log, found in by_log.items()}


def _origin(root: Path, directory: str, archive: Archive) -> Origin | None:
    with folder(root, f"{directory}/{FOLDER}/{archive.month}") as parent:
        try:
            descriptor = os.open(archive.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
        except OSError:
            return None
        try:
            return origin_of(os.read(descriptor, HEADER_LIMIT))
        finally:
            os.close(descriptor)


def cursor_at(source: Source, offset: int, packed: Iterable[Packed]) -> Cursor:
    """Return a cursor at *offset* of a live log."""
    return Cursor(
        device=source.status.st_dev,
        inode=source.status.st_ino,
        offset=offset,
        before={str(length): _digest(source, offset, length) for length in _LENGTHS if length <= offset},
        archives=[each.key for each in packed],
    )


def _digest(source: Source, offset: int, length: int) -> str:
    return hashlib.blake2b(source.text.read_at(offset - length, length), digest_size=8).hexdigest()


def _holds(source: Source, cursor: Cursor, offset: int, intact: int) -> bool:
    """Tell whether the text before *offset*, of which *intact* bytes cannot have changed, is the cursor's."""
    if source.size is not None and offset > source.size:
        return False
    for length in _LENGTHS:
        digest = cursor.before.get(str(length))
        if digest is not None and length <= min(intact, offset):
            return _digest(source, offset, length) == digest
    return len(source.text.read_at(0, offset)) == offset


def segments(
    root: Path,
    log: str,
    cursor: Cursor | None,
    packed: Iterable[Packed],
    names: Mapping[int, str],
    *,
    since: float,
) -> Iterator[Segment]:
    """Yield what is to be read of a stream, in its order: what is new, and what else may lie in the window.

    Args:
        root: the project.
        log: the path of the live log below it; the file may be missing.
        cursor: how far it was read; ``None`` where it never was.
        packed: its archives, in order.
        names: the paths of the files in the log folder, by inode.
        since: when the window begins, in seconds since 1970.
    """
    place: int | None = None if cursor is None else cursor.offset
    intact = 0 if place is None else place
    for each in packed:
        in_window = each.mtime >= since
        if cursor is None:
            if in_window:
                yield Segment(each.path, 0, live=False)
        elif each.key in cursor.archives:
            if in_window:
                yield Segment(each.path, None, live=False)
        else:
            new_from, place, intact = _in_archive(root, each, cursor, place, intact)
            if new_from is not None or in_window:
                yield Segment(each.path, new_from, live=False)
    if cursor is not None and place is not None:
        elsewhere = names.get(cursor.inode)
        if elsewhere is not None and elsewhere != log and elsewhere.startswith(log):  # zbeam.log is zbeam.log.1 now
            if _is_at(root, elsewhere, cursor, place, intact):
                yield Segment(elsewhere, place, live=False)
            place = None
    if log in names.values():
        known = cursor is not None and place is not None and _is_at(root, log, cursor, place, intact)
        yield Segment(log, place if known else 0, live=True)


def _in_archive(
    root: Path, packed: Packed, cursor: Cursor, place: int | None, intact: int
) -> tuple[int | None, int | None, int]:
    """Return where the new text of an unread archive begins, and where the cursor is in what came after it."""
    origin = packed.origin
    if place is not None and origin is not None and place > origin.end:
        # The cursor was behind what this archive holds: it has only moved towards the file's start.
        return None, place - origin.released, min(intact, place - origin.end)
    if place is not None and _is_at(root, packed.path, cursor, place, intact):
        return place, None, 0
    return 0, None, 0


def _is_at(root: Path, path: str, cursor: Cursor, place: int, intact: int) -> bool:
    try:
        with open_log(root, path) as source:
            return _holds(source, cursor, place, intact)
    except (OSError, Broken):
        return False

"""A log over time: its archives and its live file as one stream that a reader goes on in where it left off.

The reader keeps a :class:`Cursor`. Between two visits the file may have been archived by any of the ways of the
rotation, renamed by the program itself (``RotatingFileHandler``), truncated or replaced. What the cursor kept of
the text before it tells where that place is now; the headers of the archives tell how far it has moved.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from ...core.files import Refused, folder
from ..archives import FOLDER, HEADER_LIMIT, Archive, Origin, archives, origin_of
from .sources import Broken, Source, open_log

_LENGTHS = (1024, 256, 32)
"""Bytes that are kept as digests: the longest that is still there is compared."""


_ARCHIVES = 3
"""Archives that a cursor names."""


class Cursor(msgspec.Struct, frozen=True, kw_only=True):
    """How far a log was read.

    Attributes:
        device: the device of the live file.
        inode: the inode of the live file.
        offset: where the next record begins, in bytes from the file's start.
        head: digests of the text at the file's start, by its length in bytes.
        before: the same of the text before the offset.
        archives: its latest archives that were there, by month and name; older ones were there as well.
    """

    device: int
    inode: int
    offset: int
    head: dict[str, str]
    before: dict[str, str]
    archives: list[str]


class Packed(NamedTuple):
    """An archive of a stream: where it lies, what it says of itself, its bytes, and when its log was last written."""

    path: str
    key: str
    origin: Origin | None
    size: int
    mtime: float


class Segment(NamedTuple):
    """A part of a stream to be read.

    Attributes:
        path: the file, below the root.
        new_from: where the text begins that was not read before; ``None`` where none was.
        packed: True for an archive, False for the log itself, whatever it is called today.
    """

    path: str
    new_from: int | None
    packed: bool


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
        packed = Packed(
            path, f"{archive.month}/{archive.name}", origin, archive.status.st_size, archive.status.st_mtime
        )
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


def cursor_at(source: Source, offset: int, packed: Sequence[Packed]) -> Cursor:
    """Return a cursor at *offset* of a live log."""
    lengths = sorted({min(length, offset) for length in _LENGTHS} - {0})
    return Cursor(
        device=source.status.st_dev,
        inode=source.status.st_ino,
        offset=offset,
        head={str(length): _digest(source, 0, length) for length in lengths},
        before={str(length): _digest(source, offset - length, length) for length in lengths},
        archives=[each.key for each in packed[-_ARCHIVES:]],
    )


def _digest(source: Source, offset: int, length: int) -> str:
    return hashlib.blake2b(source.text.read_at(offset, length), digest_size=8).hexdigest()


def segments(
    root: Path,
    log: str,
    cursor: Cursor | None,
    packed: Sequence[Packed],
    names: Mapping[int, str],
    *,
    present: bool,
    since: float,
) -> Iterator[Segment]:
    """Yield what is to be read of a stream, in its order: what is new, and what else may lie in the window.

    Args:
        root: the project.
        log: the path of the live log below it.
        cursor: how far it was read; ``None`` where it never was: then only the window counts as new.
        packed: its archives, in order.
        names: the paths of the files in the log folder, by inode.
        present: the live log is there.
        since: when the window begins, in seconds since 1970.
    """
    if cursor is None:
        yield from (Segment(each.path, 0, packed=True) for each in packed if each.mtime >= since)
        if present:
            yield Segment(log, 0, packed=False)
        return
    unread = _unread(packed, cursor)
    found = _locate(root, [log] if present else [], cursor, unread, names.get(cursor.inode, ""))
    reached = found is None
    for each in packed:
        new_from = None
        if found is not None and found.path == each.path:
            new_from, reached = found.new_from, True
        elif each in unread and (reached or each.origin is None):
            new_from = 0 if each.origin is not None or each.mtime >= since else None
        if new_from is not None or each.mtime >= since:
            yield Segment(each.path, new_from, packed=True)
    if found is not None and found.path not in {log, *(each.path for each in unread)}:
        yield found
        reached = True
    if present:
        yield Segment(log, found.new_from if found is not None and found.path == log else 0, packed=False)


def _unread(packed: Sequence[Packed], cursor: Cursor) -> list[Packed]:
    known = [place for place, each in enumerate(packed) if each.key in cursor.archives]
    return [each for each in packed[known[0] if known else 0 :] if each.key not in cursor.archives]


def _locate(root: Path, log: list[str], cursor: Cursor, unread: Sequence[Packed], renamed: str) -> Segment | None:
    """Return where the place of the cursor is now: in an archive, in the log, or in what the log is called today.

    Returns:
        ``None`` where that text is gone: the log was truncated or replaced.
    """
    place = intact = cursor.offset
    moved = False
    for each in unread:
        if not moved and not _matches(root, each.path, cursor.head, at=None):
            if each.origin is None:  # not of our making: it may be of any time, so it proves nothing
                continue
            return None
        if each.origin is None or place <= each.origin.end:
            held = _matches(root, each.path, cursor.before, at=place, intact=intact)
            return Segment(each.path, place, packed=True) if held else None
        # It was behind what this archive holds: it only moved towards the start of the file.
        place, intact, moved = place - each.origin.released, min(intact, place - each.origin.end), True
    called = [renamed] if renamed and renamed not in log else []  # zbeam.log may be zbeam.log.1 now
    for path in log + called:
        if _matches(root, path, cursor.before, at=place, intact=intact):
            return Segment(path, place, packed=False)
    return None


def _matches(root: Path, path: str, digests: Mapping[str, str], *, at: int | None, intact: int | None = None) -> bool:
    """Tell whether a file has the text of the digests, in front of a place or (``None``) at its start.

    Args:
        root: the project.
        path: the file.
        digests: by length, as a cursor keeps them.
        at: the place.
        intact: bytes before the place that cannot have been blanked.
    """
    lengths = sorted((int(text) for text in digests), reverse=True)
    try:
        with open_log(root, path) as source:
            if at is not None and len(source.text.read_at(max(at - 1, 0), 1)) < min(at, 1):
                return False
            for length in lengths:
                if intact is None or length <= intact:
                    return _digest(source, 0 if at is None else at - length, length) == digests[str(length)]
    except (Refused, OSError, Broken):
        return False
    return True

"""A log over time: its archives and its live file as one stream, which a reader continues where it stopped.

The reader keeps a :class:`Cursor`. Between two runs the file may have been rotated with any strategy, renamed by the
program itself (``RotatingFileHandler``), truncated or replaced. The digests in the cursor identify the text before
it, wherever that is now; the headers of the archives say how far it has moved.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

import msgspec

from ...core.files.safe_files import Refused, folder
from ...core.files.state_files import Number, Size
from ..log_archives import FOLDER, HEADER_LIMIT, ArchiveOrigin, LogArchive, list_archives, origin_of
from .log_source import DamagedArchive, LogSource, open_log

_LENGTHS = (1024, 256, 32)
"""Bytes that are kept as digests: the longest that is still there is compared."""


_ARCHIVES = 3
"""Archives that a cursor names."""


_Length = Annotated[str, msgspec.Meta(pattern=r"\A[0-9]{1,9}\Z")]


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

    device: Number
    inode: Number
    offset: Size
    head: dict[_Length, str]
    before: dict[_Length, str]
    archives: list[str]


class ArchivedPart(NamedTuple):
    """An archive of a stream: where it lies, what it says of itself, its bytes, and when its log was last written."""

    path: str
    key: str
    origin: ArchiveOrigin | None
    size: int
    mtime: float


class StreamSegment(NamedTuple):
    """A part of a stream to be read.

    Attributes:
        path: the file, below the root.
        new_from: where the text begins that was not read before; ``None`` where none was.
        packed: True for an archive, False for the log itself, under its present name.
    """

    path: str
    new_from: int | None
    packed: bool


def archives_by_log(root: Path, directory: str) -> dict[str, list[ArchivedPart]]:
    """Return the archives of each log, in the order of their rotation.

    Raises:
        Refused, OSError: the archive cannot be walked.
    """
    by_log: dict[str, list[tuple[tuple[str, int], ArchivedPart]]] = {}
    for archive in list_archives(root, directory):
        if archive.stem is None:
            continue
        path = f"{directory}/{FOLDER}/{archive.month}/{archive.name}"
        origin = _origin(root, directory, archive)
        packed = ArchivedPart(
            path, f"{archive.month}/{archive.name}", origin, archive.status.st_size, archive.status.st_mtime
        )
        log = origin.log if origin else f"{archive.stem}.log"
        by_log.setdefault(log, []).append(((str(archive.day), archive.serial), packed))
    return {log: [packed for _, packed in sorted(found)] for log, found in by_log.items()}


def _origin(root: Path, directory: str, archive: LogArchive) -> ArchiveOrigin | None:
    try:
        with folder(root, f"{directory}/{FOLDER}/{archive.month}") as parent:
            descriptor = os.open(archive.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
            try:
                return origin_of(os.read(descriptor, HEADER_LIMIT))
            finally:
                os.close(descriptor)
    except OSError:
        return None


def cursor_at(source: LogSource, offset: int, packed: Sequence[ArchivedPart]) -> Cursor:
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


def _digest(source: LogSource, offset: int, length: int) -> str:
    return hashlib.blake2b(source.text.read_at(offset, length), digest_size=8).hexdigest()


def stream_segments(
    root: Path,
    log: str,
    cursor: Cursor | None,
    packed: Sequence[ArchivedPart],
    names: Mapping[int, str],
    *,
    present: bool,
    since: float,
) -> Iterator[StreamSegment]:
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
        yield from (StreamSegment(each.path, 0, packed=True) for each in packed if each.mtime >= since)
        if present:
            yield StreamSegment(log, 0, packed=False)
        return
    turned = {number: path for path in names.values() if (number := _rotation_number(log, path))}
    unread = _unread_archives(packed, cursor)
    fresh = _unread_segments(
        root, [log] if present else [], cursor, unread, _StreamNames(log, names.get(cursor.inode, ""), turned)
    )
    new = {part.path for part in fresh}
    yield from (
        StreamSegment(each.path, None, packed=True) for each in packed if each.path not in new and each.mtime >= since
    )
    yield from fresh


def _unread_archives(packed: Sequence[ArchivedPart], cursor: Cursor) -> list[ArchivedPart]:
    known = [place for place, each in enumerate(packed) if each.key in cursor.archives]
    return [each for each in packed[known[0] if known else 0 :] if each.key not in cursor.archives]


class _StreamNames(NamedTuple):
    """What a log is called.

    Attributes:
        log: its name, as a path below the root.
        today: what the file of the cursor is called today; empty where it is gone.
        turned: the files that were turned over, by their numbers: 1 is the latest.
    """

    log: str
    today: str
    turned: Mapping[int, str]


def _unread_segments(
    root: Path, present: list[str], cursor: Cursor, unread: Sequence[ArchivedPart], names: _StreamNames
) -> list[StreamSegment]:
    """Return what was not read yet, in the order of the stream.

    First comes the file that the cursor knows: its archives, and what is left of it, in the log or in what the log
    is called today (zbeam.log may be zbeam.log.1 now), or in a copy of it; then those that were turned over after
    it, archives of other files, and the log, where it is *present*.
    """
    log = names.log
    own, later, strange, gone = _classify_unread(root, cursor, unread)
    place = intact = cursor.offset
    unplaced = [StreamSegment(each.path, 0, packed=True) for each in strange]
    parts = [] if cursor.offset else unplaced
    while own and not gone:
        archive, origin = own[0], own[0].origin
        if origin is None or place <= origin.end:
            if _has_text_before(root, archive.path, cursor, place, intact, short=True):
                parts.append(StreamSegment(archive.path, place, packed=True))
                own = own[1:]
            gone = True
        else:  # It was behind what this archive holds: it only moved towards the start of the file.
            place, intact = place - origin.released, min(intact, place - origin.end)
            own = own[1:]
    parts += [StreamSegment(each.path, 0, packed=True) for each in own]

    if present and not later and not gone and _has_text_before(root, log, cursor, place, intact):
        return [*parts, StreamSegment(log, place, packed=False)]
    parts += _rotated_by_program(root, cursor, names, None if gone else place, intact)
    parts = parts or unplaced
    parts += [StreamSegment(each.path, 0, packed=True) for each in later]
    return [*parts, *(StreamSegment(path, 0, packed=False) for path in present)]


def _rotated_by_program(
    root: Path, cursor: Cursor, names: _StreamNames, place: int | None, intact: int
) -> list[StreamSegment]:
    """Return the rest of the cursor's file under another name, and the files that were turned over after it.

    Args:
        root: the project.
        cursor: how far the log was read.
        names: what it is called.
        place: where the cursor is now; ``None`` where its text is gone.
        intact: bytes before that which cannot have been blanked.
    """
    parts, known = [], 0
    if names.today and names.today != names.log:
        ours = _is_numbered_name(names.log, names.today)
        if place is not None and _has_text_before(root, names.today, cursor, place, intact, short=ours):
            parts.append(_whole_or_rest(names.today, place))
        elif ours:
            parts.append(_whole_or_rest(names.today, 0))
        known = _rotation_number(names.log, names.today) or 0
    elif place is not None and cursor.offset:  # copied and truncated, or packed, by another program
        known = next(
            (n for n in sorted(names.turned) if _has_text_before(root, names.turned[n], cursor, place, intact)), 0
        )
        parts += [_whole_or_rest(names.turned[known], place)] if known else []
    return parts + [_whole_or_rest(names.turned[n], 0) for n in sorted(names.turned, reverse=True) if n < known]


def _whole_or_rest(path: str, new_from: int) -> StreamSegment:
    return StreamSegment(path, new_from, packed=path.endswith(".gz"))


def _is_numbered_name(log: str, path: str) -> bool:
    """Tell whether a program may have given its log this name when it began a new one."""
    return path.startswith(f"{log}.") and not path.endswith(".gz")


def _rotation_number(log: str, path: str) -> int | None:
    """Return the number that a program, or logrotate, gave its log when it turned it over: 1 is the latest."""
    match = re.fullmatch(re.escape(log) + r"\.([1-9]\d{0,5})(?:\.gz)?", path)
    return int(match[1]) if match else None


class _UnreadArchives(NamedTuple):
    """Unread archives.

    Attributes:
        own: of the file that the cursor knows.
        later: of files that came after it.
        strange: not of our making: they may be of any time, so they prove nothing.
        gone: the text that was read is not in the archives of its own: the file was truncated before.
    """

    own: list[ArchivedPart]
    later: list[ArchivedPart]
    strange: list[ArchivedPart]
    gone: bool


def _classify_unread(root: Path, cursor: Cursor, unread: Sequence[ArchivedPart]) -> _UnreadArchives:
    own: list[ArchivedPart] = []
    strange: list[ArchivedPart] = []
    gone = False
    file = (cursor.device, cursor.inode)
    for number, each in enumerate(unread):
        origin = each.origin
        if not own:
            matches = _archive_begins_with(root, each, cursor.head)
            if matches and origin is not None:
                file = (origin.device, origin.inode)  # another one than it was where the project was moved
            gone = not matches
        if (not own and not gone) or (origin is not None and (origin.device, origin.inode) == file):
            own.append(each)
        elif origin is None and not own:
            strange.append(each)
        else:
            return _UnreadArchives(own, [*unread[number:]], strange, gone and bool(own))
    return _UnreadArchives(own, [], strange, gone and bool(own))


def _begins_with(source: LogSource, head: Mapping[str, str]) -> bool:
    """Tell whether a file begins with the text of the digests, by the longest; any does where there are none."""
    longest = max(map(int, head), default=0)
    return not longest or _digest(source, 0, longest) == head[str(longest)]


def _archive_begins_with(root: Path, archive: ArchivedPart, head: Mapping[str, str]) -> bool:
    """Tell whether an archive begins with the text of the digests, by the longest that it holds in full."""
    lengths = [int(text) for text in head if archive.origin is None or int(text) <= archive.origin.end]
    try:
        with open_log(root, archive.path) as source:
            return bool(lengths) and _digest(source, 0, max(lengths)) == head[str(max(lengths))]
    except (Refused, OSError, DamagedArchive):
        return False


def _has_text_before(
    root: Path, path: str, cursor: Cursor, place: int, intact: int, *, short: bool | None = None
) -> bool:
    """Tell whether a file has the text of the digests in front of a place.

    Args:
        root: the project.
        path: the file.
        cursor: it has the digests.
        place: the place.
        intact: bytes before the place that cannot have been blanked.
        short: the answer where the file is long enough, but none of the digests is of so little text; without one,
            the inode decides.

    A file of which nothing was released begins as it began: lines that repeat may make another one read alike at
    the place.
    """
    lengths = [int(text) for text in cursor.before if int(text) <= intact]
    try:
        with open_log(root, path) as source:
            if place and not source.text.read_at(place - 1, 1):
                return False
            if place == cursor.offset and not _begins_with(source, cursor.head):
                return False
            if lengths:
                longest = max(lengths)
                return _digest(source, place - longest, longest) == cursor.before[str(longest)]
            return source.status.st_ino == cursor.inode if short is None else short
    except (Refused, OSError, DamagedArchive):
        return False

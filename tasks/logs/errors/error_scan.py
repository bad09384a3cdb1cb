"""One scan of the error monitor: every log read once, from where its window or its new text begins."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from functools import lru_cache
from pathlib import Path
from threading import Event

import msgspec

from ...core.files.safe_files import Refused, folder
from ...core.settings.model import Settings
from ..log_archives import FOLDER
from ..log_folder import find_logs_in
from ..reading.log_levels import Level, LevelClassifiers, LevelFinder
from ..reading.log_records import Record, records
from ..reading.log_source import BLOCK, DamagedArchive, LogSource, open_log, unreadable_reason
from ..reading.log_stream import ArchivedPart, Cursor, StreamSegment, archives_by_log, cursor_at, stream_segments
from ..reading.window_search import window_start
from .critical_patterns import PatternMatcher
from .error_groups import ScannedGroup
from .fingerprint import fingerprint

IDLE = 60.0
"""Seconds after which a last line without a line end is taken for complete."""

_AHEAD = 300.0
"""Seconds by which a record may be dated ahead of us before the clocks are said to differ."""

_SAMPLE_LINES = 12
_SAMPLE = 600
_WHOLE = 1 << 13
"""Characters of a record that are kept whole for its group's sample until they are redacted."""

_STEP = 500
"""Records between two looks at whether to stop."""


@dataclass(slots=True)
class ErrorScan:
    """What a visit saw.

    Attributes:
        seen: the groups, by fingerprint; samples are as they were written, and whole where they are not too long.
        cursors: how far each log was read, now or by an earlier visit.
        levels: records of errors in the window, by level.
        new: records that no earlier visit had seen.
        future: per path, how many records are dated in the future.
        problems: per path, why it could not be read to its end.
        refused: per name of a log, why it was not opened.
        logs: how many logs there are.
        interrupted: the run was ended early; what it had read is complete per log.
    """

    seen: dict[str, ScannedGroup] = field(default_factory=dict)
    cursors: dict[str, Cursor] = field(default_factory=dict)
    levels: Counter[Level] = field(default_factory=Counter)
    new: int = 0
    future: dict[str, int] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    logs: int = 0
    interrupted: bool = False

    @property
    def found_nothing(self) -> bool:
        """True where there was no log to read, and no archive of one in the window."""
        return not (self.logs or self.levels or self.problems or self.refused or self.interrupted)

    def join(self, other: ErrorScan) -> None:
        """Add what was seen in another stream."""
        for key, seen in other.seen.items():
            mine = self.seen.get(key)
            self.seen[key] = seen if mine is None else _merge_groups(mine, seen)
        self.levels += other.levels
        self.new += other.new
        self.future |= other.future
        self.problems |= other.problems
        self.cursors |= other.cursors


def _merge_groups(group: ScannedGroup, other: ScannedGroup) -> ScannedGroup:
    late = max(group, other, key=lambda seen: seen.last)
    return ScannedGroup(
        title=late.title,
        level=late.level,
        log=late.log,
        sample=late.sample,
        patterns=[*dict.fromkeys((*group.patterns, *other.patterns))],
        first=min(group.first, other.first),
        last=late.last,
        new=group.new + other.new,
        window=group.window + other.window,
        days=dict(Counter(group.days) + Counter(other.days)),
        latest_new=max((each.latest_new for each in (group, other) if each.latest_new is not None), default=None),
    )


@dataclass(frozen=True, slots=True)
class ScanContext:
    """What logs are read with.

    Attributes:
        root: the project.
        find: finds level words.
        match: finds critical patterns.
        classifiers: for free text and for records with a shape.
        since: when the window begins, in seconds since 1970.
        now: the moment of the visit.
        redact: takes secrets out of what is cut, for a part of one would not be recognised later.
        advance: called with how many records were looked at.
        stop: set where the visit is to end.
    """

    root: Path
    find: LevelFinder
    match: PatternMatcher
    since: float
    now: datetime
    redact: Callable[[str], str]
    advance: Callable[[int], None]
    stop: Event
    classifiers: LevelClassifiers = field(default_factory=LevelClassifiers)


def scan_logs(reader: ScanContext, settings: Settings, cursors: Mapping[str, Cursor]) -> ErrorScan:
    """Read what is new in every log, and what else lies in the window.

    Raises:
        FileNotFoundError: there is no log folder.
        Refused, OSError: it cannot be opened.
    """
    directory = settings.logs.directory
    with folder(reader.root, directory) as descriptor:
        found = find_logs_in(descriptor, settings)
        inodes = _inodes(descriptor)
    total = ErrorScan(refused=found.refused, logs=len(found.logs))
    present = {log.name: log.status for log in found.logs}
    try:
        packed = archives_by_log(reader.root, directory)
    except (Refused, OSError) as error:
        total.problems[f"{directory}/{FOLDER}"] = unreadable_reason(error)
        packed = {}
    cursors = _cursors_by_current_name(reader, directory, present, cursors, packed)
    # The place of a log that is gone is worth keeping only where its file or an archive of it may still be there.
    total.cursors = {
        name: cursor
        for name, cursor in cursors.items()
        if name in present or name in packed or cursor.inode in inodes or total.problems
    }
    elsewhere = {inode: f"{directory}/{name}" for inode, name in inodes.items() if name not in present}
    for name in sorted({*present, *packed, *cursors}):
        if reader.stop.is_set():
            break
        path = f"{directory}/{name}"
        parts = stream_segments(
            reader.root, path, cursors.get(name), packed.get(name, ()), elsewhere,
            present=name in present, since=reader.since,
        )  # fmt: skip
        stream = _read_stream(reader, name, parts, packed.get(name, ()), first=name not in cursors)
        if reader.stop.is_set():
            break
        if name not in present and packed.get(name):
            stream.cursors[name] = _cursor_of_missing_log(packed[name])
        total.join(stream)
    total.interrupted = reader.stop.is_set()
    return total


def _inodes(descriptor: int) -> dict[int, str]:
    with os.scandir(descriptor) as entries:
        return {entry.inode(): entry.name for entry in entries if entry.is_file(follow_symlinks=False)}


def _cursors_by_current_name(
    reader: ScanContext,
    directory: str,
    present: Mapping[str, os.stat_result],
    cursors: Mapping[str, Cursor],
    packed: Mapping[str, Sequence[ArchivedPart]],
) -> dict[str, Cursor]:
    """Return the cursors by what the logs are called today: a program may rename ``app.log`` to ``app.1.log``."""
    owners = {(cursor.device, cursor.inode): name for name, cursor in cursors.items()}
    today = dict(cursors)
    for name, status in present.items():
        mine, owner = cursors.get(name), owners.get((status.st_dev, status.st_ino))
        if owner in {None, name} or (mine is not None and mine.inode == status.st_ino):
            continue
        parts = stream_segments(
            reader.root, f"{directory}/{name}", cursors[owner], (), {}, present=True, since=reader.since
        )
        if any(part.new_from for part in parts):
            archives = [each.key for each in packed.get(name, ())] if mine is None else mine.archives
            today[name] = msgspec.structs.replace(cursors[owner], archives=archives)
    return today


def _cursor_of_missing_log(packed: Sequence[ArchivedPart]) -> Cursor:
    """Return the cursor of a log that has only archives left."""
    latest = [each.key for each in packed[-1:]]
    return Cursor(device=0, inode=0, offset=0, head={}, before={}, archives=latest)


def _read_stream(
    reader: ScanContext, name: str, parts: Iterable[StreamSegment], packed: Sequence[ArchivedPart], *, first: bool
) -> ErrorScan:
    """Read the parts of one log; where the log itself cannot be read, its cursor stays where it was."""
    stream = ErrorScan()
    for part in parts:
        try:
            with open_log(reader.root, part.path) as source:
                end = _end_of_last_line(source, reader) if not part.packed else None
                _read(reader, part, source, end, stream, first=first)
                if end is not None:
                    stream.cursors[name] = cursor_at(source, end, packed)
        except (DamagedArchive, Refused, OSError) as error:
            stream.problems[part.path] = unreadable_reason(error)
    return stream


def _end_of_last_line(source: LogSource, reader: ScanContext) -> int:
    """Return where the last line ends that is complete: one that somebody still writes is left for the next visit."""
    end = source.size if source.size is not None else _length(source)
    if not end or source.text.read_at(end - 1, 1) == b"\n" or reader.now.timestamp() - source.status.st_mtime > IDLE:
        return end
    for back in (1 << 12, BLOCK):
        start = max(end - back, 0)
        line = source.text.read_at(start, end - start).rfind(b"\n")
        if line >= 0 or start == 0:
            return start + line + 1
    return end


def _length(source: LogSource) -> int:
    offset = 0
    while data := source.text.read_at(offset, BLOCK):
        offset += len(data)
    return offset


def _read(
    reader: ScanContext, part: StreamSegment, source: LogSource, end: int | None, stream: ErrorScan, *, first: bool
) -> None:
    """Read one part from where its window or its new text begins, whichever comes first.

    At the *first* visit to a log only its window is new: last month is no news.
    """
    start = window_start(source, reader.since)
    if part.new_from is not None and not part.packed and not first:
        start = min(start, part.new_from)
    new_from = math.inf if part.new_from is None else part.new_from
    now = reader.now.timestamp()
    classifier = reader.classifiers.of(source)
    for number, record in enumerate(records(source, reader.find, classifier, start)):
        if end is not None and record.offset >= end:
            break
        if number % _STEP == 0:
            reader.advance(_STEP)
            if reader.stop.is_set():
                return
        time = source.status.st_mtime if record.time is None else record.time
        in_window = time >= reader.since
        is_new = record.offset >= new_from and (in_window or not first)
        if is_new or in_window:
            if time > now + _AHEAD:
                stream.future[part.path] = stream.future.get(part.path, 0) + 1
            _count_record(reader, part.path, record, min(time, now), stream, is_new=is_new, in_window=in_window)


def _count_record(
    reader: ScanContext, path: str, record: Record, time: float, stream: ErrorScan, *, is_new: bool, in_window: bool
) -> None:
    """Count a record in its group, if it is an error or has a critical pattern."""
    patterns = reader.match(f"{record.message}\n{record.details}" if record.details else record.message)
    if record.level < Level.ERROR and not patterns:
        return
    key, title = fingerprint(record.logger, record.message, record.details)
    seen = stream.seen.get(key)
    if seen is None:
        seen = stream.seen[key] = ScannedGroup(
            title=title, level=record.level.name, log=path, sample="", patterns=patterns, first=time, last=time
        )
    if time >= seen.last or not seen.sample:
        seen.title, seen.level, seen.log, seen.sample = title, record.level.name, path, _sample(record, reader.redact)
    if patterns and seen.patterns != patterns:
        seen.patterns = [*dict.fromkeys((*seen.patterns, *patterns))]
    seen.first, seen.last = min(seen.first, time), max(seen.last, time)
    if in_window:
        seen.window += 1
        stream.levels[record.level] += 1
    if is_new:
        day = _day(int(time // _QUARTER), reader.now.tzinfo)
        seen.days[day] = seen.days.get(day, 0) + 1
        seen.new += 1
        seen.latest_new = time if seen.latest_new is None else max(seen.latest_new, time)
        stream.new += 1


def _sample(record: Record, redact: Callable[[str], str]) -> str:
    text = f"{record.message}\n{record.details}" if record.details else record.message
    return text if len(text) <= _WHOLE else shorten_sample(redact(text))


def shorten_sample(sample: str) -> str:
    """Return the first line of a sample, and of its other lines the first two and the last ones, each cut."""
    message, *lines = sample.splitlines() or [""]
    if len(lines) > _SAMPLE_LINES:
        lines = [*lines[:2], "…", *lines[2 - _SAMPLE_LINES :]]
    return "\n".join(line[:_SAMPLE] for line in (message, *lines))


_QUARTER = 900
"""Seconds: every zone's day begins at a full quarter of an hour."""


@lru_cache(maxsize=4096)
def _day(quarter: int, zone: tzinfo | None) -> str:
    return f"{datetime.fromtimestamp(quarter * _QUARTER, zone):%Y-%m-%d}"

"""The number of records per level in one log, counted in a single pass, and where its latest errors are."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice, pairwise
from pathlib import Path
from threading import Event
from typing import NamedTuple

import msgspec

from ...core.files.safe_files import Refused
from ...core.programs.forks import in_forks, processors
from ..reading.line_shapes import first_line
from ..reading.log_levels import Level, LevelClassifiers, LevelFinder
from ..reading.log_records import Record, records, text_after, text_before
from ..reading.log_source import (
    Chunk,
    DamagedArchive,
    LogSource,
    after_line,
    chunks,
    open_log,
    unreadable_reason,
    up_to,
)
from ..reading.window_search import window_start

_LARGE = 64 << 20
"""Bytes from which on it is worth the forks to count a log in parts."""


class ErrorPlace(NamedTuple):
    """Where an error stands; places sort by time.

    Attributes:
        time: when, in seconds since 1970; when the log was last written where no time is named.
        path: the log, below the root.
        offset: where its record begins.
    """

    time: float
    path: str
    offset: int


@dataclass(slots=True)
class LevelCounts:
    """What one log holds.

    Attributes:
        levels: its records by level.
        latest: its latest errors, newest last.
        problem: why it could not be read to its end.
    """

    levels: Counter[Level] = field(default_factory=Counter)
    latest: deque[ErrorPlace] = field(default_factory=deque)
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class CountContext:
    """What logs are counted with.

    Attributes:
        root: the project.
        find: finds level words.
        lowest: the lowest level that counts.
        recent: how many of the latest errors to note.
        since: only records from then on count, in seconds since 1970; ``None`` for all.
        advance: called with how many bytes were read.
        stop: set where the counting is to end.
    """

    root: Path
    find: LevelFinder
    lowest: Level
    recent: int
    since: float | None
    advance: Callable[[int], None]
    stop: Event
    classifiers: LevelClassifiers = field(default_factory=LevelClassifiers)


def count_log(reader: CountContext, path: str) -> LevelCounts:
    """Count the records of a log or an archive; what cannot be read is noted, not raised."""
    counted = LevelCounts(latest=deque(maxlen=reader.recent))
    try:
        with open_log(reader.root, path) as source:
            if reader.since is None:
                _count_all(reader, source, counted)
            else:
                _count_since(reader, source, reader.since, counted)
    except (DamagedArchive, Refused, OSError) as error:
        counted.problem = unreadable_reason(error)
    return counted


def _count_all(reader: CountContext, source: LogSource, counted: LevelCounts) -> None:
    """Count a whole log; a large one in parts, side by side."""
    workers = processors() if source.seekable and (source.size or 0) >= _LARGE else 1
    if workers == 1:
        _count_part(reader, source, 0, counted)
        return
    size = source.size or 0
    borders = [0, *(after_line(source, size * part // workers) for part in range(1, workers)), size]
    parts = [(start, up_to(source, end)) for start, end in pairwise(borders)]
    answers = in_forks([partial(_count_part_in_fork, reader, part, start) for start, part in parts])
    for (start, part), answer in zip(parts, answers, strict=True):
        if answer is None:
            _count_part(reader, part, start, counted)
        else:
            levels, latest = msgspec.msgpack.decode(answer, type=_PartResult)
            counted.levels.update({Level(level): number for level, number in levels.items()})
            counted.latest.extend(ErrorPlace(time, source.path, offset) for time, offset in latest)


def _count_part_in_fork(reader: CountContext, source: LogSource, start: int) -> bytes:
    """Count a part of a log, and return what it holds as another process can read it."""
    counted = LevelCounts(latest=deque(maxlen=reader.recent))
    _count_part(reader, source, start, counted)
    levels = {int(level): number for level, number in counted.levels.items()}
    return msgspec.msgpack.encode((levels, [(place.time, place.offset) for place in counted.latest]))


_PartResult = tuple[dict[int, int], list[tuple[float, int]]]


def _count_part(reader: CountContext, source: LogSource, start: int, counted: LevelCounts) -> None:
    classifier = reader.classifiers.of(source)
    before = text_before(source, start)
    latest: deque[tuple[int, bytes]] = deque(maxlen=reader.recent)
    for chunk in chunks(source, start):
        if reader.stop.is_set():
            break
        ends = reader.find(chunk.data)
        levels = classifier.count(chunk.data, ends, before)
        for level, number in levels.items():
            if level >= reader.lowest:
                counted.levels[level] += number
        if reader.recent and any(level >= Level.ERROR for level in levels):
            lines = classifier.lines(chunk.data, reversed(ends), before)
            latest.extend(reversed([*islice(_errors(reader, chunk, lines), reader.recent)]))
        before = text_after(before, chunk.data)
        reader.advance(len(chunk.data))
    for offset, line in latest:  # only now, for most chunks' latest errors are not the log's
        time = first_line(line).time
        counted.latest.append(ErrorPlace(source.status.st_mtime if time is None else time, source.path, offset))


def _errors(reader: CountContext, chunk: Chunk, lines: Iterable[tuple[int, Level]]) -> Iterator[tuple[int, bytes]]:
    """Yield where each error of a chunk begins, and its first line."""
    for start, level in lines:
        if level >= max(Level.ERROR, reader.lowest):
            line_end = chunk.data.find(b"\n", start)
            yield chunk.offset + start, chunk.data[start : line_end if line_end >= 0 else len(chunk.data)]


def _count_since(reader: CountContext, source: LogSource, since: float, counted: LevelCounts) -> None:
    for record in records(source, reader.find, reader.classifiers.of(source), window_start(source, since)):
        if reader.stop.is_set():
            break
        reader.advance(record.end - record.offset)
        time = source.status.st_mtime if record.time is None else record.time
        if time >= since and record.level >= reader.lowest:
            counted.levels[record.level] += 1
            if record.level >= Level.ERROR:
                counted.latest.append(ErrorPlace(time, source.path, record.offset))


def record_at(reader: CountContext, place: ErrorPlace) -> Record | None:
    """Return the record at a place; ``None`` where the log has changed since."""
    try:
        with open_log(reader.root, place.path) as source:
            return next(records(source, reader.find, reader.classifiers.of(source), place.offset), None)
    except (DamagedArchive, Refused, OSError):
        return None

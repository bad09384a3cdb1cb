"""Counting the levels of one log in a single pass, and noting where its latest errors are."""

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
from ..reading.level_classifiers import LevelClassifiers
from ..reading.levels import Finder, Level
from ..reading.log_records import Record, records, text_after, text_before
from ..reading.shapes import first_line
from ..reading.sources import Broken, Chunk, Source, after_line, chunks, open_log, reason, until
from ..reading.window import window_start

_LARGE = 64 << 20
"""Bytes from which on it is worth the forks to count a log in parts."""


class Place(NamedTuple):
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
class Counted:
    """What one log holds.

    Attributes:
        levels: its records by level.
        latest: its latest errors, newest last.
        problem: why it could not be read to its end.
    """

    levels: Counter[Level] = field(default_factory=Counter)
    latest: deque[Place] = field(default_factory=deque)
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Reader:
    """What logs are counted with.

    Attributes:
        root: the project.
        find: finds level words.
        lowest: the lowest level that counts.
        recent: how many of the latest errors to note.
        since: only records from then on count, in seconds since 1970; ``None`` for all.
        advance: told how many bytes were read.
        stop: set where the counting is to end.
    """

    root: Path
    find: Finder
    lowest: Level
    recent: int
    since: float | None
    advance: Callable[[int], None]
    stop: Event
    judges: LevelClassifiers = field(default_factory=LevelClassifiers)


def count_log(reader: Reader, path: str) -> Counted:
    """Count the records of a log or an archive; what cannot be read is told, not raised."""
    counted = Counted(latest=deque(maxlen=reader.recent))
    try:
        with open_log(reader.root, path) as source:
            if reader.since is None:
                _count_all(reader, source, counted)
            else:
                _count_since(reader, source, reader.since, counted)
    except (Broken, Refused, OSError) as error:
        counted.problem = reason(error)
    return counted


def _count_all(reader: Reader, source: Source, counted: Counted) -> None:
    """Count a whole log; a large one in parts, side by side."""
    workers = processors() if source.seekable and (source.size or 0) >= _LARGE else 1
    if workers == 1:
        _count_part(reader, source, 0, counted)
        return
    size = source.size or 0
    borders = [0, *(after_line(source, size * part // workers) for part in range(1, workers)), size]
    parts = [(start, until(source, end)) for start, end in pairwise(borders)]
    answers = in_forks([partial(_answer, reader, part, start) for start, part in parts])
    for (start, part), answer in zip(parts, answers, strict=True):
        if answer is None:
            _count_part(reader, part, start, counted)
        else:
            levels, latest = msgspec.msgpack.decode(answer, type=_Answer)
            counted.levels.update({Level(level): number for level, number in levels.items()})
            counted.latest.extend(Place(time, source.path, offset) for time, offset in latest)


def _answer(reader: Reader, source: Source, start: int) -> bytes:
    """Count a part of a log, and return what it holds as another process can read it."""
    counted = Counted(latest=deque(maxlen=reader.recent))
    _count_part(reader, source, start, counted)
    levels = {int(level): number for level, number in counted.levels.items()}
    return msgspec.msgpack.encode((levels, [(place.time, place.offset) for place in counted.latest]))


_Answer = tuple[dict[int, int], list[tuple[float, int]]]


def _count_part(reader: Reader, source: Source, start: int, counted: Counted) -> None:
    judge = reader.judges.of(source)
    before = text_before(source, start)
    latest: deque[tuple[int, bytes]] = deque(maxlen=reader.recent)
    for chunk in chunks(source, start):
        if reader.stop.is_set():
            break
        ends = reader.find(chunk.data)
        levels = judge.count(chunk.data, ends, before)
        for level, number in levels.items():
            if level >= reader.lowest:
                counted.levels[level] += number
        if reader.recent and any(level >= Level.ERROR for level in levels):
            lines = judge.lines(chunk.data, reversed(ends), before)
            latest.extend(reversed([*islice(_errors(reader, chunk, lines), reader.recent)]))
        before = text_after(before, chunk.data)
        reader.advance(len(chunk.data))
    for offset, line in latest:  # only now, for most chunks' latest errors are not the log's
        time = first_line(line).time
        counted.latest.append(Place(source.status.st_mtime if time is None else time, source.path, offset))


def _errors(reader: Reader, chunk: Chunk, lines: Iterable[tuple[int, Level]]) -> Iterator[tuple[int, bytes]]:
    """Yield where each error of a chunk begins, and its first line."""
    for start, level in lines:
        if level >= max(Level.ERROR, reader.lowest):
            line_end = chunk.data.find(b"\n", start)
            yield chunk.offset + start, chunk.data[start : line_end if line_end >= 0 else len(chunk.data)]


def _count_since(reader: Reader, source: Source, since: float, counted: Counted) -> None:
    for record in records(source, reader.find, reader.judges.of(source), window_start(source, since)):
        if reader.stop.is_set():
            break
        reader.advance(record.end - record.offset)
        time = source.status.st_mtime if record.time is None else record.time
        if time >= since and record.level >= reader.lowest:
            counted.levels[record.level] += 1
            if record.level >= Level.ERROR:
                counted.latest.append(Place(time, source.path, record.offset))


def record_at(reader: Reader, place: Place) -> Record | None:
    """Return the record at a place; ``None`` where the log has changed since."""
    try:
        with open_log(reader.root, place.path) as source:
            return next(records(source, reader.find, reader.judges.of(source), place.offset), None)
    except (Broken, Refused, OSError):
        return None

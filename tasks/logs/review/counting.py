"""Counting the levels of one log in a single pass, and noting where its latest errors are."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import NamedTuple

from ...core.files import Refused
from ..reading.judges import Judges
from ..reading.levels import Finder, Level
from ..reading.records import Record, records
from ..reading.shapes import first_line
from ..reading.sources import Broken, Chunk, Source, chunks, open_log, reason
from ..reading.window import window_start


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
    judges: Judges = field(default_factory=Judges)


def count_log(reader: Reader, path: str) -> Counted:
    """Count the records of a log or an archive; what cannot be read is told, not raised."""
    counted = Counted()
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
    judge = reader.judges.of(source)
    latest = counted.latest = deque(maxlen=reader.recent)
    for chunk in chunks(source):
        if reader.stop.is_set():
            break
        ends = reader.find(chunk.data)
        levels = judge.count(chunk.data, ends)
        for level, number in levels.items():
            if level >= reader.lowest:
                counted.levels[level] += number
        if reader.recent and any(level >= Level.ERROR for level in levels):
            latest.extend(reversed(_latest(reader, source, chunk, judge.lines(chunk.data, reversed(ends)))))
        reader.advance(len(chunk.data))


def _latest(reader: Reader, source: Source, chunk: Chunk, lines: Iterable[tuple[int, Level]]) -> list[Place]:
    """Return the latest errors of a chunk, newest first."""
    places: list[Place] = []
    for start, level in lines:
        if level >= max(Level.ERROR, reader.lowest):
            time = first_line(chunk.data[start : chunk.data.find(b"\n", start)]).time
            places.append(Place(source.status.st_mtime if time is None else time, source.path, chunk.offset + start))
            if len(places) == reader.recent:
                break
    return places


def _count_since(reader: Reader, source: Source, since: float, counted: Counted) -> None:
    latest = counted.latest = deque(maxlen=reader.recent)
    for record in records(source, reader.find, reader.judges.of(source), window_start(source, since)):
        if reader.stop.is_set():
            break
        reader.advance(record.end - record.offset)
        time = source.status.st_mtime if record.time is None else record.time
        if time >= since and record.level >= reader.lowest:
            counted.levels[record.level] += 1
            if record.level >= Level.ERROR:
                latest.append(Place(time, source.path, record.offset))


def record_at(reader: Reader, place: Place) -> Record | None:
    """Return the record at a place; ``None`` where the log has changed since."""
    try:
        with open_log(reader.root, place.path) as source:
            return next(records(source, reader.find, reader.judges.of(source), place.offset), None)
    except (Broken, Refused, OSError):
        return None

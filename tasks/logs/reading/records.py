"""Records: a line with its level, its time, and the lines that belong to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from .levels import Finder, Judge, Level
from .shapes import first_line, has_times, next_record
from .sources import Chunk, Source, chunks
from .times import time_of

LINE = 1 << 16
"""Bytes of a record's first line that are kept."""

DETAILS = 1 << 16
"""Bytes of the lines after it that are kept: a traceback of more than 500 lines is cut."""

_BACK = 1 << 20
"""Bytes before a record without a time in which the last time is looked for."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a log.

    Attributes:
        offset: where its first line begins in the text.
        end: where the text goes on after its last line.
        level: its level.
        time: seconds since 1970: its own or that of the last record before it that has one; ``None`` where
            there is none.
        logger: the name of its logger; may be empty.
        message: its first line without time, level and logger.
        details: the lines that follow, a traceback for one; may be empty.
    """

    offset: int
    end: int
    level: Level
    time: float | None
    logger: str
    message: str
    details: str


@dataclass(slots=True)
class _Open:
    """A record whose lines may go on in the next chunk."""

    record: Record
    details: list[bytes]
    size: int

    def add(self, lines: bytes, end: int) -> None:
        kept = lines[: max(DETAILS - self.size, 0)]
        self.size += len(kept)
        self.details.append(kept)
        self.record = replace(self.record, end=end)

    def closed(self) -> Record:
        text = b"".join(self.details).decode("utf-8", "replace").rstrip()
        details = "\n".join(filter(None, (self.record.details, text)))
        return replace(self.record, details=details)


def records(source: Source, find: Finder, judge: Judge, start: int = 0) -> Iterator[Record]:
    """Yield the records of a log that have a level of a warning or worse, in the order of the file.

    Args:
        source: the log.
        find: finds level words.
        judge: judges them.
        start: where to begin; the rest of a record that began before is passed over.
    """
    pending: _Open | None = None
    latest: float | None = None
    for chunk in chunks(source, start):
        first = next_record(chunk.data, 0, len(chunk.data)) if judge.structured else 0
        if pending is not None:
            stop = len(chunk.data) if first is None else first
            pending.add(chunk.data[:stop], chunk.offset + stop - (chunk.cut and first is None))
            if first is None:
                continue
            yield pending.closed()
            pending = None
        for opened in _of_chunk(chunk, [*judge.lines(chunk.data, find(chunk.data))], judge, latest):
            if pending is not None:
                yield pending.closed()
            pending = opened
            latest = opened.record.time
        latest = _last_time(chunk.data, len(chunk.data), latest)
    if pending is not None:
        yield pending.closed()


def _of_chunk(chunk: Chunk, lines: Sequence[tuple[int, Level]], judge: Judge, latest: float | None) -> Iterator[_Open]:
    """Yield the records of one chunk; the last one may go on in the next."""
    data = chunk.data
    starts = [start for start, _ in lines] + [len(data)]
    for (start, level), (_, limit) in zip(lines, pairwise(starts), strict=True):
        line_end = data.find(b"\n", start) + 1 or len(data)
        said = first_line(data[start : min(line_end, start + LINE)])
        latest = said.time if said.time is not None else _last_time(data, start, latest)
        stop = limit
        if judge.structured:
            following = next_record(data, line_end, limit)
            stop = limit if following is None else following
        else:
            stop = line_end
        end = chunk.offset + stop - (chunk.cut and stop == len(data))
        record = Record(chunk.offset + start, end, level, latest, said.logger, said.message, said.details)
        opened = _Open(record, [], 0)
        if stop > line_end:
            opened.add(data[line_end:stop], end)
        yield opened


def _last_time(data: bytes, before: int, otherwise: float | None) -> float | None:
    """Return the time of the last line before an offset that has one; *otherwise* where none has."""
    end = before
    oldest = max(before - _BACK, 0)
    while end > oldest:
        start = data.rfind(b"\n", oldest, end - 1) + 1
        if start == 0:
            start = oldest
        line = data[start : min(end, start + 200)]
        if has_times(line) and not line[:1].isspace():
            time = time_of(line)
            if time is not None:
                return time
        end = start
    return otherwise

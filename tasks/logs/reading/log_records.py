"""Log records: a line with its level, its time, and the lines that belong to it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import msgspec

from .line_shapes import TRACEBACK, FirstLine, first_line, next_record
from .log_levels import CONTEXT, Level, LevelClassifier, LevelFinder
from .log_source import Chunk, LogSource, chunks
from .timestamps import time_of

LINE = 1 << 16
"""Bytes of a record's first line that are kept."""

DETAILS = 1 << 16
"""Bytes of the lines after it that are kept: a traceback of more than 500 lines is cut."""

_BACK = 1 << 20
"""Bytes before a record without a time in which the last time is looked for, at least."""


class Record(msgspec.Struct, frozen=True, gc=False):
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
    """A record whose lines may go on in the next chunk; *ended* where another one began after it."""

    offset: int
    end: int
    level: Level
    time: float | None
    header: FirstLine
    ended: bool
    details: list[bytes] = field(default_factory=list)
    size: int = 0

    def add(self, lines: bytes, end: int) -> None:
        kept = lines[: DETAILS - self.size]
        self.size += len(kept)
        self.details.append(kept)
        self.end = end

    def closed(self) -> Record:
        details = self.header.details
        if self.details:
            text = b"".join(self.details).decode("utf-8", "replace").rstrip()
            details = f"{details}\n{text}" if details and text else details or text
        header = self.header
        if header is _UNCAUGHT:  # its last line says what it is
            details = f"{TRACEBACK.decode()}\n{details}"
            header = header._replace(message=f"Uncaught: {details.rpartition(chr(10))[2].strip()}")
        return Record(self.offset, self.end, self.level, self.time, header.logger, header.message, details)


@dataclass(slots=True)
class _Clock:
    """The latest time in the log: looked for only where a record has none of its own.

    Attributes:
        passed_by: the latest pieces of text in which nobody has looked for a time.
    """

    passed_by: deque[bytes] = field(default_factory=deque)
    _held: int = 0
    _latest: float | None = None

    def passed(self, text: bytes) -> None:
        self.passed_by.append(text)
        self._held += len(text)
        while self._held - len(self.passed_by[0]) >= _BACK:
            self._held -= len(self.passed_by.popleft())

    def tell(self, time: float | None) -> None:
        self.passed_by.clear()
        self._held = 0
        self._latest = time

    def latest(self) -> float | None:
        times = (_last_time(text) for text in reversed(self.passed_by))
        self.tell(next((time for time in times if time is not None), self._latest))
        return self._latest


def records(source: LogSource, find: LevelFinder, classifier: LevelClassifier, start: int = 0) -> Iterator[Record]:
    """Yield the records of a log that have a level of a warning or worse, in the order of the file.

    Args:
        source: the log.
        find: finds level words.
        classifier: judges them.
        start: where to begin; the rest of a record that began before is passed over.
    """
    pending: _Open | None = None
    clock = _Clock()
    passed = source.text.read_at(max(start - _BACK, 0), min(start, _BACK))
    clock.passed(passed)
    after = passed[-CONTEXT:]
    for chunk in chunks(source, start):
        before, after = after, text_after(after, chunk.data)
        lines = [*classifier.lines(chunk.data, find(chunk.data), before)]
        if pending is not None:
            first = _next(chunk.data, lines)
            stop = len(chunk.data) if first is None else first
            pending.add(chunk.data[:stop], chunk.offset + stop - (chunk.cut and first is None))
            if first is None:
                continue
            yield pending.closed()
            pending = None
        for opened in _of_chunk(chunk, lines, classifier, clock):
            if pending is not None:
                yield pending.closed()
            pending = opened
        if pending is not None and pending.ended:
            yield pending.closed()
            pending = None
    if pending is not None:
        yield pending.closed()


def _next(data: bytes, lines: Sequence[tuple[int, Level]]) -> int | None:
    """Return where the first record begins: by its look, or as a traceback of its own."""
    look = next_record(data, 0, len(data))
    uncaught = next((start for start, _ in lines if data.startswith(TRACEBACK, start)), None)
    return min((start for start in (look, uncaught) if start is not None), default=None)


def _of_chunk(
    chunk: Chunk, lines: Sequence[tuple[int, Level]], classifier: LevelClassifier, clock: _Clock
) -> Iterator[_Open]:
    """Yield the records of one chunk; the last one may go on in the next."""
    clock_position = 0
    data = chunk.data
    starts = [start for start, _ in lines] + [len(data)]
    for (start, level), (_, limit) in zip(lines, pairwise(starts), strict=True):
        line_end = data.find(b"\n", start) + 1 or len(data)
        uncaught = data.startswith(TRACEBACK, start)
        header = _UNCAUGHT if uncaught else first_line(data[start : min(line_end, start + LINE)])
        if header.time is not None:
            clock.tell(header.time)
        else:
            clock.passed(data[clock_position:start])
        clock_position = start
        stop = limit
        if classifier.structured:
            following = next_record(data, line_end, limit)
            stop = limit if following is None else following
        else:
            stop = _end_of_traceback(data, line_end, limit) if uncaught else line_end
        end = chunk.offset + stop - (chunk.cut and stop == len(data))
        ended = stop < len(data) or not classifier.structured
        opened = _Open(chunk.offset + start, end, level, clock.latest(), header, ended)
        if stop > line_end:
            opened.add(data[line_end:stop], end)
        yield opened
    clock.passed(data[clock_position:])


_UNCAUGHT = FirstLine(None, "", "")
"""Stands for the first line of a traceback that no record was written for."""


def _end_of_traceback(data: bytes, position: int, limit: int) -> int:
    """Return where a traceback in free text ends: after the first line that is not indented."""
    while data.startswith(b" ", position, limit):
        position = data.find(b"\n", position, limit) + 1 or limit
    return data.find(b"\n", position, limit) + 1 or limit


def text_before(source: LogSource, offset: int) -> bytes:
    """Return the text in front of an offset, for a traceback that stands there."""
    return source.text.read_at(max(offset - CONTEXT, 0), min(offset, CONTEXT))


def text_after(before: bytes, data: bytes) -> bytes:
    """Return the text in front of what follows *data*."""
    return (before + data[-CONTEXT:])[-CONTEXT:]


def _last_time(text: bytes) -> float | None:
    """Return the time of the last line of a text that has one."""
    end = len(text)
    while end:
        start = text.rfind(b"\n", 0, end - 1) + 1
        line = text[start:end]
        if not line[:1].isspace() and (time := time_of(line)) is not None:
            return time
        end = start
    return None

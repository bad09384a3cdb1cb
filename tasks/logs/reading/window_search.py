"""Where a time window begins in a log: found by bisection if the lines are in order of time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from .line_shapes import begins_record
from .log_source import LogSource, after_line
from .timestamps import time_of

MARGIN = 2 * 3600
"""Seconds by which the search begins early and by which lines may be out of order: local time jumps by an hour
twice a year, and several writers of one file are never quite in step."""

_SMALL = 1 << 20
"""Bytes: a smaller rest is read rather than searched."""

_PROBES = 32
_LOOK = (1 << 14, 1 << 20)
"""Bytes in which a probe looks for a line with a time: first few, then more."""

_TIME_OF_DAY = re.compile(rb"\d[T _]\d\d:")
"""Where there is none, no line needs to be looked at."""


class Probe(NamedTuple):
    """A line with a time: where it begins, and its time in seconds since 1970."""

    offset: int
    time: float


def window_start(source: LogSource, since: float) -> int:
    """Return an offset before which no record of the window lies.

    Probes spread over the file show whether its times ascend; then the place is found by bisection. Where they
    do not, or where there are none, it is 0: everything must be read.

    Args:
        source: the log.
        since: when the window begins, in seconds since 1970.
    """
    if not source.seekable or not source.size or source.size <= _SMALL:
        return 0
    step = source.size // _PROBES
    probes = [probe for place in range(_PROBES) if (probe := _probe(source, place * step))]
    if len(probes) < _PROBES // 2 or not _ascend(probes):
        return 0
    early = since - MARGIN
    low = Probe(0, float("-inf"))
    high = Probe(source.size, float("inf"))
    for probe in probes:
        if probe.time < early:
            low = probe
        else:
            high = probe
            break
    while high.offset - low.offset > _SMALL:
        middle = _probe(source, (low.offset + high.offset) // 2)
        if middle is None or middle.offset >= high.offset or middle.offset <= low.offset:
            break
        if not low.time - MARGIN <= middle.time <= high.time + MARGIN:
            return 0
        low, high = (middle, high) if middle.time < early else (low, middle)
    return low.offset


def _ascend(probes: list[Probe]) -> bool:
    latest = float("-inf")
    for probe in probes:
        if probe.time < latest - MARGIN:
            return False
        latest = max(latest, probe.time)
    return True


def _probe(source: LogSource, place: int) -> Probe | None:
    """Return the first record with a time at or after *place*."""
    start = after_line(source, place - 1) if place else 0
    for look in _LOOK:
        data = source.text.read_at(start, look)
        for offset, line in _lines(data if _TIME_OF_DAY.search(data) else b""):
            if begins_record(line) and (time := time_of(line)) is not None:
                return Probe(start + offset, time)
    return None


def _lines(data: bytes) -> Iterator[tuple[int, bytes]]:
    offset = 0
    while offset < len(data):
        end = data.find(b"\n", offset) + 1 or len(data)
        yield offset, data[offset:end]
        offset = end

"""Whether a provider became slower: what the trend of its history means."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any, Literal, TypeAlias

from ..core.report.model import Finding, Status
from ..core.text.formatting import count, duration, printable
from .provider_history import SECONDS_A_DAY, History, Measurement

CHECK = "providers.trend"

THRESHOLD = 20
"""Percent above which a slower second half is a warning."""


def of(past: History, names: Iterable[str], now: datetime) -> dict[str, Trend]:
    """Return the trend of each provider over the 30 days before *now*."""
    return {name: trend([found for found in past.measurements if found.provider == name], now=now) for name in names}


def evaluate(name: str, found: Trend) -> Finding:
    """Return what the trend of the provider *name* means: a warning where it became slower."""
    slower = found.direction == "slower"
    change = None if found.change is None else round(found.change * 100, 1)
    return Finding(
        check=CHECK,
        subject=printable(name),
        status=Status.WARNING if slower else Status.OK,
        message=_sentence(found),
        value=change,
        unit=None if change is None else "%",
        warning=None if change is None else THRESHOLD,
        remedy="Look at the provider's status page, and see what else changed when it began." if slower else None,
    )


def _sentence(found: Trend) -> str:
    measured = count(found.count, "measurement")
    if found.first is None or found.last is None:
        return f"Not enough data for a trend: {measured} in the last 30 days."
    medians = f"{duration(found.first)} in the first half of the last 30 days, {duration(found.last)} in the second"
    moved = found.change is not None and found.direction != "steady"
    change = f" by {abs(found.change or 0):.0%}" if moved else ""
    return f"{found.direction.capitalize()}{change}: {medians} (medians of {measured})."


def row(name: str, found: Trend) -> dict[str, Any]:
    """Return the line of the provider *name* in the table of trends; seconds and percent."""
    return {
        "provider": printable(name),
        "trend": found.direction,
        "change %": None if found.change is None else round(found.change * 100, 1),
        "first": None if found.first is None else round(found.first, 4),
        "last": None if found.last is None else round(found.last, 4),
        "count": found.count,
    }


Direction: TypeAlias = Literal["faster", "slower", "steady", "not enough data"]

LEAST = 8
"""Measurements without which nothing is said: four on either side, so that one stray answer is no trend."""

SLOWER = 1.2
"""A response time more than this many times another is slower than it."""

_DIGITS = 9
"""Digits of a ratio that count: 0.84 s is 1.2 times 0.7 s, whatever their binary fractions say."""


@dataclass(frozen=True, slots=True)
class Trend:
    """How the response time of one provider moved.

    Attributes:
        direction: ``faster``, ``slower``, ``steady`` or ``not enough data``.
        change: of the last half against the first, 0.25 for a quarter more; ``None`` without enough data, and
            where the first half is 0.
        first: median of the first half, in seconds; ``None`` without enough data.
        last: the same of the last half.
        count: the measurements with a response time in the window.
    """

    direction: Direction
    change: float | None
    first: float | None
    last: float | None
    count: int


def trend(measurements: Iterable[Measurement], now: datetime, days: float = 30) -> Trend:
    """Return the trend of one provider's response time over the *days* days until *now*.

    By order in time, the median of the first half is held against that of the last half; the middle one of an odd
    number belongs to neither. It is a trend where the slower half is more than 20 % slower than the faster one.
    So the same change counts whichever way it goes: 1 s to 1.25 s (+25 %), and 1.25 s to 1 s (-20 %).

    Args:
        measurements: of one provider, in any order; what is dated in the future is left out.
        now: the end of the window, aware of its zone.
        days: the length of the window.
    """
    until = now.timestamp()
    timed = sorted(
        (one.time, one.response_time)
        for one in measurements
        if one.response_time is not None and 0 <= until - one.time < days * SECONDS_A_DAY
    )
    if len(timed) < LEAST:
        return Trend("not enough data", None, None, None, len(timed))
    times = [response_time for _, response_time in timed]
    half = len(times) // 2
    first, last = median(times[:half]), median(times[-half:])
    return Trend(_direction(first, last), change(first, last), first, last, len(times))


def change(before: float, after: float) -> float | None:
    """Return how much longer *after* is than *before*, 0.25 for a quarter; ``None`` where *before* alone is 0."""
    if before == 0:
        return 0.0 if after == 0 else None
    return after / before - 1


def is_slower(before: float, after: float) -> bool:
    """Tell whether the response time *after* is more than 20 % longer than *before*."""
    return after > 0 if before == 0 else round(after / before, _DIGITS) > SLOWER


def _direction(first: float, last: float) -> Direction:
    if is_slower(first, last):
        return "slower"
    return "faster" if is_slower(last, first) else "steady"

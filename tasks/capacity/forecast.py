"""When a series of sizes reaches a limit: pure, robust, and aware of clean-ups.

The slope is that of Theil and Sen (the median of the slopes between all pairs), which a quarter of wild values does not
move; its interval is the one by ranks that Sen gave in 1968, at 95 %. Both are taken of the days' maxima, and only
between days that no clean-up lies between. Where clean-ups come again and again, it is the height of the teeth that
tells where the series goes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from statistics import median
from typing import NamedTuple

FEWEST = 14
"""Measurements that a forecast needs."""

SHORTEST_DAYS = 7.0
"""Days over which they must lie."""

_STEEP = 3.0
"""A fall counts as a clean-up where it is more than so many usual steps from one day to the next, and..."""

_SMALLEST = 0.02
"""... more than this share of the greatest value."""

_OVERDUE = 2.0
"""Clean-ups have ended where none came for so many times their longest interval."""

_RECENT_DAYS = 28.0
"""What has grown faster than before for so long, and at least half of it, is taken to go on like that."""

_A_MONTH = 31.0

_SURE = 5
"""Peaks that tell by themselves whether they rise: with fewer, chance makes a trend, and the bottoms must rise too."""

_TOLERANCE = 0.25
"""Of the usual fall at a clean-up, by which the series may rise above the earlier heights: clean-ups come late."""

_CLOSE = 0.95

_NORMAL_95 = 1.96
_NORMAL = 1.4826


class Point(NamedTuple):
    """A size at a moment: days since any fixed day, and the size in any unit."""

    day: float
    value: float


class Slope(NamedTuple):
    """Growth a day, and the interval in which it lies with 95 %."""

    low: float
    middle: float
    high: float


class Forecast(NamedTuple):
    """Where a series goes.

    Attributes:
        level: what it stands at on the last day, without its noise; where it is cleaned up, what it rises to.
        slope: its growth a day.
        cleanups: how often it was cleaned up.
        held: True where clean-ups keep coming, so that the slope is that of the height it rises to.
    """

    level: float
    slope: Slope
    cleanups: int
    held: bool


class When(NamedTuple):
    """In how many days a limit is reached: at the earliest, probably, at the latest; infinite for never."""

    earliest: float
    expected: float
    latest: float


def is_enough(points: Sequence[Point]) -> bool:
    """Tell whether a forecast can be made of so many measurements."""
    return len(points) >= FEWEST and points[-1].day - points[0].day >= SHORTEST_DAYS


def daily_maxima(points: Iterable[Point]) -> list[Point]:
    """Return the greatest value of each day, at the day's beginning, in order."""
    greatest: dict[int, float] = {}
    for point in points:
        day = math.floor(point.day)
        greatest[day] = max(point.value, greatest.get(day, point.value))
    return [Point(float(day), value) for day, value in sorted(greatest.items())]


def teeth(points: Sequence[Point]) -> list[list[Point]]:
    """Return the stretches between clean-ups.

    A clean-up is a fall that lasts: the lower of two days before it is far above the higher of the two after it.
    """
    if len(points) <= 1:
        return [[*points]]
    usual = median(abs(after.value - before.value) for before, after in pairwise(points))
    least = max(_STEEP * usual, _SMALLEST * max(abs(point.value) for point in points))
    found: list[list[Point]] = [[]]
    for place, point in enumerate(points):
        if place:
            before = min(each.value for each in points[max(0, place - 2) : place])
            after = max(each.value for each in points[place : place + 2])
            if before - after > least:
                found.append([])
        found[-1].append(point)
    return found


def theil_sen(stretches: Iterable[Sequence[Point]]) -> Slope | None:
    """Return the slope within stretches, pairs across them left out; ``None`` where no stretch has two points."""
    slopes: list[float] = []
    variance = 0.0
    for stretch in stretches:
        number = len(stretch)
        variance += number * (number - 1) * (2 * number + 5) / 18
        for place, first in enumerate(stretch):
            slopes += [(second.value - first.value) / (second.day - first.day) for second in stretch[place + 1 :]]
    if not slopes:
        return None
    slopes.sort()
    reach = _NORMAL_95 * math.sqrt(variance)
    low = slopes[max(0, round((len(slopes) - reach) / 2) - 1)]
    high = slopes[min(len(slopes) - 1, round((len(slopes) + reach) / 2))]
    return Slope(low, median(slopes), high)


def forecast(points: Sequence[Point], limit: float = math.inf) -> Forecast | None:
    """Return where a series goes; ``None`` where its measurements are too few or too close together.

    Args:
        points: the measurements in order of time.
        limit: what it should not reach. A single clean-up close below it was an emergency, and no habit.
    """
    if not is_enough(points):
        return None
    days = daily_maxima(points)
    stretches = teeth(days)
    grown = _fastest(stretches)
    if grown is None:
        return None
    today, last = days[-1].day, stretches[-1]
    level = min(_level_at(last, grown.middle, today), max(point.value for point in last))
    cleanups = len(stretches) - 1
    held = _held(stretches, grown, level, limit) if cleanups and _goes_on(stretches, today) else None
    if held is not None:
        return Forecast(held[0], held[1], cleanups, held=True)
    return Forecast(level, grown, cleanups, held=False)


def _held(stretches: Sequence[Sequence[Point]], grown: Slope, level: float, limit: float) -> tuple[float, Slope] | None:
    """Return the height to which a series that is cleaned up rises, and its growth; ``None`` where it rises above."""
    today = stretches[-1][-1].day
    peaks = [max(stretch, key=lambda point: (point.value, point.day)) for stretch in stretches[:-1]]
    bottoms = [min(stretch, key=lambda point: (point.value, -point.day)) for stretch in stretches[1:]]
    rising, base = theil_sen([peaks]), theil_sen([bottoms])
    if rising is None or base is None:
        if peaks[0].value >= _CLOSE * limit:
            return None
        rising = Slope(0.0, 0.0, max(0.0, grown.middle))
    elif len(peaks) < _SURE:
        rising = Slope(min(rising.low, base.low, 0.0 if len(peaks) == 2 else math.inf), rising.middle, rising.high)  # noqa: PLR2004
    height = _level_at(peaks, max(0.0, rising.middle), today)
    falls = [before[-1].value - after[0].value for before, after in pairwise(stretches)]
    usual = max(height + _TOLERANCE * median(falls), *(point.value for point in peaks))
    if level > min(usual + _noise(stretches, grown.middle), max(height, _CLOSE * limit)):
        return None
    return max(height, level), rising


def reached(found: Forecast, limit: float) -> When:
    """Return in how many days, from the last measurement on, a limit is reached; 0 where it is."""
    left = max(0.0, limit - found.level)
    earliest, expected, latest = (
        0.0 if not left else left / slope if slope > 0 else math.inf for slope in reversed(found.slope)
    )
    return When(earliest, expected, latest)


def _fastest(stretches: Sequence[Sequence[Point]]) -> Slope | None:
    """Return the slope of all, or that of the last weeks where those are beyond doubt steeper."""
    whole = theil_sen(stretches)
    end = stretches[-1][-1].day
    recent = [[point for point in stretch if point.day > end - _RECENT_DAYS] for stretch in stretches]
    late = theil_sen(recent)
    enough = sum(map(len, recent)) >= _RECENT_DAYS / 2
    return late if whole and late and enough and late.low > whole.high else whole


def _level_at(points: Sequence[Point], slope: float, day: float) -> float:
    return median(point.value + slope * (day - point.day) for point in points)


def _goes_on(stretches: Sequence[Sequence[Point]], today: float) -> bool:
    """Tell whether the next clean-up may still come; where there was only one, at least for a month."""
    starts = [stretch[0].day for stretch in stretches]
    patience = _OVERDUE * max(after - before for before, after in pairwise(starts))
    if len(starts) == 2:  # noqa: PLR2004
        patience = max(patience, _A_MONTH)
    return today - starts[-1] <= patience


def _noise(stretches: Sequence[Sequence[Point]], slope: float) -> float:
    """Return three standard deviations of what the slope does not explain, by the median absolute deviation."""
    return 3 * _NORMAL * median(_residuals(stretches, slope))


def _residuals(stretches: Sequence[Sequence[Point]], slope: float) -> Iterator[float]:
    for stretch in stretches:
        middle = _level_at(stretch, slope, 0.0)
        yield from (abs(point.value - slope * point.day - middle) for point in stretch)

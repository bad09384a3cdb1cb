from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.capacity.forecast import Point, daily_maxima, forecast, is_enough, reached, teeth, theil_sen

LIMIT = 90.0
HIGH = 60.0
HORIZON = 90


def alarms(points: list[Point]) -> bool:
    """Judge as the procedure does by default, in percent of a disk."""
    found = forecast(points, LIMIT)
    if found is None:
        return False
    near = reached(found, LIMIT).expected <= HORIZON or found.level >= 0.95 * LIMIT
    return near and found.level >= HIGH and found.slope.low > 0


def line(days: int, slope: float, start: float = 10.0) -> list[Point]:
    return [Point(float(day), start + slope * day) for day in range(days)]


def test_too_little_history_gives_no_forecast() -> None:
    assert forecast(line(13, 1.0)) is None
    assert forecast([Point(day / 100, 5.0) for day in range(500)]) is None
    assert forecast([]) is None
    assert is_enough([Point(day / 2, 5.0) for day in range(15)])


def test_fourteen_measurements_of_one_day_and_one_a_week_later_are_two_days() -> None:
    found = forecast([*(Point(0.01 * number, 1.0) for number in range(14)), Point(8.0, 9.0)])
    assert found is not None
    assert found.slope.middle == pytest.approx(1.0)


def test_a_constant_series_never_reaches_its_limit() -> None:
    found = forecast(line(30, 0.0))
    assert found is not None
    assert (found.slope, found.cleanups) == ((0.0, 0.0, 0.0), 0)
    assert reached(found, 90.0) == (math.inf, math.inf, math.inf)


def test_a_line_is_continued() -> None:
    found = forecast(line(30, 2.0))
    assert found is not None
    assert found.level == pytest.approx(68.0)
    assert reached(found, 90.0).expected == pytest.approx(11.0)
    assert reached(found, 50.0) == (0.0, 0.0, 0.0)


def test_a_single_outlier_moves_nothing() -> None:
    points = line(40, 0.5)
    points[20] = Point(20.0, 5000.0)
    found = forecast(points)
    assert found is not None
    assert found.cleanups == 0
    assert found.slope.middle == pytest.approx(0.5, rel=0.05)


def test_gaps_do_not_matter() -> None:
    found = forecast([point for point in line(90, 0.3) if not 20 <= point.day < 55])
    assert found is not None
    assert found.slope.middle == pytest.approx(0.3)


def test_of_a_day_the_greatest_counts() -> None:
    assert daily_maxima([Point(1.1, 3), Point(1.9, 7), Point(1.5, 5), Point(3.0, 1)]) == [(1.0, 7), (3.0, 1)]


def test_a_clean_up_divides_and_a_spike_does_not() -> None:
    tooth = [Point(float(day), 50.0 + (day % 10) * 3) for day in range(30)]
    assert [len(stretch) for stretch in teeth(tooth)] == [10, 10, 10]
    spiky = line(30, 0.2)
    spiky[12] = Point(12.0, 80.0)
    assert len(teeth(spiky)) == 1


def test_the_slope_has_no_pairs_across_a_clean_up() -> None:
    rising = [Point(0.0, 0.0), Point(1.0, 1.0), Point(2.0, 2.0)]
    fallen = [Point(3.0, -50.0), Point(4.0, -49.0)]
    found = theil_sen([rising, fallen])
    assert found is not None
    assert found.middle == 1.0
    assert theil_sen([[Point(0.0, 1.0)]]) is None


def test_clean_ups_that_have_ended_hold_nothing() -> None:
    held = [Point(float(day), 40.0 + (day % 10) * 2) for day in range(60)]
    found = forecast(held, LIMIT)
    assert found is not None
    assert found.held
    assert found.slope.middle == 0.0
    ended = [*held, *(Point(60.0 + day, 40.0 + day * 2) for day in range(24))]
    found = forecast(ended, LIMIT)
    assert found is not None
    assert not found.held
    assert found.slope.middle == pytest.approx(2.0)


@pytest.mark.parametrize(("limit", "habits"), [(90.0, 0), (150.0, 1)])
def test_a_single_clean_up_close_below_the_limit_was_an_emergency_and_no_habit(limit: float, habits: int) -> None:
    found = forecast([Point(float(day), 60.0 + day % 30) for day in range(45)], limit)
    assert found is not None
    assert (found.cleanups, int(found.held)) == (1, habits)


@settings(max_examples=200, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    days=st.integers(20, 120),
    slope=st.floats(-0.5, 2.0),
    noise=st.floats(0.0, 0.5),
    height=st.floats(-100.0, 10_000.0),
)
def test_spikes_on_a_fifth_of_the_days_move_the_slope_by_a_bounded_amount(
    seed: int, days: int, slope: float, noise: float, height: float
) -> None:
    """However high the spikes are, the slope stays among the slopes of the clean series."""
    chance = random.Random(seed)
    clean = [Point(float(day), 100 + slope * day + chance.uniform(-noise, noise)) for day in range(days)]
    spikes = set(chance.sample(range(days), days // 5))
    spiky = [point._replace(value=point.value + height) if point.day in spikes else point for point in clean]
    calm, moved = theil_sen([clean]), theil_sen([spiky])
    assert calm is not None
    assert moved is not None
    steps = [(b.value - a.value) / (b.day - a.day) for place, a in enumerate(clean) for b in clean[place + 1 :]]
    assert min(steps) - 1e-9 <= moved.middle <= max(steps) + 1e-9
    assert abs(moved.middle - slope) <= 12 * noise / days**0.5 + 1e-6


# The test set: what is simulated below never fills a disk, or does


def saw_tooth(chance: random.Random) -> list[Point]:
    period, top, tall = chance.choice([3, 5, 7, 10, 14, 28, 30]), chance.uniform(60, 85), chance.uniform(3, 40)
    noise, begins = chance.uniform(0, 1), chance.randrange(period)
    return [
        Point(float(day), top - tall + tall * ((day + begins) % period) / (period - 1) + chance.gauss(0, noise))
        for day in range(200)
    ]


def filling(chance: random.Random, kind: str) -> Iterator[Point]:
    """Yield the days of a disk until the limit is reached; every tenth is missing."""
    rate, noise = chance.uniform(0.1, 2.5), chance.uniform(0, 1)
    level = start = chance.uniform(20, 60)
    growth, period, share = chance.uniform(0.005, 0.05), chance.choice([7, 14, 30]), chance.uniform(0.2, 0.8)
    day = 0
    while level < LIMIT:
        if kind == "steady":
            level = start + rate * day
        elif kind == "faster and faster":
            level = start * math.exp(growth * day)
        elif kind == "in bursts":
            level += chance.choice([0, 0, 0, 4 * rate])
        elif kind == "cleaned up too little":
            level += rate - (share * rate * period if day and day % period == 0 else 0)
        elif kind == "cleaned up once":
            level += rate - (min(30.0, level - 10) if day == 60 else 0)
        else:  # its clean-ups end
            level = 60 + rate * (day % 7 - 7) if day < 90 else level + rate
        if chance.random() > 0.1:
            yield Point(float(day), level + chance.gauss(0, noise))
        day += 1


@pytest.mark.parametrize("seed", range(40))
def test_a_saw_tooth_gives_no_false_alarm(seed: int) -> None:
    """From its first clean-up on: before that, it is a disk that fills."""
    points = saw_tooth(random.Random(seed))
    for until in range(14, len(points), 3):
        known = points[max(0, until - 180) : until]
        if len(teeth(daily_maxima(known))) > 1:
            assert not alarms(known), until


_KINDS = (
    "steady",
    "faster and faster",
    "in bursts",
    "cleaned up too little",
    "cleaned up once",
    "its clean-ups end",
)


@pytest.mark.parametrize("kind", _KINDS)
@pytest.mark.parametrize("seed", range(25))
def test_a_disk_that_fills_is_announced_before_it_is_full(kind: str, seed: int) -> None:
    points = [*filling(random.Random(seed), kind)]
    if len(points) >= 22:  # else it was full a week after there was enough to go by
        assert first(points, alarms) is not None


def first(points: list[Point], found: Callable[[list[Point]], bool]) -> float | None:
    return next(
        (points[until].day for until in range(14, len(points)) if found(points[max(0, until - 180) : until])), None
    )

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.capacity.forecast import Point, _noise, daily_maxima, forecast, is_enough, reached, teeth, theil_sen
from tests.examples import examples

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


def test_fourteen_measurements_over_a_week_are_enough_wherever_the_days_are_counted_from() -> None:
    def spread(number: int, days: float) -> list[Point]:
        return [Point(1000.0 + days * each / (number - 1), 5.0) for each in range(number)]

    assert is_enough(spread(14, 7.0))
    assert not is_enough(spread(13, 7.0))
    assert not is_enough(spread(14, 6.9))


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


def daily(*values: float, start: float = 0.0) -> list[Point]:
    return [Point(start + number, value) for number, value in enumerate(values)]


@pytest.mark.parametrize(("fall", "divided"), [(30, False), (31, True)])
def test_a_fall_of_three_usual_steps_is_no_clean_up_and_a_larger_one_is(fall: float, *, divided: bool) -> None:
    points = daily(*[100, 110] * 5, *[90 - fall, 100 - fall] * 5)
    assert len(teeth(points)) == 1 + divided


@pytest.mark.parametrize(("after", "divided"), [(98.0, False), (97.9, True)])
def test_where_nothing_moves_a_clean_up_takes_more_than_two_percent(after: float, *, divided: bool) -> None:
    assert len(teeth(daily(*[100.0] * 10, *[after] * 10))) == 1 + divided


def test_a_clean_up_is_seen_on_the_second_day_and_where_the_series_had_just_risen_or_rises_again() -> None:
    assert [len(stretch) for stretch in teeth(daily(100, *[50] * 10))] == [1, 10]
    assert [len(stretch) for stretch in teeth(daily(*[50] * 10, 100, 100, *[60] * 10))] == [12, 10]
    assert [len(stretch) for stretch in teeth(daily(*[100] * 10, 60, 60, *[100] * 10))] == [10, 12]


def test_a_fall_of_a_single_day_is_no_clean_up() -> None:
    assert len(teeth(daily(*[100] * 10, 60, *[100] * 10))) == 1


@pytest.mark.parametrize("points", [[], [Point(3.0, 1.0)]])
def test_fewer_than_two_days_are_one_stretch(points: list[Point]) -> None:
    assert teeth(points) == [points]


@pytest.mark.parametrize(
    ("lengths", "low", "high"),
    [
        ((2,), 1, 1),
        ((3,), 1, 3),
        ((4,), 1, 6),
        ((5,), 1, 10),
        ((6,), 2, 14),
        ((8,), 6, 23),
        ((10,), 12, 34),
        ((13,), 23, 56),
        ((19,), 57, 115),
        ((20,), 65, 126),
        ((30,), 163, 273),
        ((3, 5), 2, 12),
        ((8, 13), 35, 72),
    ],
)
def test_the_interval_of_the_slope_lies_between_the_ranks_that_sen_gave(
    lengths: tuple[int, ...], low: int, high: int
) -> None:
    """Of as many slopes as there are pairs: those of these ranks, counted from 1."""
    chance = random.Random(1)
    stretches = [[Point(float(day), chance.uniform(0, 100)) for day in range(length)] for length in lengths]
    slopes = sorted(
        (later.value - earlier.value) / (later.day - earlier.day)
        for stretch in stretches
        for earlier, later in combinations(stretch, 2)
    )
    found = theil_sen(stretches)
    assert found is not None
    assert (slopes.index(found.low) + 1, slopes.index(found.high) + 1) == (low, high)


# Which growth counts: that of all, or that of the last weeks


def test_what_grew_more_slowly_of_late_is_still_expected_to_grow_as_it_did() -> None:
    found = forecast(daily(*(2.0 * day for day in range(60)), *(120 + 0.5 * day for day in range(28))))
    assert found is not None
    assert found.slope.middle > 1.0


RECENT = [0, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 27]
"""How many days before the last one: fourteen of the last 28 days, the first and the last of them included."""


@pytest.mark.parametrize(
    ("ago", "slope"),
    [
        (RECENT, 2.0),
        ([28, *RECENT[:-1]], 0.0),  # thirteen days, and one that is too long ago
        ([10, 7, 5, 3, 1, 0], 0.0),
    ],
)
def test_what_grows_faster_counts_where_half_of_the_last_four_weeks_is_known(ago: list[int], slope: float) -> None:
    """What was flat for a hundred days, then not measured for some, grows by 2 a day."""
    recent = [Point(160.0 - days, 10.0 + 2 * (40 - days)) for days in sorted(ago, reverse=True)]
    found = forecast([*daily(*[10.0] * 100), *recent])
    assert found is not None
    assert found.slope.middle == pytest.approx(slope, abs=0.3)


def test_what_is_only_as_fast_as_all_of_it_may_be_is_not_beyond_doubt() -> None:
    found = forecast(daily(*[10.0] * 15, *(11.0 + day for day in range(28))))
    assert found is not None
    assert found.slope.high == 1.0
    assert found.slope.middle < 1.0


# Where clean-ups come again and again


def saw(peaks: list[float], bottoms: list[float], *, last: int, rise: float = 2.0) -> list[Point]:
    """Return teeth of ten days, from a bottom to a peak each, and a last one of *last* days that has not ended."""
    points: list[Point] = []
    for number, peak in enumerate(peaks):
        bottom = bottoms[number]
        points += daily(*(bottom + (peak - bottom) * day / 9 for day in range(10)), start=10.0 * number)
    return [*points, *daily(*(bottoms[-1] + rise * day for day in range(last)), start=10.0 * len(peaks))]


def test_where_the_peaks_rise_the_height_of_today_and_their_slope_count() -> None:
    found = forecast(saw([50.0 + number for number in range(6)], [30.0 + number for number in range(7)], last=5))
    assert found is not None
    assert (found.held, found.cleanups) == (True, 6)
    assert found.level == pytest.approx(50 + 0.1 * (64 - 9))
    assert found.slope == pytest.approx((0.1, 0.1, 0.1))


def test_falling_peaks_promise_no_lower_height() -> None:
    found = forecast(saw([60.0, 59.0, 58.0, 57.0, 56.0], [30.0] * 6, last=3))
    assert found is not None
    assert found.held
    assert found.level == pytest.approx(58.0)
    assert found.slope.high < 0


@pytest.mark.parametrize(("peaks", "low"), [(2, 0.0), (3, 0.1), (4, 0.1)])
def test_two_peaks_alone_prove_no_growth(peaks: int, low: float) -> None:
    heights = [50.0 + number for number in range(peaks)]
    found = forecast(saw(heights, [30.0 + number for number in range(peaks + 1)], last=5))
    assert found is not None
    assert found.held
    assert found.slope.low == pytest.approx(low)
    assert found.slope.middle == pytest.approx(0.1)


@pytest.mark.parametrize(("peaks", "low"), [(4, -0.1), (5, 0.1)])
def test_with_fewer_than_five_peaks_the_bottoms_must_rise_as_well(peaks: int, low: float) -> None:
    heights = [50.0 + number for number in range(peaks)]
    found = forecast(saw(heights, [30.0 - number for number in range(peaks + 1)], last=5))
    assert found is not None
    assert found.held
    assert found.slope.low == pytest.approx(low)


def test_the_bottoms_are_those_after_the_clean_ups_and_the_latest_of_equal_ones() -> None:
    points = saw([50.0, 51.0, 52.0], [35.0, 30.0, 29.0, 31.0], last=5)
    points[11] = points[11]._replace(value=30.0)
    found = forecast(points)
    assert found is not None
    assert found.held
    assert found.slope.low == pytest.approx(-1 / 9)


@pytest.mark.parametrize(("rise", "high"), [(2.0, 2.0), (-0.1, 0.0)])
def test_after_one_clean_up_the_height_is_taken_to_stay_and_may_grow_as_what_is_below_it(
    rise: float, high: float
) -> None:
    first = daily(*(48.0 + rise * (day - 9) for day in range(10)))
    found = forecast([*first, *daily(*(20.0 + rise * day for day in range(6)), start=10.0)])
    assert found is not None
    assert found.held
    assert found.slope == pytest.approx((0.0, 0.0, high))


@pytest.mark.parametrize(("peak", "held"), [(95.0, False), (94.9, True)])
def test_one_clean_up_at_95_percent_of_the_limit_is_no_habit(peak: float, *, held: bool) -> None:
    found = forecast(saw([peak], [peak - 18, 30.0], last=6), 100.0)
    assert found is not None
    assert found.held == held


@pytest.mark.parametrize(("days", "held"), [(13, True), (14, False)])
def test_clean_ups_may_be_late_by_a_quarter_of_their_usual_fall(days: int, *, held: bool) -> None:
    """The peaks are 50 and the falls 18: up to 54.5 it is late, and beyond it rises."""
    found = forecast(saw([50.0] * 5, [*[32.0] * 5, 30.5], last=days))
    assert found is not None
    assert found.held == held


@pytest.mark.parametrize(("peaks", "days", "held"), [(5, 20, True), (5, 21, False), (1, 31, True), (1, 32, False)])
def test_clean_ups_have_ended_after_twice_their_interval_and_after_one_in_a_month(
    peaks: int, days: int, *, held: bool
) -> None:
    found = forecast(saw([48.0] * peaks, [30.0] * (peaks + 1), last=days + 1, rise=0.25))
    assert found is not None
    assert found.cleanups == peaks
    assert found.held == held


def test_one_long_interval_is_waited_for_twice_also_beyond_a_month() -> None:
    first = daily(*(30.0 + day for day in range(20)))
    for days, held in ((40, True), (41, False)):
        found = forecast([*first, *daily(*(30.0 + 0.1 * day for day in range(days + 1)), start=20.0)])
        assert found is not None
        assert found.held == held


def test_the_noise_is_three_standard_deviations_of_what_the_slope_leaves() -> None:
    chance = random.Random(7)
    stretches = [
        [Point(100.0 + day, start + 5 * day + chance.gauss(0, 2)) for day in range(1000)] for start in (40.0, 900.0)
    ]
    assert _noise(stretches, 5.0) == pytest.approx(3 * 2, rel=0.05)


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


@settings(max_examples=examples(200), deadline=None)
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

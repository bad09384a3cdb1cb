from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tasks.providers.provider_history import Measurement
from tasks.providers.trend_findings import LEAST, Trend, change, is_slower, trend

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HOUR = 3600


def measured(times: Sequence[float | None]) -> list[Measurement]:
    """Return measurements an hour apart, the last one now."""
    first = NOW.timestamp() - (len(times) - 1) * HOUR
    return [Measurement(first + place * HOUR, "grok", one) for place, one in enumerate(times)]


def of(*times: float | None) -> Trend:
    return trend(measured(times), NOW)


def test_the_last_half_is_held_against_the_first() -> None:
    assert of(1, 1, 9, 1, 2, 2, 9, 2) == Trend("slower", 1.0, 1, 2, 8)
    assert of(2, 2, 0.1, 2, 1, 1, 9, 1) == Trend("faster", -0.5, 2, 1, 8)
    assert of(1, 2, 1, 2, 2, 1, 2, 1) == Trend("steady", 0.0, 1.5, 1.5, 8)


def test_the_middle_one_belongs_to_neither_half() -> None:
    assert of(1, 1, 3, 3, 100, 4, 4, 8, 8) == Trend("slower", 2.0, 2, 6, 9)


def test_seven_are_not_enough_and_eight_are() -> None:
    assert LEAST == 8
    assert of(*[1.0] * 7) == Trend("not enough data", None, None, None, 7)
    assert of(*[1.0] * 8) == Trend("steady", 0.0, 1.0, 1.0, 8)
    assert of() == Trend("not enough data", None, None, None, 0)


def test_what_has_no_response_time_does_not_count() -> None:
    assert of(*[1.0] * 7, None).count == 7
    assert of(None, 1, None, 1, 1, 1, 2, 2, 2, None, 2).direction == "slower"


@pytest.mark.parametrize(
    ("last", "direction"),
    [
        (12.0, "steady"),
        (12.0001, "slower"),
        (10 / 1.2, "steady"),
        (10 / 1.2001, "faster"),
    ],
)
def test_more_than_a_fifth_either_way(last: float, direction: str) -> None:
    assert of(*[10.0] * 4, *[last] * 4).direction == direction


@given(hundredths=st.integers(min_value=1, max_value=100_000))
@settings(deadline=None)
def test_exactly_a_fifth_is_steady_whatever_binary_fractions_say(hundredths: int) -> None:
    base, more = hundredths * 10 / 100, hundredths * 12 / 100
    assert of(*[base] * 4, *[more] * 4).direction == "steady"
    assert of(*[more] * 4, *[base] * 4).direction == "steady"


def at(seconds: float, time: float = 1.0) -> Measurement:
    return Measurement(NOW.timestamp() + seconds, "grok", time)


def test_the_window_ends_now_and_begins_thirty_days_before() -> None:
    inside = [at(0)] * 7
    month = -30 * 24 * HOUR
    assert trend([*inside, at(month + 1)], NOW).count == 8
    assert trend([*inside, at(month)], NOW).count == 7
    assert trend([*inside, at(1)], NOW).count == 7
    assert trend([*inside, at(month)], NOW, days=31).count == 8
    assert trend([*inside, at(-24 * HOUR)], NOW, days=1).count == 7


class _Winter(tzinfo):
    """A zone whose clocks are put back by an hour on the first of November."""

    def utcoffset(self, moment: datetime | None, /) -> timedelta:
        return timedelta(hours=-5 if moment is None or moment.replace(tzinfo=None) >= datetime(2026, 11, 1) else -4)  # noqa: DTZ001

    def dst(self, moment: datetime | None, /) -> timedelta:
        return self.utcoffset(moment) + timedelta(hours=5)

    def tzname(self, _moment: datetime | None, /) -> str:
        return "winter"


def test_a_day_is_24_hours_where_clocks_change() -> None:
    now = datetime(2026, 11, 10, 12, 0, tzinfo=_Winter())
    ones = [Measurement(now.timestamp() - 30 * 24 * HOUR + 1, "grok", 1.0)]
    assert trend(ones, now).count == 1
    assert trend(ones, now + timedelta(seconds=1)).count == 0


def test_the_future_counts_for_nothing() -> None:
    assert trend([*measured([1.0] * 8), *[at(HOUR, 50.0)] * 20], NOW) == Trend("steady", 0.0, 1.0, 1.0, 8)


def test_nothing_is_divided_by_zero() -> None:
    assert of(*[0.0] * 8) == Trend("steady", 0.0, 0.0, 0.0, 8)
    assert of(*[0.0] * 4, *[1.0] * 4) == Trend("slower", None, 0.0, 1.0, 8)
    assert of(*[1.0] * 4, *[0.0] * 4) == Trend("faster", -1.0, 1.0, 0.0, 8)


def test_change_and_slower() -> None:
    assert change(2.0, 2.5) == 0.25
    assert change(0.0, 0.0) == 0.0
    assert change(0.0, 1.0) is None
    assert not is_slower(0.0, 0.0)
    assert is_slower(0.0, 0.1)
    assert not is_slower(0.7, 0.84)
    assert is_slower(0.7, 0.8401)
    assert not is_slower(1.0, 0.1)


TIMES = st.lists(st.floats(min_value=0.001, max_value=1000), min_size=LEAST, max_size=40)


@given(data=st.data(), times=TIMES)
@settings(deadline=None)
def test_the_order_in_which_they_come_does_not_matter(data: st.DataObject, times: list[float]) -> None:
    spread = data.draw(st.lists(st.integers(-3, 0), min_size=len(times), max_size=len(times)))
    ones = [at(hours * HOUR, time) for hours, time in zip(spread, times, strict=True)]
    assert trend(data.draw(st.permutations(ones)), NOW) == trend(ones, NOW)


@given(times=TIMES)
@settings(deadline=None)
def test_reversed_faster_and_slower_change_places(times: list[float]) -> None:
    there, back = of(*times), of(*reversed(times))
    swapped = {"faster": "slower", "slower": "faster"}
    assert back.direction == swapped.get(there.direction, there.direction)
    assert (back.first, back.last) == (there.last, there.first)


@given(times=TIMES, scale=st.floats(min_value=0.01, max_value=100))
@settings(deadline=None)
def test_the_unit_does_not_matter(times: list[float], scale: float) -> None:
    there = of(*times)
    assert there.change is not None
    assume(all(abs(ratio - 1.2) > 1e-6 for ratio in (1 + there.change, 1 / (1 + there.change))))
    scaled = of(*(time * scale for time in times))
    assert scaled.direction == there.direction
    assert scaled.change == pytest.approx(there.change)


@given(time=st.floats(min_value=0, max_value=1e300), number=st.integers(min_value=LEAST, max_value=30))
@settings(deadline=None)
def test_what_is_constant_is_steady(time: float, number: int) -> None:
    assert of(*[time] * number) == Trend("steady", 0.0, time, time, number)

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.generation.entry_times import AHEAD, DAY, Periods, moment

from .conftest import NOW, NOW_SECONDS, periods

SINCE_BEFORE = NOW - timedelta(days=60)
SINCE = NOW - timedelta(days=30)
AHEAD_OF = NOW + timedelta(seconds=AHEAD)
TICK = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025-06-02T12:00:00Z", NOW),
        ("2025-06-02T12:00:00z", NOW),
        ("2025-06-02T14:00:00+02:00", NOW),
        ("2025-06-02T14:00:00 +02:00", NOW),
        ("2025-06-02 12:00:00.5+00:00", NOW + timedelta(seconds=0.5)),
        ("2025-06-02T12:00:00,250Z", NOW + timedelta(seconds=0.25)),
        (" 2025-06-02T12:00:00Z\n", NOW),
        ("2025-06-02T12:00Z", NOW),
        ("20250602T120000Z", NOW),
        ("2025-06-02T12:00:00", NOW.replace(tzinfo=None)),
        ("2025-06-02 12:00:00,250", NOW.replace(tzinfo=None, microsecond=250_000)),
        ("2025-06-02", datetime(2025, 6, 2)),  # noqa: DTZ001 - it names no zone
        (NOW_SECONDS, NOW_SECONDS),
        (1_748_865_600, 1_748_865_600.0),
        (1_748_865_600_500, 1_748_865_600.5),
        (1e11, 1e11),
        (1e11 + 1000, 1e8 + 1),
        (-5, -5.0),
    ],
)
def test_a_time_is_read_however_it_is_written(text: object, expected: object) -> None:
    found = moment(text)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "yesterday",
        "2025-13-02T12:00:00",
        "2025-06-02T12:00:60Z",
        "1748865600",
        "20260101112",
        None,
        True,
        math.nan,
        math.inf,
        -math.inf,
        10**400,
        [1],
        {},
    ],
)
def test_what_is_no_time_is_none(value: object) -> None:
    assert moment(value) is None


@pytest.mark.parametrize(
    ("when", "period"),
    [
        (SINCE_BEFORE - TICK, 0),
        (SINCE_BEFORE, 1),
        (SINCE - TICK, 1),
        (SINCE, 2),
        (NOW, 2),
        (AHEAD_OF, 2),
        (AHEAD_OF + TICK, 3),
        (datetime.min.replace(tzinfo=UTC), 0),
        (datetime.max.replace(tzinfo=UTC), 3),
        (datetime.min, 0),  # noqa: DTZ901 - local
        (datetime.max, 3),  # noqa: DTZ901 - local
    ],
)
def test_a_period_holds_its_start_and_not_its_end(when: datetime, period: int) -> None:
    assert periods().of(when) == period
    if when.tzinfo is not None and 1 < when.year < 9999:
        assert periods().of(when.timestamp()) == period
        assert periods().of(when.astimezone(timezone(timedelta(hours=-11)))) == period
        assert periods().of(when.astimezone(timezone(timedelta(hours=23, minutes=59)))) == period
        assert periods().of(when.astimezone().replace(tzinfo=None)) == period
    assert periods().future == 3


@given(
    st.datetimes(datetime(2025, 3, 30), datetime(2025, 6, 4))  # noqa: DTZ001 - any zone follows
    | st.datetimes(datetime(2025, 5, 2), datetime(2025, 5, 5)),  # noqa: DTZ001 - the same
    st.none() | st.builds(timezone, st.timedeltas(timedelta(hours=-23), timedelta(hours=23))),
)
def test_a_period_is_that_of_the_exact_moment(when: datetime, zone: timezone | None) -> None:
    exact = when.replace(tzinfo=zone)
    assert periods().of(exact) == periods().of(exact.timestamp())


@pytest.mark.usefixtures("berlin")
@pytest.mark.parametrize("day", [datetime(2025, 3, 30), datetime(2025, 10, 26)])  # noqa: DTZ001 - local
def test_local_times_are_right_where_the_clocks_are_changed(day: datetime) -> None:
    for edge in range(-3, 6):
        start = (day + timedelta(hours=2)).timestamp() + edge * 1800
        tested = Periods((start,), start + 10 * DAY)
        for minute in range(-60, 600, 5):
            when = day + timedelta(minutes=minute)
            for fold in (0, 1):
                local = when.replace(fold=fold)
                assert tested.of(local) == int(local.timestamp() >= start), (local, fold, edge)

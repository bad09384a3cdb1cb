from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.logs.reading.line_shapes import begins_record, first_line
from tasks.logs.reading.timestamps import WITHIN, seconds_of, time_of

from .conftest import SetZone

NOON = datetime(2025, 6, 2, 12, 0, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("text", "after_noon"),
    [
        (b"2025-06-02T12:00:00Z", 0),
        (b"2025-06-02 12:00:00Z", 0),
        (b"2025/06/02 12:00:00Z", 0),
        (b"2025-06-02_12:00:00Z", 0),
        (b"2025-06-02T12:00Z", 0),
        (b"2025-06-02T12:00:01,5Z", 1.5),
        (b"2025-06-02T12:00:01.5Z", 1.5),
        (b"2025-06-02T12:00:01.123456789Z", 1.123456789),
        (b"2025-06-02T14:00:00+02:00", 0),
        (b"2025-06-02T14:00:00+0200", 0),
        (b"2025-06-02 14:00:00 +0200", 0),
        (b"2025-06-02 06:30:00,250 -0530", 0.25),
        (b"[2025-06-02 12:00:00 +0000] [17] [INFO] x", 0),
        (b"2025-06-02T12:00:60Z", 60),
        (b"2025-06-02T12:00:60.9Z", 60.9),
        (b"2025-06-02T12:00:00+23:59", -(23 * 60 + 59) * 60),
        (b"ERROR 2025-06-02T12:00:00Z 2024-01-01T00:00:00Z", 0),
        (b"x" * 70 + b" 2025-06-02T12:00:00Z", 0),
    ],
)
def test_times_with_a_zone(text: bytes, after_noon: float) -> None:
    assert time_of(text) == pytest.approx(NOON + after_noon, abs=1e-6)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"12:00:00",
        b"2025-06-02",
        b"2025-06/02 12:00:00",
        b"12025-06-02 12:00:00Z",
        b"2025-13-01 12:00:00",
        b"2025-02-29 12:00:00",
        b"2025-06-31 12:00:00Z",
        b"2025-06-00 12:00:00",
        b"0000-01-01 00:00:00",
        b"2025-06-02 24:00:00",
        b"2025-06-02 12:60:00",
        b"2025-06-02 12:00:61Z",
        b"2025-06-02 12:00:99",
        b"2025-06-02T12:00:00+24:00",
        b"2025-06-02T12:00:00-9999",
        "٢٠٢٥-06-02 12:00:00".encode(),
    ],
)
def test_what_is_no_time(text: bytes) -> None:
    assert time_of(text) is None


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Pacific/Kiritimati", "America/Los_Angeles"])
@pytest.mark.parametrize("text", [b"0001-01-01 00:00:00", b"9999-12-31 23:59:59", b"0001-01-01 00:00:00+23:00"])
def test_the_ends_of_the_calendar_raise_nothing(text: bytes, zone: str, set_zone: SetZone) -> None:
    set_zone(zone)
    seconds = time_of(text)
    assert seconds is None or abs(seconds) > 6e10


def test_a_time_without_a_zone_is_local(set_zone: SetZone) -> None:
    set_zone("Europe/Berlin")
    assert time_of(b"2025-06-02 14:00:00,000") == NOON
    set_zone("America/New_York")
    assert time_of(b"2025-06-02 08:00:00,000") == NOON


def test_the_hour_that_is_told_twice_is_the_first_one(set_zone: SetZone) -> None:
    set_zone("Europe/Berlin")
    first = datetime(2025, 10, 26, 0, 30, tzinfo=UTC).timestamp()
    assert time_of(b"2025-10-26 02:30:00") == first
    assert time_of(b"2025-10-26 02:30:00+01:00") == first + 3600
    assert time_of(b"2025-10-26 03:00:00") == first + 5400
    assert time_of(b"2025-03-30 02:30:00") is not None  # an hour that is never told


@pytest.mark.parametrize("word", [b"ZBeam", b"Zebra", b"Z-Beam", b"Z9", b"Z_x"])
def test_a_word_that_begins_with_z_is_no_zone(word: bytes, set_zone: SetZone) -> None:
    set_zone("Europe/Berlin")
    line = b"2025-06-02 14:00:00 " + word + b" ERROR it failed"
    assert time_of(line) == NOON
    assert first_line(line)[:3] == (NOON, word.decode(), "it failed")


@given(
    moment=st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1)),  # noqa: DTZ001 - the zone is drawn separately
    minutes=st.integers(-23 * 60, 23 * 60),
    between=st.sampled_from("T _"),
    point=st.sampled_from(".,"),
    before=st.tuples(st.sampled_from(["", "[", "x ", "ERROR:", "\x1b[32m", "time="]), st.booleans()),
)
def test_times_as_others_write_them(
    moment: datetime,
    minutes: int,
    between: str,
    point: str,
    before: tuple[str, bool],
) -> None:
    start, colon = before
    aware = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    text = aware.isoformat(between, "microseconds").replace(".", point)
    if not colon:
        text = text[:-3] + text[-2:]
    assert time_of(f"{start}{text} x".encode()) == pytest.approx(aware.timestamp(), abs=1e-5)


@given(st.binary(max_size=150))
def test_any_bytes_are_survived(data: bytes) -> None:
    time_of(data)
    time_of(b"2025-06-02 12:00" + data)


@pytest.mark.parametrize("place", [0, 1, 50, 70, 80, 85, WITHIN - 16, WITHIN - 1, WITHIN])
def test_a_time_near_the_border_is_read_to_its_end(place: int) -> None:
    line = b"x" * place + b"2025-06-02T14:00:01,5+02:00 ERROR x"
    assert begins_record(line)
    assert time_of(line) == NOON + 1.5
    assert first_line(line).time == NOON + 1.5


def test_a_time_far_to_the_right_is_not_the_records() -> None:
    line = b"x" * WITHIN + b" 2025-06-02T14:00:01,5+02:00 ERROR x"
    assert not begins_record(line)
    assert time_of(line) is None
    assert first_line(line).time is None


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (NOON, NOON),
        (int(NOON), NOON),
        (NOON + 0.25, NOON + 0.25),
        (int(NOON) * 1000 + 250, NOON + 0.25),
        (NOON * 1000, NOON),
        ("2025-06-02T12:00:00Z", NOON),
        ("2025-06-02T12:00:00.5+00:00", NOON + 0.5),
        (0, None),
        (-1, None),
        (True, None),
        (False, None),
        (None, None),
        ("", None),
        ("noon", None),
        ("1748865600", None),
        ("\ud800", None),
        ([NOON], None),
        ({}, None),
        (1e300, None),
        (float("inf"), None),
        (float("nan"), None),
        (10**400, None),
        (-(10**400), None),
    ],
)
def test_times_in_json_fields(value: object, seconds: float | None) -> None:
    assert seconds_of(value) == seconds

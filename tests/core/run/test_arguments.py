from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.errors import UsageError
from tasks.core.run.arguments import LEVELS, cache_kinds, days, hours, level, since, some_of, until
from tasks.core.settings.model import CacheSettings, Settings

SETTINGS = Settings()
NO_KINDS = msgspec.structs.replace(SETTINGS, cache=CacheSettings(expiry_hours={}, prefixes={}))


def test_hours_that_were_not_given_are_none() -> None:
    assert hours(SETTINGS, None) is None


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("12", 12), ("0.5", 0.5), (" 7 ", 7), ("1e2", 100)])
def test_hours_are_a_number(text: str, number: float) -> None:
    assert hours(SETTINGS, text) == number


@pytest.mark.parametrize("text", ["", "soon", "-1", "-0.001", "nan", "inf", "-inf", "1e999", "12h", "1,5"])
def test_what_is_no_number_of_hours_is_named_with_the_flag_and_what_was_expected(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        hours(SETTINGS, text)
    assert str(caught.value) == (
        f"--older-than takes a number of hours from 0 to 1000000, as in --older-than=12; got {text!r}."
    )
    assert caught.value.exit_status == 64


@given(st.text() | st.floats().map(str) | st.integers().map(str))
def test_any_text_is_a_finite_number_of_hours_or_a_usage_error(text: str) -> None:
    try:
        number = hours(SETTINGS, text)
    except UsageError:
        return
    assert number is not None
    assert 0 <= number < float("inf")


@pytest.mark.parametrize("names", [None, [], ()])
def test_kinds_that_were_not_given_are_none(names: list[str] | None) -> None:
    assert cache_kinds(SETTINGS, names) == ()


def test_configured_kinds_are_taken_in_the_order_given() -> None:
    assert cache_kinds(SETTINGS, ["temp", "api_responses"]) == ("temp", "api_responses")


def test_an_unknown_kind_is_refused_with_the_known_ones_and_the_nearest() -> None:
    with pytest.raises(UsageError) as caught:
        cache_kinds(SETTINGS, ["temp", "api_response"])
    assert str(caught.value) == (
        "--kind takes a kind of maintenance.cache.expiry_hours "
        "(api_responses, material_data, component_cache, temp); got 'api_response'. Did you mean api_responses?"
    )


def test_a_kind_like_no_other_gets_no_suggestion() -> None:
    with pytest.raises(UsageError, match=r"got 'xyz'\.$"):
        cache_kinds(SETTINGS, ["xyz"])


def test_where_no_kind_is_set_the_message_says_so() -> None:
    with pytest.raises(UsageError, match=r"\(none is set\); got 'temp'\.$"):
        cache_kinds(NO_KINDS, ["temp"])


# Days


@pytest.mark.parametrize(("text", "number"), [(None, None), ("0", 0), ("30", 30), ("007", 7), ("41666", 41666)])
def test_days_are_a_whole_number(text: str | None, number: int | None) -> None:
    assert days(SETTINGS, text) == number


@pytest.mark.parametrize("text", ["", "-1", "1.5", "30d", "41667", "9" * 20, "\u0663", " 1", "1e2"])
def test_what_is_no_number_of_days_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        days(SETTINGS, text)
    assert str(caught.value) == (
        f"--older-than-days takes a whole number of days from 0 to 41666, as in --older-than-days=30; got {text!r}."
    )


# Moments


@pytest.fixture(params=["UTC", "America/New_York", "Asia/Kolkata", "Pacific/Kiritimati"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A zone as the local one."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("24h", timedelta(hours=24)),
        ("7d", timedelta(days=7)),
        ("90min", timedelta(minutes=90)),
        ("90m", timedelta(minutes=90)),
        ("2w", timedelta(weeks=2)),
        ("1.5 H", timedelta(hours=1.5)),
        (" 0d ", timedelta(0)),
        ("1000000h", timedelta(hours=1_000_000)),
    ],
)
def test_since_takes_a_time_span(text: str, span: timedelta) -> None:
    assert since(SETTINGS, text) == span


@pytest.mark.parametrize("text", ["2030-01-31", "2030-01-31 12:00", "20300131T120000", "2030-01-31T12:00:00.5"])
def test_since_takes_a_moment_of_local_time(zone: str, text: str) -> None:
    assert zone
    moment = since(SETTINGS, text)
    assert isinstance(moment, datetime)
    assert moment.tzinfo is not None
    assert moment.replace(tzinfo=None) == datetime.fromisoformat(text)
    assert moment.utcoffset() == datetime.fromisoformat(text).astimezone().utcoffset()


@pytest.mark.parametrize("text", ["2030-01-31T12:00Z", "2030-01-31 17:30+05:30", " 2030-01-31T07:00:00-05:00 "])
def test_a_moment_with_its_zone_is_taken_as_it_is(zone: str, text: str) -> None:
    assert zone
    assert since(SETTINGS, text) == until(SETTINGS, text) == datetime(2030, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "24", "7 days", "-1h", "1e3h", "1000001h", "999999999d", "999999999w", "2030-13-01", "1h30m"],
)
def test_what_is_neither_a_time_span_nor_a_moment_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        since(SETTINGS, text)
    assert str(caught.value).startswith("--since takes a time span or a moment, as in --since=24h, ")
    assert str(caught.value).endswith(f"; got {text!r}.")
    assert caught.value.exit_status == 64


def test_until_a_date_is_until_the_end_of_that_day(zone: str) -> None:
    assert zone
    for text in ("2030-01-31", "20300131", " 2030-01-31 "):
        moment = until(SETTINGS, text)
        assert moment is not None
        assert moment.replace(tzinfo=None) == datetime(2030, 1, 31, 23, 59, 59)  # noqa: DTZ001 - local time
        assert moment.tzinfo is not None
    assert until(SETTINGS, "2030-01-31 12:00") == datetime.fromisoformat("2030-01-31 12:00").astimezone()


@pytest.mark.parametrize("text", ["", "tomorrow", "24h", "2030-02-30"])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        until(SETTINGS, text)
    assert str(caught.value) == f"--until takes a date, as in --until=2030-01-31; got {text!r}."


@pytest.mark.parametrize("text", ["0001-01-01", "0001-01-02T00:00+14:00", "9999-12-31", "9999-12-31T23:59-12:00"])
def test_the_ends_of_the_calendar_are_a_moment_or_refused(zone: str, text: str) -> None:
    assert zone
    for check in (since, until):
        try:
            moment = check(SETTINGS, text)
        except UsageError:
            continue
        assert isinstance(moment, datetime)
        assert moment.tzinfo is not None
        moment.timestamp()


@pytest.mark.parametrize("check", [since, until])
def test_moments_that_were_not_given_are_none(check: type) -> None:
    assert check(SETTINGS, None) is None


@given(st.text() | st.from_regex(r"[0-9]{1,9}(\.[0-9]{1,9})? ?(min|m|h|d|w)", fullmatch=True) | st.datetimes().map(str))
def test_any_text_is_a_moment_that_can_be_reckoned_with_or_a_usage_error(text: str) -> None:
    now = datetime(2030, 1, 1, tzinfo=UTC)
    for check in (since, until):
        try:
            moment = check(SETTINGS, text)
        except UsageError:
            continue
        assert moment is not None
        ((now - moment) if isinstance(moment, timedelta) else moment).timestamp()


# Levels


@pytest.mark.parametrize("name", LEVELS)
def test_a_level_is_taken_in_any_case(name: str) -> None:
    assert level(SETTINGS, name) == level(SETTINGS, name.title()) == name.upper()


@pytest.mark.parametrize("text", ["", "info", "warn", "error ", "40", "nothing"])
def test_what_is_no_level_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        level(SETTINGS, text)
    assert str(caught.value) == f"--level takes warning, error, critical; got {text!r}."


def test_names_of_another_list_are_checked_in_the_same_way() -> None:
    assert some_of("--only", "a step", ("cache", "logs"), ["logs"]) == ("logs",)
    assert some_of("--only", "a step", ("cache", "logs"), None) == ()
    with pytest.raises(UsageError) as caught:
        some_of("--only", "a step", ("cache", "logs"), ["log"])
    assert str(caught.value) == "--only takes a step (cache, logs); got 'log'. Did you mean logs?"

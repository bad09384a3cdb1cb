from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.providers.retries import named_wait, present, span

from .conftest import NOW


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("12", 12),
        (" 0.5 ", 0.5),
        ("0", 0),
        ("1s", 1),
        ("6m0s", 360),
        ("1m", 60),
        ("120ms", 0.12),
        ("1h2m3.5s", 3723.5),
        ("2d", 172_800),
        ("1000000000", 1_000_000_000),
        (str(int(NOW.timestamp()) + 90), 90),
        (str(int(NOW.timestamp()) - 90), 0),
        ("Mon, 02 Jun 2025 12:00:30 GMT", 30),
        ("Mon, 02 Jun 2025 11:00:00 GMT", 0),
        ("2025-06-02T12:01:00Z", 60),
        ("2025-06-02T12:01:00", 60),
    ],
)
def test_times_are_read_however_servers_write_them(text: str, seconds: float) -> None:
    assert span(text, NOW) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", " ", "-1", "soon", "nan", "inf", "1e9", "s", "1s1h", "1" * 40, "٣", "1.2.3"])
def test_what_is_no_time_is_none(text: str) -> None:
    assert span(text, NOW) is None


@given(st.text())
def test_any_text_is_a_time_or_none(text: str) -> None:
    assert (span(text, NOW) or 0) >= 0


@given(st.integers(0, 10**6))
def test_a_date_lies_as_far_ahead_of_the_servers_own_clock(seconds: int) -> None:
    begin = datetime(2030, 1, 1, tzinfo=UTC)
    form = "%a, %d %b %Y %H:%M:%S GMT"
    headers = {"date": begin.strftime(form), "retry-after": (begin + timedelta(seconds=seconds)).strftime(form)}
    assert named_wait(headers, NOW) == seconds
    assert present(headers, NOW) == begin


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, None),
        ({"retry-after": "7", "x-ratelimit-reset-requests": "9"}, 7),
        ({"retry-after": "soon"}, None),
        ({"x-ratelimit-reset-requests": "1s", "x-ratelimit-reset-tokens": "6m0s"}, 360),
        (
            {
                "x-ratelimit-reset-requests": "1s",
                "x-ratelimit-reset-tokens": "6m0s",
                "x-ratelimit-remaining-requests": "0",
            },
            1,
        ),
        ({"x-ratelimit-reset-tokens": "bad", "x-ratelimit-remaining-tokens": "0"}, None),
        ({"x-ratelimit-reset-requests": "0", "x-ratelimit-remaining-requests": "0"}, 0),
    ],
)
def test_the_wait_is_that_of_the_limit_that_is_used_up(headers: dict[str, str], wait: float | None) -> None:
    assert named_wait(headers, NOW) == wait


def test_without_a_date_the_present_is_ours() -> None:
    assert present({}, NOW) is NOW
    assert present({"date": "yesterday"}, NOW) is NOW

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.arguments import cache_kinds, hours
from tasks.core.errors import UsageError
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

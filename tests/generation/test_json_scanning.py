from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.generation.json_scanning import Damaged, Incomplete, after_blanks, scan

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1}', {"a": 1.0}),
        ('"tab\t"', "tab\t"),
        ("-Infinity", -math.inf),
        ("true]", True),
        ("1" * 5000 + " ", math.inf),
    ],
)
def test_a_value_is_found_with_its_end(text: str, value: object) -> None:
    found, end = scan(f"  {text}", 2)
    assert found == value
    assert text[end - 2 :] in {"", "]", " "}


def test_nan_is_read_as_python_writes_it() -> None:
    found, end = scan("NaN,", 0)
    assert math.isnan(float(str(found)))
    assert end == 3


@given(VALUES.map(lambda value: {"a": value}), st.data())
def test_every_beginning_of_an_object_is_incomplete(value: object, data: st.DataObject) -> None:
    text = json.dumps(value, ensure_ascii=data.draw(st.booleans()))
    cut = data.draw(st.integers(0, len(text) - 1))
    with pytest.raises(Incomplete):
        scan(text[:cut], 0)


@pytest.mark.parametrize("text", ['{"a" 1, "b": 2, "c": 3}', "{a: 1, b: 2}", "]", "}", "}, {", '{"a": 1 "b" }', "no !"])
def test_what_no_more_text_can_mend_is_damaged(text: str) -> None:
    with pytest.raises(Damaged) as caught:
        scan(text, 0)
    assert caught.value.skip == 1


def test_brackets_nested_too_deeply_are_damaged_and_passed_over_in_steps() -> None:
    with pytest.raises(Damaged) as caught:
        scan("[" * 1_000_000, 0)
    assert caught.value.skip > 1


def test_only_the_blanks_of_json_are_passed_over() -> None:
    assert after_blanks(" \t\r\n\x0b", 0) == 4
    assert after_blanks("x", 0) == 0
    assert after_blanks("", 0) == 0


@pytest.mark.parametrize("text", ["0.", "12e", "1.5E", "-3e-", "7E+"])
def test_a_number_that_may_go_on_is_incomplete(text: str) -> None:
    with pytest.raises(Incomplete):
        scan(text, 0)


@pytest.mark.parametrize(("text", "expected"), [("0.,", 1), ("true.", 4), ("1.5", 3), ("2 .", 1)])
def test_what_cannot_go_on_is_complete(text: str, expected: int) -> None:
    assert scan(text, 0)[1] == expected

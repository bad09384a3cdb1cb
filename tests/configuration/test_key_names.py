from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.configuration.key_names import below, covers, key_text, last_key, parts

KEYS = (
    st.text(max_size=8) | st.integers() | st.booleans() | st.none() | st.sampled_from(["a.b", "a[0]", '"', " x", "1"])
)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("density", "density"),
        ("Carbon Fiber", "Carbon Fiber"),
        ("g/cm³", "g/cm³"),
        ("a.b", '"a.b"'),
        ("list[0]", '"list[0]"'),
        ('say "x"', '"say \\"x\\""'),
        ("", '""'),
        (" edge", '" edge"'),
        ("1", '"1"'),
        ("-1.5", '"-1.5"'),
        ("true", '"true"'),
        ("line\nend", '"line\\nend"'),
        (1, "1"),
        (True, "True"),
        (None, "None"),
        (1.5, "1·5"),
    ],
)
def test_a_key_in_a_path(key: Any, text: str) -> None:
    assert key_text(key) == text
    assert below("top", key) == f"top.{text}"
    assert below("", key) == text


@given(st.lists(KEYS | st.tuples(st.integers(0, 99)), max_size=6))
def test_the_parts_of_a_path_are_what_it_was_made_of(keys: list[Any]) -> None:
    path, expected = "", []
    for key in keys:
        longer = f"{path}[{key[0]}]" if isinstance(key, tuple) else below(path, key)
        expected.append(longer[len(path) :])
        path = longer
    assert [*parts(path)] == expected


@given(st.text(max_size=30))
def test_any_text_has_parts_that_make_it_up(text: str) -> None:
    assert "".join(parts(text)) == text


@pytest.mark.parametrize(
    ("prefix", "path", "expected"),
    [
        ("", "a", True),
        ("a", "a", True),
        ("a", "a.b", True),
        ("a", "a[0]", True),
        ("a", "ab", False),
        ("a.b", "a", False),
        ("b", "a", False),
    ],
)
def test_a_path_covers_what_lies_below_it(prefix: str, path: str, *, expected: bool) -> None:
    assert covers(prefix, path) is expected


@pytest.mark.parametrize(
    ("path", "last"), [("", ""), ("a", "a"), ("a.b", "b"), ("a[1]", "[1]"), ('a."b.c"', '"b.c"'), ("a[1].c", "c")]
)
def test_the_last_key(path: str, last: str) -> None:
    assert last_key(path) == last

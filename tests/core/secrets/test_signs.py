from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.secrets.key_forms import BEGINS
from tasks.core.secrets.signs import AROUND, find_with_hyperscan, find_with_re, sign_finder, windows

PIECES = st.sampled_from(
    [*BEGINS, *AROUND, *map(str.upper, AROUND), "a", "\n", " ", "é", "/", "@", "x" * 50, "\u017f", "\u212a"]
)


@given(st.lists(PIECES, max_size=20).map("".join) | st.text())
def test_hyperscan_and_re_find_the_same(text: str) -> None:
    pytest.importorskip("hyperscan")
    assert find_with_hyperscan()(text) == find_with_re()(text)


def test_no_sign_is_the_beginning_of_another() -> None:
    # of two that begin at one place, re finds the longer one only
    assert not [(one, other) for one in AROUND for other in AROUND if one != other and other.startswith(one)]


def test_without_hyperscan_re_does_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hyperscan", None)
    sign_finder.cache_clear()
    try:
        assert sign_finder()("a password").around == [(2, "password")]
    finally:
        sign_finder.cache_clear()


def found(text: str, reach: int = 4_000) -> list[str]:
    return [text[each.start : each.end] for each in windows(text, find_with_re()(text).around, reach=reach)]


def test_a_window_is_the_line_of_a_sign_and_the_next() -> None:
    assert found("a\nb\npassword\nc\nd\ne") == ["password\nc\n"]
    assert found("a\npassword\nc\nsecret\nd\ne") == ["password\nc\nsecret\nd\n"]
    assert found("secret\na\nb\nc\ntoken") == ["secret\na\n", "token"]
    assert found("nothing\nhere") == []


def test_a_line_that_is_continued_belongs_to_its_window() -> None:
    assert found("curl \\\n -s \\\n -u a:b\nnext\nlast") == ["curl \\\n -s \\\n -u a:b\nnext\n"]


def test_an_address_without_a_user_and_a_rule_are_no_signs() -> None:
    assert found("https://example.org/a@b\n") == []
    assert found("----------\n") == []
    assert found("https://me@example.org\n") == ["https://me@example.org\n"]
    assert found("a --b\n") == ["a --b\n"]


def test_of_a_long_line_what_is_around_the_sign_is_looked_at() -> None:
    assert found("a" * 50 + "password" + "b" * 50, reach=10) == ["a" * 10 + "password" + "b" * 10]

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Sequence
from itertools import permutations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tasks.core.settings.model import LogSettings
from tasks.logs.errors.critical_patterns import (
    LINE,
    TEXT,
    PatternMatcher,
    PatternTooSlow,
    _with_hyperscan,
    _with_re,
    pattern_matcher,
    word_orders,
)

BOTH = [pytest.param(_with_hyperscan, id="hyperscan"), pytest.param(_with_re, id="re")]
Engine = Callable[[Sequence[str]], PatternMatcher]


@pytest.mark.parametrize("engine", BOTH)
@pytest.mark.parametrize("pattern", LogSettings().critical_patterns)
def test_the_words_of_a_pattern_may_stand_in_any_order_and_case(engine: Engine, pattern: str) -> None:
    match = engine(LogSettings().critical_patterns)
    for words in permutations(pattern.split(".*")):
        for text in (" ".join(words), f"so {'-'.join(words).upper()}!", f"first\nthen {'  '.join(words).lower()}\nend"):
            assert match(text) == [pattern]
    assert match("\n".join(pattern.split(".*"))) == []
    assert match(pattern.split(".*", maxsplit=1)[0]) == []


@pytest.mark.parametrize("engine", BOTH)
def test_patterns_are_told_in_the_order_of_the_settings(engine: Engine) -> None:
    assert engine(["c", "a.*b", "b"])("B a c") == ["c", "a.*b", "b"]


@pytest.mark.parametrize("engine", BOTH)
@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("^disk", "a\ndisk", True),
        ("^disk", "a disk", False),
        ("full$", "disk full\nb", True),
        ("full$", "disk full b", False),
        (r"\bfull\b", "fully", False),
        ("\\bGR\u00dcN\\b.*\\d", "so gr\u00fcn 7", True),
        ("a.*b.*c.*d.*e", "e d c b a", False),
        ("a.*b.*c.*d.*e", "a b c d e", True),
        ("a.*b.*c.*d", "d b c a", True),
        ("stra\u00dfe.*gr\u00fcn", "GR\u00dcNE stra\u00dfe", True),
        ("disk.*", "the disk", True),
        ("(?:disk|volume) full", "Volume FULL", True),
        ("ab.*bc", "abc", False),
        ("a.*a", "a", False),
        ("a.*a", "aa", True),
        ("", "anything", True),
        ("x{2,3}", "axxb", True),
        ("[0-9]+ errors", "17 errors", True),
    ],
)
def test_both_engines_agree(engine: Engine, pattern: str, text: str, matches: bool) -> None:  # noqa: FBT001 - a parameter
    assert bool(engine([pattern])(text)) is matches


letters = st.text(st.sampled_from("abAB -\u00fc\u00dc\u0436\u0416"), min_size=1, max_size=4)


@given(st.lists(letters, min_size=1, max_size=5), st.lists(letters | st.sampled_from(["\n", "", "x"]), max_size=12))
@example(["ab", "ba"], ["aba"])
@example(["a", "a", "a"], ["a", "a"])
def test_words_in_any_order_match_alike_in_both_engines_and_as_they_should(words: list[str], text: list[str]) -> None:
    pattern = ".*".join(words)
    content = "".join(text)
    lines = content.lower().split("\n")
    several = permutations(words) if len(words) <= 4 else [words]
    wanted = any(re.search(".*".join(map(re.escape, order)).lower(), line) for order in several for line in lines)
    for engine in (_with_hyperscan, _with_re):
        assert bool(engine([pattern])(content)) is wanted


def test_every_order_of_words_is_tried_once() -> None:
    assert list(word_orders("a.*b")) == ["a.*b", "b.*a"]
    assert len(list(word_orders("a.*b.*c.*d"))) == 24
    assert list(word_orders("a.*a")) == ["a.*a"]
    for other in ("a", "a.*b.*c.*d.*e", "a.*[b]", "a.*", "^a.*b", "a.+b", ""):
        assert list(word_orders(other)) == [other]


HOSTILE = (
    "(a+)+$",
    "(a|aa)+$",
    "(a|a)*$",
    "(.*)*x",
    "(a*)*b*c",
    "a*a*a*a*a*b",
    "x(?:(a+)|b)+$",
    "((a+)+)?$",
    "(a|aa){1,60}$",
    "(a?){40}a{40}$",
    "((a{1,9}){1,9}){1,9}$",
    "(?:a{1,90}){1,90}b{1,90}$",
    "(?>(a+)+$)",
    "(?i:(a+)+)$",
)


@pytest.mark.parametrize("pattern", HOSTILE)
def test_without_hyperscan_a_pattern_that_could_take_for_ever_is_refused_in_a_sentence(pattern: str) -> None:
    with pytest.raises(PatternTooSlow) as caught:
        _with_re([pattern])
    assert str(caught.value) == f"{pattern!r} could take for ever without hyperscan; install hyperscan."


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+$", "(a*)*b"])
def test_with_hyperscan_a_hostile_pattern_is_quick_on_a_line_of_ten_megabytes(pattern: str) -> None:
    match = _with_hyperscan([pattern])
    text = "a" * 10_000_000 + "!"
    started = time.process_time()
    match(text)
    match("first\n" + text)
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    "pattern",
    ["API.*key.*invalid", "a+b", r"\w+ failed", r"\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}", "(?:disk|volume) full", "a++b"],
)
def test_without_hyperscan_what_ends_soon_is_taken(pattern: str) -> None:
    match = _with_re([pattern])
    started = time.process_time()
    for text in ("a" * 100_000, "1" * 100_000, "1.1" * 30_000, ("\u00e4" * 4096 + "\n") * 100):
        match(text)
    assert time.process_time() - started < 10


@pytest.mark.parametrize("pattern", ["(?=a)b", "(?!a)b", "(?<=a)b", "(?<!a)b", r"(a)\1", "(?P<x>a)(?P=x)"])
def test_look_around_and_back_references_are_too_hard_for_hyperscan(pattern: str) -> None:
    with pytest.raises(PatternTooSlow, match="one of the patterns cannot be matched in bounded time: "):
        pattern_matcher(["fine", pattern])


def test_without_patterns_nothing_matches() -> None:
    assert pattern_matcher([])("API key invalid") == []


def test_without_hyperscan_there_is_the_other_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hyperscan", None)
    assert pattern_matcher(["Disk.*full"])("full disk") == ["Disk.*full"]
    with pytest.raises(PatternTooSlow, match="install hyperscan"):
        pattern_matcher(["(a+)+$"])


@pytest.mark.parametrize("engine", BOTH)
def test_only_the_beginning_of_long_lines_and_texts_is_looked_at(engine: Engine) -> None:
    match = engine(["needle"])
    assert match("x" * (LINE - 6) + "needle") == ["needle"]
    assert match("x" * (LINE - 5) + "needle") == []
    assert match("x" * LINE * 2 + "\nneedle") == ["needle"]
    assert match("x\n" * (TEXT // 2) + "needle") == []


@pytest.mark.parametrize("engine", BOTH)
def test_text_that_is_no_utf_8_harms_nothing(engine: Engine) -> None:
    assert engine(["disk"])("\udcff disk \ufffd\0") == ["disk"]

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.secrets.redaction import REDACTED, redactor
from tasks.providers.cleaning import cleaner

from .conftest import SECRET


@pytest.mark.parametrize(
    "echo",
    [
        f"wrong key {SECRET}!",
        SECRET * 3,
        f"{'x' * 4990}{SECRET}",
        f"{'x ' * 90}{SECRET}",
        f"Bearer {SECRET}",
        SECRET.replace("-", "%2D"),
        SECRET.replace("-", "\\u002d"),
    ],
)
def test_the_key_does_not_come_back(echo: str) -> None:
    shown = cleaner(SECRET)(echo)
    assert SECRET not in shown
    assert "4711" not in shown
    assert len(shown) <= 200


@pytest.mark.parametrize("before", [0, 150, 190, 4990, 4999])
def test_a_secret_is_taken_out_before_anything_is_cut(before: int) -> None:
    # what fills the beginning is a secret itself, so that the place where the text is cut comes into view
    hidden = f"token={'y' * 20}{'z9' * before} password=made-up-words-only-{'q' * 300}"
    assert cleaner(SECRET, redactor())(hidden) == f"token={REDACTED} password={REDACTED}"
    shown = cleaner(SECRET, redactor())(f"{'x ' * (before // 2)}password=made-up-words-only-99")
    assert "made" not in shown


def test_a_short_key_does_not_come_back_either() -> None:
    assert cleaner("abc")("the key abc is wrong") == f"the key {REDACTED} is wrong"


def test_the_end_of_a_key_that_providers_quote_is_taken_out() -> None:
    assert cleaner(SECRET)("Your api key: ****4711 is invalid") == f"Your api key: {REDACTED} is invalid"
    assert "4711" not in cleaner(SECRET)("Incorrect key provided: the-ke******4711.")


def test_what_the_caller_knows_is_taken_out_as_well() -> None:
    assert cleaner(SECRET, redactor(["another-secret"]))("it is another-secret") == f"it is {REDACTED}"


def test_what_a_terminal_would_obey_is_escaped() -> None:
    assert cleaner(SECRET)('a\nb\t"c" \x1b[31m') == "a b 'c' \\x1b[31m"


@pytest.mark.parametrize(("length", "shown"), [(199, 199), (200, 200), (201, 200)])
def test_long_words_are_cut(length: int, shown: int) -> None:
    text = cleaner(SECRET)("é" * length)
    assert len(text) == shown
    assert text.endswith("…") is (length > 200)


@given(st.text(), st.from_regex(re.compile(r"[a-zA-Z0-9]{12,40}", re.ASCII), fullmatch=True), st.text())
def test_no_text_around_it_brings_a_key_back(before: str, key: str, after: str) -> None:
    shown = cleaner(key)(before + key + after)
    assert key not in shown
    assert shown.isprintable()


@pytest.mark.parametrize("piece", [SECRET[:12], SECRET[-12:], SECRET[1:13], SECRET[:-1]])
def test_a_piece_of_the_key_does_not_come_back(piece: str) -> None:
    shown = cleaner(SECRET)(f"the key <{piece}> is wrong")
    assert piece not in shown
    assert shown.startswith("the key <[redacted]")


def test_what_is_too_short_to_tell_of_a_key_stays() -> None:
    assert SECRET[2:13] in cleaner(SECRET)(f"the key <{SECRET[2:13]}> is wrong")

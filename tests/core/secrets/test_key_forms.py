"""The keys of this file are made when the tests run, so that no scanner finds any in it."""

from __future__ import annotations

import importlib
import random
import re
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.audit.security.secret_patterns import secrets_in
from tasks.core.secrets.key_forms import BEGINS, FORMS, INNER, Form, Inner
from tasks.core.secrets.key_matching import matches, shared_begins
from tasks.core.secrets.redaction import REDACTED, redactor

_PARSER: Any = importlib.import_module("re._parser")
_ALPHABETS = {r"\w": string.ascii_letters + string.digits, r"\d": string.digits}


def made(pattern: str, chance: random.Random) -> str:
    """Return random text that a pattern of a form matches; of a repeat without a bound the least."""
    return _text(_PARSER.parse(pattern), chance)


def _text(parsed: Any, chance: random.Random) -> str:
    text = ""
    for operation, value in parsed:
        name = str(operation)
        if name == "LITERAL":
            text += chr(value)
        elif name == "IN":
            text += chance.choice(_members(value))
        elif name in {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}:
            text += "".join(_text(value[2], chance) for _ in range(value[0]))
        elif name == "SUBPATTERN":
            text += _text(value[3], chance)
        elif name == "BRANCH":
            text += _text(value[1][0], chance)
    return text


def _members(members: Any) -> str:
    letters = ""
    for operation, value in members:
        name = str(operation)
        if name == "RANGE":
            letters += "".join(map(chr, range(value[0], value[1] + 1)))
        elif name == "CATEGORY":
            letters += _ALPHABETS[r"\w"]
    return letters or chr(members[0][1])


def keys_of(form: Form) -> list[str]:
    """Return keys as a form has them; those that by chance miss what a lookahead asks for are left out."""
    found = []
    for begin in form.begins:
        for seed in range(30):
            body = made(form.certain, random.Random(f"{begin} {seed}"))
            if re.fullmatch(form.certain, body, re.ASCII):
                found.append(begin + body)
    return found


def test_the_keys_of_more_than_a_hundred_providers_are_known() -> None:
    assert len({form.kind.removeprefix("access ").partition(" of ")[2] for form in FORMS}) > 100


@pytest.mark.parametrize("form", FORMS, ids=lambda form: f"{form.kind} {form.begins[0]}")
def test_a_key_is_taken_out_as_a_bare_argument_and_found_in_a_file(form: Form) -> None:
    redact = redactor()
    keys = keys_of(form)
    assert len(keys) >= 10
    redacted = sum(redact(f"run {key} now") == f"run {REDACTED} now" for key in keys)
    found = sum(len(secrets_in(f"run {key} now".encode())) == 1 for key in keys)
    assert (redacted, found) >= (0.93 * len(keys), 0.9 * len(keys))
    assert found >= 0.9 * len(keys)


@pytest.mark.parametrize("inner", INNER, ids=lambda inner: f"{inner.kind} {inner.sign[:9]}")
def test_a_key_is_known_by_a_sign_inside_it(inner: Inner) -> None:
    pattern = inner.whole.removeprefix("(?<![A-Za-z0-9])")
    keys = [made(pattern, random.Random(seed)) for seed in range(10)]
    assert all(redactor()(f"run {key} now") == f"run {REDACTED} now" for key in keys)
    assert all(len(secrets_in(f"run {key} now".encode())) == 1 for key in keys)
    assert not any([*matches(f"a{key}", certain=True)] for key in keys)


@pytest.mark.parametrize("begin", BEGINS)
def test_a_begin_alone_is_no_key(begin: str) -> None:
    for text in (begin, f"{begin} is what it begins with", f"{begin}…", f"the {begin}-like ones"):
        assert redactor()(text) == text


def test_the_longest_begin_says_whose_key_it_is() -> None:
    chance = random.Random(1)
    body = "".join(chance.choices(string.ascii_letters + string.digits, k=95))
    kinds = {key.kind for key in matches("sk-" + f"ant-api03-{body}", certain=True)}
    assert kinds == {"key of Anthropic"}
    assert {key.kind for key in matches("sk-" + body, certain=True)} == {"key of OpenAI, DeepSeek or the like"}


def test_no_key_begins_inside_a_word_or_inside_base64() -> None:
    chance = random.Random(2)
    body = "".join(chance.choices(string.ascii_uppercase + string.digits, k=16))
    assert [*matches("AK" + f"IA{body}", certain=True)]
    assert not [*matches("xAK" + f"IA{body}", certain=True)]
    assert not [*matches("q7Rk2mPz9Xw4Lk3Vb6Ny8Tc5/AK" + f"IA{body}", certain=True)]


def test_the_full_stop_of_a_sentence_is_no_part_of_a_key() -> None:
    key = "gl" + "pat-" + "f00dCafe0123456789Zx"
    assert redactor()(f"It is {key}.") == f"It is {REDACTED}."


@given(st.lists(st.text("ab_-", min_size=1, max_size=4), min_size=1, max_size=8), st.text("ab_-", max_size=12))
def test_begins_that_are_shared_match_what_each_of_them_does(words: list[str], text: str) -> None:
    shared = re.compile(shared_begins(words))
    for at in range(len(text)):
        longest = max((len(word) for word in words if text.startswith(word, at)), default=None)
        match = shared.match(text, at)
        assert (match and len(match[0])) == longest

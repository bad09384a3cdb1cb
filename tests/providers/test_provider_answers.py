from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.providers.answers import (
    Amount,
    Balance,
    Completion,
    KeyState,
    Malformed,
    Model,
    Offer,
    balance,
    completion,
    is_html,
    key_state,
    models,
    offer,
    words,
)

_READERS: list[Callable[[bytes], Any]] = [completion, models, balance, key_state]


def _chat(content: object = "text", *, usage: object = None, **choice: object) -> bytes:
    message = {"content": content, **({"reasoning_content": choice.pop("thoughts")} if "thoughts" in choice else {})}
    return json.dumps({"choices": [{"message": message, **choice}], "usage": usage}).encode()


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ({"completion_tokens": 16}, 16),
        ({"completion_tokens": 0}, 0),
        ({"completion_tokens": -1}, None),
        ({"completion_tokens": True}, None),
        ({"completion_tokens": "16"}, None),
        ({}, None),
        ([], None),
        (None, None),
    ],
)
def test_tokens_are_those_that_are_reported_and_no_others(usage: object, tokens: int | None) -> None:
    assert completion(_chat(usage=usage)) == Completion(tokens)


def test_a_completion_without_usage_or_with_thoughts_alone_is_one() -> None:
    assert completion(b'{"choices": [{"message": {"content": ""}}]}') == Completion(None)
    assert completion(_chat(None, thoughts="hm")) == Completion(None)
    assert completion(_chat(None, finish_reason="length")) == Completion(None)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "it is empty"),
        (b"<!DOCTYPE html><p>", "an HTML page"),
        (b"\xef\xbb\xbf <HTML>", "an HTML page"),
        (b"<html", "an HTML page"),
        (b'{"choices": [{"mess', 'no complete JSON and begins with {"choices"'),
        (b"[" * 100_000, "expected `object`"),
        (b'{"choices": [], "usage": ' + b"[" * 100_000, "no complete JSON"),
        (b"\xff\xfe", "no complete JSON"),
        (b"[]", "expected `object`"),
        (b"{}", "missing required field"),
        (b'{"error": {"message": "busy"}}', "and says: busy"),
        (b'{"choices": []}', "holds no choice"),
        (_chat(None), "has no content"),
        (_chat(None, finish_reason="stop"), "has no content"),
        (_chat(5), "content"),
        (b'{"choices": [{"message": {"content": "\\ud800"}}]', "no complete JSON"),
    ],
)
def test_what_is_no_completion_is_described(body: bytes, message: str) -> None:
    with pytest.raises(Malformed) as raised:
        completion(body)
    assert message in str(raised.value)
    assert len(str(raised.value)) < 200


_VALUES = st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists)


@given(st.binary() | _VALUES.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_an_answer_or_malformed(body: bytes) -> None:
    for read in _READERS:
        with suppress(Malformed):
            read(body)
    words(body)


def test_models_are_listed_with_their_other_names() -> None:
    body = b'{"data": [{"id": "a"}, {"id": "b", "aliases": ["c", 1]}, {"id": ""}, {"id": 5}, {}]}'
    assert models(body) == (Model("a"), Model("b", ("c",)))
    assert models(b'{"models": [{"id": "a", "aliases": "c"}]}') == (Model("a"),)


@pytest.mark.parametrize("body", [b"{}", b'{"data": []}', b'{"data": [{}]}', b'{"data": {}}', b'{"data": [1]}'])
def test_a_list_without_models_is_none(body: bytes) -> None:
    with pytest.raises(Malformed):
        models(body)


def test_a_model_is_offered_by_its_name_or_another() -> None:
    listed = (Model("grok-4-0709", ("grok-4",)), Model("x"))
    assert offer(listed, "grok-4").offered
    assert offer(listed, "x").offered
    assert not offer(listed, "grok").offered
    assert not offer(listed, "").offered


def test_the_names_most_like_the_wanted_one_come_first_and_are_cleaned() -> None:
    listed = tuple(map(Model, ["a", "b", "grok-2", "c", "grok-3-x", "grok-3"]))
    assert offer(listed, "grok-3", str.upper) == Offer(
        offered=True, names=("GROK-3-X", "GROK-3", "GROK-2", "A", "B"), total=6
    )


def test_a_balance_is_read_as_far_as_it_can_be() -> None:
    infos = [
        {"currency": "USD", "total_balance": "12.50"},
        {"currency": "CNY", "total_balance": 3},
        {"currency": "usd", "total_balance": "1"},
        {"currency": "EUR", "total_balance": "much"},
        {"currency": "EUR", "total_balance": "nan"},
        {"currency": "EUR", "total_balance": True},
        {"currency": 5, "total_balance": "1"},
        {},
    ]
    body = json.dumps({"is_available": True, "balance_infos": infos}).encode()
    assert balance(body) == Balance(available=True, amounts=(Amount("USD", 12.5), Amount("CNY", 3)))
    assert balance(b'{"is_available": false}') == Balance(available=False, amounts=())


def test_a_number_out_of_every_range_is_no_balance() -> None:
    body = b'{"is_available": true, "balance_infos": [{"currency": "USD", "total_balance": 1' + b"0" * 400 + b"}]}"
    with suppress(Malformed):
        assert balance(body).amounts == ()


@pytest.mark.parametrize("body", [b"{}", b'{"is_available": "yes"}', b'{"is_available": true, "balance_infos": {}}'])
def test_what_is_no_balance_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        balance(body)


def test_the_state_of_a_key_names_what_is_closed() -> None:
    flags = {"api_key_blocked": False, "api_key_disabled": False, "team_blocked": False}
    assert key_state(json.dumps(flags).encode()) == KeyState(())
    for name, words_for_it in (
        ("api_key_blocked", "the key is blocked"),
        ("api_key_disabled", "the key is disabled"),
        ("team_blocked", "the team is blocked"),
    ):
        assert key_state(json.dumps({**flags, name: True}).encode()) == KeyState((words_for_it,))
    assert key_state(b'{"team_blocked": true, "api_key_blocked": "no"}') == KeyState(("the team is blocked",))
    with pytest.raises(Malformed, match="api_key_blocked"):
        key_state(b'{"api_key_blocked": 1}')


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"error": {"message": "Model Not Exist"}}', "Model Not Exist"),
        (b'{"code": "x", "error": "no such model"}', "no such model"),
        (b'{"message": "m"}', "m"),
        (b'{"detail": "d"}', "d"),
        (b'{"error": {"code": 5}, "detail": "d"}', "d"),
        (b'{"error": 5}', ""),
        (b'"text"', "text"),
        (b"[1]", ""),
        (b"plain \xff", "plain \ufffd"),
        (b"<html><p>long", "an HTML page"),
        (b"[" * 100_000, "[" * 100_000),
        (b"", ""),
    ],
)
def test_the_words_of_an_error_are_its_message(body: bytes, message: str) -> None:
    assert words(body) == message


@pytest.mark.parametrize(("body", "expected"), [(b"<head>", True), (b"<body>", True), (b"<xml>", False), (b"", False)])
def test_a_page_is_known_by_its_beginning(body: bytes, *, expected: bool) -> None:
    assert is_html(body) is expected

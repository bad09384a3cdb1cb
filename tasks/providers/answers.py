"""What is in the answers of providers: pure functions from bytes to values, or to what is wrong with them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from itertools import takewhile
from typing import Any

import msgspec

from ..core.secrets.redaction import redactor, shortened

_BEGINNING = 60
"""Characters of an answer that is no JSON that a message quotes."""


class Malformed(Exception):
    """The answer is not what the API promises; the text says what was found, as the end of a sentence."""


class Completion(msgspec.Struct, frozen=True):
    """A chat completion: how many tokens it has, where the provider says so."""

    tokens: int | None


class Model(msgspec.Struct, frozen=True):
    """One model that a provider offers, and other names that it answers to."""

    id: str
    aliases: tuple[str, ...] = ()


class Offer(msgspec.Struct, frozen=True):
    """What a list of models means for the one that the project uses.

    Attributes:
        offered: whether it is among them, by its name or by another that it answers to.
        names: the first of the offered ones, those that begin most like it before the others.
        total: how many are offered.
    """

    offered: bool
    names: tuple[str, ...]
    total: int


class Amount(msgspec.Struct, frozen=True):
    """Money of one currency on an account."""

    currency: str
    total: float


class Balance(msgspec.Struct, frozen=True):
    """What DeepSeek's ``GET /user/balance`` says.

    Attributes:
        available: whether there is enough for API calls.
        amounts: the balance per currency, as far as it can be read.
    """

    available: bool
    amounts: tuple[Amount, ...]


class KeyState(msgspec.Struct, frozen=True):
    """What xAI's ``GET /v1/api-key`` says: which of key and team are blocked or disabled, in words."""

    closed: tuple[str, ...]


class _Message(msgspec.Struct):
    content: str | None = None
    reasoning_content: str | None = None


class _Choice(msgspec.Struct):
    message: _Message
    finish_reason: str | None = None


class _Completion(msgspec.Struct):
    choices: list[_Choice]
    usage: Any = None


def completion(body: bytes) -> Completion:
    """Return the chat completion in *body*.

    A message without content is one of a model that thinks: its thoughts are there, or took all the tokens.

    Raises:
        Malformed: it holds none.
    """
    found = _decoded(body, _Completion)
    if not found.choices:
        raise Malformed("it holds no choice")
    choice = found.choices[0]
    if choice.message.content is None and choice.message.reasoning_content is None and choice.finish_reason != "length":
        raise Malformed("its first choice has no content")
    tokens = found.usage.get("completion_tokens") if isinstance(found.usage, dict) else None
    return Completion(tokens if isinstance(tokens, int) and not isinstance(tokens, bool) and tokens >= 0 else None)


class _Models(msgspec.Struct):
    data: list[dict[str, Any]] = []
    models: list[dict[str, Any]] = []


def models(body: bytes) -> tuple[Model, ...]:
    """Return the models in *body*: in the list ``data``, or ``models`` as xAI's ``/language-models`` calls it.

    Raises:
        Malformed: it names none.
    """
    found = _decoded(body, _Models)
    entries = [entry for entry in (*found.data, *found.models) if isinstance(entry.get("id"), str) and entry["id"]]
    if not entries:
        raise Malformed("it names no model")
    return tuple(Model(entry["id"], _texts(entry.get("aliases"))) for entry in entries)


_NAMED = 5
"""Models that a message names."""


def offer(found: Sequence[Model], wanted: str, clean: Callable[[str], str] = str) -> Offer:
    """Return what the models *found* mean for *wanted*; *clean* makes the server's names fit to be shown."""
    near = sorted((model.id for model in found), key=lambda name: -_in_common(name, wanted))
    offered = any(wanted in {model.id, *model.aliases} for model in found)
    return Offer(offered, tuple(map(clean, near[:_NAMED])), len(found))


def _in_common(name: str, wanted: str) -> int:
    """Return how many characters both begin with."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(name, wanted, strict=False)))


def _texts(value: object) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


_CURRENCY = re.compile(r"[A-Z]{3}")  # ISO 4217


class _Balance(msgspec.Struct):
    is_available: bool
    balance_infos: list[dict[str, Any]] = []


def balance(body: bytes) -> Balance:
    """Return the balance in *body*.

    Raises:
        Malformed: it holds none.
    """
    found = _decoded(body, _Balance)
    amounts = []
    for info in found.balance_infos:
        currency, total = info.get("currency"), _number(info.get("total_balance"))
        if isinstance(currency, str) and _CURRENCY.fullmatch(currency) and total is not None:
            amounts.append(Amount(currency, total))
    return Balance(found.is_available, tuple(amounts))


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


_FLAGS = {
    "api_key_blocked": "the key is blocked",
    "api_key_disabled": "the key is disabled",
    "team_blocked": "the team is blocked",
}


def key_state(body: bytes) -> KeyState:
    """Return the state of the key in *body*.

    Raises:
        Malformed: it says nothing of it.
    """
    found = _decoded(body, dict[str, Any])
    flags = {name: found[name] for name in _FLAGS if isinstance(found.get(name), bool)}
    if not flags:
        raise Malformed(f"it has none of {', '.join(_FLAGS)}")
    return KeyState(tuple(_FLAGS[name] for name, value in flags.items() if value))


def _decoded(body: bytes, kind: Any) -> Any:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        message = _message(body)
        raise Malformed(f"{_first_lower(str(error))}{f', and says: {message}' if message else ''}") from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise Malformed(_no_json(body)) from None


def _first_lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _no_json(body: bytes) -> str:
    if not body:
        return "it is empty"
    if is_html(body):
        return "it is an HTML page"
    beginning = shortened(body.decode("utf-8", "replace"), _BEGINNING, redactor())
    return f"it is no complete JSON and begins with {beginning}"


def is_html(body: bytes) -> bool:
    """Return whether *body* is a page for people."""
    return (
        body[:200].lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith((b"<!doctype html", b"<html", b"<head", b"<body"))
    )


def words(body: bytes) -> str:
    """Return what an error's body says: the message where it is JSON as OpenAI, DeepSeek or xAI send it, else all."""
    message = _message(body)
    if message is None:
        return "an HTML page" if is_html(body) else body.decode("utf-8", "replace")
    return message


def _message(body: bytes) -> str | None:
    """Return the message of an error in JSON, empty where there is none; ``None`` where *body* is no JSON."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if isinstance(found, dict):
        for value in (found.get("error"), found.get("message"), found.get("detail")):
            text = value.get("message") if isinstance(value, dict) else value
            if isinstance(text, str):
                return text
    return found if isinstance(found, str) else ""

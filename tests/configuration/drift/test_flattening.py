from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.configuration.drift.flattening import flatten, same, shown
from tasks.configuration.reading.python_reader import Unknown, read_python
from tasks.configuration.secret_values import Sealer
from tasks.core.secrets.redaction import redactor

sealer = Sealer(b"k" * 32)
redact = redactor(["known-value-12345"])

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=20,
)


def number_of_scalars(value: Any) -> int:
    if isinstance(value, dict | list) and value:
        return sum(map(number_of_scalars, value.values() if isinstance(value, dict) else value))
    return 1


def turned(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: turned(value[key]) for key in reversed(value)}
    return [turned(each) for each in value] if isinstance(value, list) else value


@given(DOCUMENTS)
def test_every_value_has_a_path_of_its_own_whatever_the_order_of_keys(value: Any) -> None:
    found = flatten(value, sealer, redact)
    assert len(found) == number_of_scalars(value)
    assert flatten(turned(value), sealer, redact) == found
    decoded = msgspec.json.decode(msgspec.json.encode(found))
    assert all(same(found[path], leaf) for path, leaf in decoded.items())


@pytest.mark.parametrize(
    ("value", "leaf", "text"),
    [
        (1, 1, "1"),
        (1.5, 1.5, "1.5"),
        (None, None, "null"),
        (True, True, "true"),
        (False, False, "false"),
        ("text", "text", "text"),
        ("two\nlines", "two\nlines", "two\\nlines"),
        (float("inf"), "inf", "inf"),
        (1 << 70, str(1 << 70), str(1 << 70)),
        ({}, {"empty": "mapping"}, "{}"),
        ([], {"empty": "list"}, "[]"),
        ((), {"empty": "list"}, "[]"),
        (date(2026, 1, 31), "2026-01-31", "2026-01-31"),
        (b"raw", "b'raw'", "b'raw'"),
        (Unknown("it is computed", "f(x)", 3), {"unknown": "f(x)"}, "⟨f(x)⟩"),
    ],
)
def test_a_value_as_it_is_kept_and_as_it_is_shown(value: Any, leaf: Any, text: str) -> None:
    found = flatten({"a": value}, sealer, redact)["a"]
    assert found == leaf
    assert shown(found) == text


def test_a_long_text_is_kept_by_its_beginning_and_its_digest() -> None:
    one = flatten({"a": "x" * 400}, sealer, redact)["a"]
    other = flatten({"a": "x" * 399 + "y"}, sealer, redact)["a"]
    assert isinstance(one, dict)
    assert (one["text"], one["length"]) == ("x" * 120, 400)
    assert not same(one, other)
    assert shown(one) == f"{'x' * 120}… (400 characters)"


def test_a_set_has_no_order() -> None:
    assert flatten({"a": {3, 1, 2}}, sealer, redact) == {"a[0]": 1, "a[1]": 2, "a[2]": 3}


def test_secrets_are_hashes_by_their_name_wherever_they_lie() -> None:
    value = {
        "db": {"password": "hunter2", "retries": 3},
        "credentials": {"main": ["a-secret", {"deep": 12345}]},
        "token": None,
        "secret": "",
        "api_key": True,
    }
    found = flatten(value, sealer, redact)
    assert found["db.password"] == {"secret": sealer.seal("hunter2")}
    assert found["credentials.main[0]"] == {"secret": sealer.seal("a-secret")}
    assert found["credentials.main[1].deep"] == {"secret": sealer.seal("12345")}
    assert (found["db.retries"], found["token"], found["secret"], found["api_key"]) == (3, None, "", True)
    assert shown(found["db.password"]) == "[secret]"


def test_secrets_are_hashes_by_their_form() -> None:
    texts = [
        "sk-abcdefgh12345678",
        "postgres://user:swordfish@host/x",
        "has known-value-12345 in it",
        "Zx81Qw90Er72Ty63Ui54Op",
    ]
    found = flatten({"list": texts, "plain": "density"}, sealer, redact)
    assert [found[f"list[{number}]"] for number in range(4)] == [{"secret": sealer.seal(text)} for text in texts]
    assert found["plain"] == "density"


def test_a_secret_that_is_a_key_is_in_no_path() -> None:
    (path,) = flatten({"owners": {"sk-abcdefgh12345678": 1}}, sealer, redact)
    assert path == f'owners."[secret {sealer.seal("sk-abcdefgh12345678")}]"'
    (other,) = flatten({"owners": {"sk-abcdefgh12345679": 1}}, sealer, redact)
    assert path != other


def test_a_secret_above_a_branch_is_in_no_path_either() -> None:
    paths = [*flatten({"sk-abcdefgh12345678": {"limits": [1, 2]}}, sealer, redact)]
    assert len(paths) == 2
    assert not [path for path in paths if "sk-" in path]


def test_the_expression_of_what_is_not_known_may_be_secret_too() -> None:
    module = read_python("import os\nA = os.getenv('X', 'sk-abcdefgh12345678')\nAPI_KEY = os.getenv('K', 'hunter2')\n")
    found = flatten(module.value, sealer, redact)
    assert [*found["A"]] == [*found["API_KEY"]] == ["secret"]  # type: ignore[misc]


def test_everything_is_secret_where_that_is_said() -> None:
    found = flatten({"PLAIN": "x", "EMPTY": "", "UNSET": None}, sealer, redact, secret=True)
    assert found == {"PLAIN": {"secret": sealer.seal("x")}, "EMPTY": "", "UNSET": None}


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [(1, 1.0, True), (1, True, False), (0, False, False), (True, True, True), ("1", 1, False), (None, False, False)],
)
def test_numbers_are_one_by_their_value_and_truth_is_no_number(one: Any, other: Any, *, expected: bool) -> None:
    assert same(one, other) is expected
    assert same(other, one) is expected

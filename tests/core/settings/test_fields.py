from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.settings import fields
from tasks.core.settings.all_settings import defaults
from tasks.core.settings.fields import Branch, Mapping, Setting, boolean, children, describe, dotted, from_text, node_at
from tasks.core.settings.loading import load
from tasks.core.settings.sources import Sources

SOME_FOLDER = Path(__file__).parent
LEAVES = sorted(load(Sources([], {}, [], SOME_FOLDER)).origins)


def _default(path: tuple[str, ...]) -> object:
    value: object = defaults()
    for key in path:
        assert isinstance(value, dict)
        value = value[key]
    return value


@pytest.mark.parametrize("path", LEAVES, ids=dotted)
def test_every_setting_takes_its_default_and_says_in_words_what_it_takes(path: tuple[str, ...]) -> None:
    setting = node_at(path)
    assert setting.accepts(_default(path))
    assert len(describe(setting)) > len("a ")


@pytest.mark.parametrize("path", LEAVES, ids=dotted)
def test_every_setting_is_described_or_stands_in_a_mapping_that_is(path: tuple[str, ...]) -> None:
    above: fields.Node | None = fields.root_node()
    for key in path[:-1]:
        assert isinstance(above, Branch | Mapping)
        above = above.child(key)
    assert isinstance(above, Branch | Mapping)
    text = above.description if isinstance(above, Mapping) else node_at(path).description
    assert text.endswith(".")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("root", "a text"),
        ("output", "one of text, json"),
        ("logs.allow_copytruncate", "true or false"),
        ("logs.recent_errors", "a whole number, 0 or more"),
        ("logs.window_hours", "a number from 0 to 1000000"),
        ("health.cpu_percent", "a number from 0 to 100"),
        ("cache.min_hit_rate", "a number from 0 to 1"),
        ("cache.expiry_hours.anything", "a number from 0 to 1000000"),
        ("cache.prefixes.anything", "a text"),
        ("configuration.files", "a list of texts"),
        ("dependencies.ignore", "a list of records with id, package, reason and until"),
        ("providers.anyone.probe", "one of chat, models"),
    ],
)
def test_what_a_setting_takes_is_said_in_words(path: str, words: str) -> None:
    assert describe(node_at(tuple(path.split(".")))) == words


@pytest.mark.parametrize("path", [(), ("cache",), ("cache", "expiry_hours"), ("nothing",), ("root", "below", "it")])
def test_there_is_no_setting_where_a_section_or_nothing_stands(path: tuple[str, ...]) -> None:
    with pytest.raises(KeyError, match=dotted(path)):
        node_at(path)


def test_settings_of_a_provider_that_have_no_default_are_required() -> None:
    required = {
        name for name in ("base_url", "model", "key_env", "probe") if node_at(("providers", "x", name)).required
    }
    assert required == {"base_url", "model", "key_env"}


@pytest.mark.parametrize("key", [1, None, True, 1.5])
def test_only_text_is_a_key(key: object) -> None:
    cache = fields.root_node().child("cache")
    assert isinstance(cache, Branch)
    kinds = cache.child("expiry_hours")
    assert isinstance(kinds, Mapping)
    assert cache.child(key) is None
    assert kinds.child(key) is None
    assert isinstance(kinds.child("anything"), Setting)


def test_a_mapping_has_the_names_that_the_tree_gives_it() -> None:
    kinds = Mapping(Setting(int, required=False, description=""), "")
    assert [name for name, _ in children(kinds, {"a": 1, "b": 2})] == ["a", "b"]
    assert list(children(kinds, None)) == []
    assert list(children(kinds, ["a"])) == []


def test_a_section_has_its_fields_whatever_the_tree_holds() -> None:
    assert [name for name, _ in children(fields.root_node(), None)] == list(defaults())


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_no_number_that_is_not_finite_is_accepted(number: float) -> None:
    assert not node_at(("logs", "window_hours")).accepts(number)
    assert not Setting(float, required=False, description="").accepts(number)


def test_a_number_without_limits_is_described_without_them() -> None:
    assert describe(Setting(float, required=False, description="")) == "a number"


def _meaning(word: str) -> bool | None:
    try:
        return boolean(word)
    except ValueError:
        return None


@given(st.text() | st.sampled_from(["true", " YES", "On", "1", "false ", "NO", "off", "0"]))
def test_a_word_is_a_boolean_or_an_error(word: str) -> None:
    known = word.strip().lower()
    if known in {"true", "yes", "on", "1"}:
        assert _meaning(word) is True
    else:
        assert _meaning(word) is (False if known in {"false", "no", "off", "0"} else None)


@given(st.booleans(), st.sampled_from([str.lower, str.upper, str.title]))
def test_a_boolean_survives_as_text(value: bool, spelling: object) -> None:  # noqa: FBT001 - hypothesis passes it
    assert callable(spelling)
    assert from_text(spelling(str(value)), node_at(("logs", "allow_copytruncate"))) is value


@given(st.integers())
def test_a_whole_number_survives_as_text(number: int) -> None:
    assert from_text(f" {number} ", node_at(("logs", "recent_errors"))) == number


@given(st.floats(allow_nan=False))
def test_a_number_survives_as_text(number: float) -> None:
    assert from_text(repr(number), node_at(("logs", "window_hours"))) == number


@given(st.lists(st.text(st.characters(exclude_characters=","), min_size=1).map(str.strip).filter(bool)))
def test_a_list_survives_as_text(items: list[str]) -> None:
    assert from_text(", ".join(items), node_at(("configuration", "files"))) == items


@given(st.text())
def test_a_text_is_taken_as_it_is(text: str) -> None:
    assert from_text(text, node_at(("logs", "pattern"))) == text


def test_full_names_start_with_the_suites_key() -> None:
    assert dotted(("cache", "directory")) == "maintenance.cache.directory"
    assert dotted(()) == "maintenance"

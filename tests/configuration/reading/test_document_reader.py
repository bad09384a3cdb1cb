from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tasks.configuration.reading.document_reader import read_document
from tasks.configuration.reading.ini_reader import read_ini
from tasks.configuration.reading.json_reader import read_json
from tasks.configuration.reading.parsed_document import Document
from tasks.configuration.reading.toml_reader import read_toml

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def places_of(found: Document) -> list[tuple[str, int, int]]:
    return [problem[:3] for problem in found.problems]


# JSON


@given(JSON, st.sampled_from([None, 2]))
def test_json_says_what_it_says(value: Any, indent: int | None) -> None:
    assert read_json(json.dumps(value, indent=indent)) == Document(value)
    assert read_json(json.dumps(value, ensure_ascii=False)) == Document(value)


def test_equal_keys_of_json_are_told_with_both_lines() -> None:
    text = '{\n "a": {"x": 1,\n  "x": 2},\n "b": [{"x": 1}, {"x": 2, "\\u0078": ":{\\"x\\":"}],\n "a": "a"\n}'
    found = read_json(text)
    assert found.value == {"a": "a", "b": [{"x": 1}, {"x": ':{"x":'}]}
    assert places_of(found) == [
        ("the key 'x' stands on line 2 already; this one counts", 3, 3),
        ("the key 'x' stands on line 4 already; this one counts", 4, 27),
        ("the key 'a' stands on line 2 already; this one counts", 5, 2),
    ]
    assert found.problems[0].excerpt == '  "x": 2},\n  ^'


def test_no_more_than_twenty_keys_are_told() -> None:
    pairs = ", ".join(['"a": 1'] * 50)
    assert len(read_json(f"{{{pairs}}}").problems) == 20


def test_a_fault_of_json_has_its_place() -> None:
    found = read_json('{\n "a": 1\n "b": 2\n}')
    assert (found.readable, places_of(found)) == (False, [("expecting ',' delimiter", 3, 2)])
    assert found.problems[0].excerpt == ' "b": 2\n ^'


@pytest.mark.parametrize("text", ["[" * 100_000 + "]" * 100_000, "1" * 10_000])
def test_json_that_is_too_much_is_told(text: str) -> None:
    found = read_json(text)
    assert (found.readable, len(found.problems)) == (False, 1)


def test_numbers_that_only_python_writes_are_read() -> None:
    assert str(read_json("[NaN, Infinity]").value) == "[nan, inf]"


# TOML


def test_toml_says_what_it_says() -> None:
    assert read_toml("[a]\nb = [1, 2]\n") == Document({"a": {"b": [1, 2]}})


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a = 1\nb = = 2\n", ("invalid value", 2, 5)),
        ("a = 1\na = 2\n", ("cannot overwrite a value", 2, 6)),
        ("a = [1,\n", ("invalid value", 2, 1)),
        ('a = """x\ny', ('expected \'"""\'', 2, 2)),
    ],
)
def test_a_fault_of_toml_has_its_place(text: str, problem: tuple[str, int, int]) -> None:
    found = read_toml(text)
    ((message, line, column),) = places_of(found)
    assert (found.readable, line, column) == (False, *problem[1:])
    assert message == problem[0] or message.startswith(("invalid value", "unterminated string"))


def test_toml_that_is_nested_too_deeply_is_told() -> None:
    found = read_toml(f"a = {'[' * 20_000}{']' * 20_000}")
    assert (found.readable, len(found.problems)) == (False, 1)


# INI


def test_ini_says_what_it_says() -> None:
    text = "[DEFAULT]\nA = 1\n[b]\nKey: %(no)s\nflag\nlong = x\n  y\n; note\n"
    assert read_ini(text) == Document({"DEFAULT": {"A": "1"}, "b": {"Key": "%(no)s", "flag": None, "long": "x\ny"}})


@pytest.mark.parametrize(
    ("text", "value", "problem"),
    [
        ("[a]\nx = 1\nx = 2\n", {"a": {"x": "2"}}, ("the key 'x' stands twice in 'a'; this one counts", 3, 1)),
        (
            "[a]\nx = 1\n[a]\ny = 2\n",
            {"a": {"x": "1", "y": "2"}},
            ("the section 'a' stands twice; both count as one", 3, 1),
        ),
    ],
)
def test_what_stands_twice_in_ini_is_told(text: str, value: Any, problem: tuple[str, int, int]) -> None:
    found = read_ini(text)
    assert (found.value, places_of(found), found.readable) == (value, [problem], True)


def test_faults_of_ini_have_their_places_and_no_text_but_the_excerpt() -> None:
    found = read_ini("# note\npassword = hunter2\n[a]\n")
    assert (found.readable, places_of(found)) == (False, [("a line above the first [section]", 2, 1)])
    found = read_ini("[a]\nx = 1\n= hunter2\n")
    kind = "a line that is neither key, comment nor [section]"
    assert (found.readable, places_of(found)) == (False, [(kind, 3, 1)])
    both = read_ini("[a]\nx = 1\nx = 2\n= 3\n")
    assert (both.readable, [line for _, line, _ in places_of(both)]) == (False, [3, 4])


def test_a_line_that_continues_nothing_is_told() -> None:
    found = read_ini("[a]\nflag\n more\n")
    assert (found.readable, len(found.problems)) == (False, 1)


# All of them


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("a.py", "A = 1", {"A": 1}),
        ("a.yaml", "a: 1", {"a": 1}),
        ("A.YML", "a: 1", {"a": 1}),
        ("a.json", '{"a": 1}', {"a": 1}),
        ("a.toml", "a = 1", {"a": 1}),
        ("a.ini", "[a]\nb = 1", {"a": {"b": "1"}}),
        ("a.cfg", "[a]", {"a": {}}),
        ("deep/a.conf", "[a]", {"a": {}}),
    ],
)
def test_the_end_of_the_name_tells_the_format(name: str, text: str, value: Any) -> None:
    assert read_document(name, text) == Document(value)


PIECES = [
    "a",
    "b",
    ": ",
    " = ",
    "\n",
    "\n  ",
    "[",
    "]",
    "{",
    "}",
    '"',
    "'",
    ",",
    "- ",
    "&x ",
    "*x",
    "!!int ",
    "<<: ",
    "|",
    "? ",
    "#",
]
PIECES += [
    "1",
    "0x",
    "1:2",
    ".inf",
    "~",
    "---\n",
    "\t",
    "\r",
    "\x85",
    "(",
    ")",
    "lambda: ",
    "f'{a}'",
    "del a",
    "\ufeff",
    "\ud800",
]


@example("a: \ud800", "yaml")
@given(
    st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=25).map("".join),
    st.sampled_from(["py", "yaml", "json", "toml", "ini"]),
)
def test_any_text_is_read_or_what_is_wrong_is_told(text: str, suffix: str) -> None:
    found = read_document(f"a.{suffix}", text)
    assert found.readable or (found.value is None and found.problems)
    assert not [each for each in found.problems if not each.message or "\n" in each.message]


@pytest.mark.parametrize("name", ["a.txt", "yaml", "a.yaml.bak"])
def test_another_format_is_told(name: str) -> None:
    found = read_document(name, "a: 1")
    assert (found.readable, found.supported) == (False, False)
    assert ".yaml, .yml, .json" in found.problems[0].message


@pytest.mark.parametrize("text", ["", " \n\t\n"])
def test_an_empty_file_is_told_and_says_nothing(text: str) -> None:
    found = read_document("a.json", text)
    assert (found.value, found.readable, [each.message for each in found.problems]) == (None, True, ["it is empty"])


@pytest.mark.parametrize(("name", "start", "end"), [("a.json", "[", "]"), ("a.yaml", "[", "]"), ("a.py", "A = [", "]")])
def test_two_hundred_levels_are_enough(name: str, start: str, end: str) -> None:
    opened = end.replace("]", "[")
    assert read_document(name, f"{start}{opened * 180}{end * 181}").readable
    deep = read_document(name, f"{start}{opened * 210}{end * 211}")
    assert not isinstance(deep.value, list)

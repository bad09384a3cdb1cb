"""A settings module is read as it would be run, but never run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.configuration.reading.python_reader import Unknown, read_python

LITERALS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.tuples(inner, inner) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(LITERALS)
def test_literals_are_read_as_they_are(value: Any) -> None:
    text = f"SETTING = {value!r}\n"
    if "inf" not in text:
        assert read_python(text).value == {"SETTING": value}


@pytest.mark.parametrize(
    "text",
    [
        "A = 1\nB = {'a': A, 'b': {'c': A + 2}}\nC = B['b']['c']\n",
        "A = 'one' + 'two'\nB = f'{A}/three/{1 + 1}'\nC = [1, 2] + [3]\nD = (*C, 4)\n",
        "A = 10 * 1024 * 1024\nB = 1 << 20\nC = 2 ** 10\nD = -7 // 2\nE = 7 % 4 - 1 / 4\nF = not True\n",
        "A: int = 3\nB, C = 1, [2]\nD = E = 5\nA += 1\n",
        "A = {'x': 1}\nA['y'] = 2\nA.update({'z': 3})\nC = {**A, 'w': 4}\nD = A | C\n",
        "B = []\nB.append(1)\nB.extend([2, 3])\nC = B\nC.append(4)\n",
        "A = {1, 2}\nB = [*A]\nC = A\nD = ('a' 'b')\n",
        "A = 1\n\ndef function():\n    B = 2\n    return B\n",
    ],
)
def test_it_reads_what_running_would_give(text: str) -> None:
    names: dict[str, Any] = {}
    exec(text, names)  # noqa: S102 - the texts above
    expected = {name: value for name, value in names.items() if name.isupper()}
    assert read_python(text).value == expected


def test_a_class_is_a_dictionary_of_what_it_assigns() -> None:
    document = read_python(
        "BASE = 1\nclass Settings:\n    a = BASE\n    class Inner:\n        b = a\nC = Settings.Inner.b\n"
    )
    assert document.value == {"BASE": 1, "Settings": {"a": 1, "Inner": {"b": 1}}, "C": 1}


@pytest.mark.parametrize(
    ("text", "reason", "line"),
    [
        ("import os\nA = os.getenv('KEY', 'x')\n", "it is read from the environment (KEY)", 2),
        ("import os\nA = os.environ['KEY']\n", "it is read from the environment (KEY)", 2),
        ("A = getenv('KEY')\n", "it is read from the environment (KEY)", 1),
        ("A = open('x').read()\n", "it is computed", 1),
        ("A = OTHER\n", "OTHER comes from elsewhere", 1),
        ("if True:\n    A = 1\n", "it is assigned where only running it tells whether", 1),
        ("for A in [1]:\n    pass\n", "it is assigned where only running it tells whether", 1),
        ("A = {}\nfor n in [1]:\n    A[n] = 1\n", "it is changed on line 2", 2),
        ("A = {}\nA.setdefault('x', []).append(1)\n", "it is changed on line 2", 2),
        ("B = {}\nA = B\nB.pop('x')\n", "it is changed on line 3", 3),
        ("A = {}\nA.x = 1\n", "it is changed on line 2", 2),
        ("A = {}\nA.update(OTHER)\n", "it is changed on line 2", 2),
        ("class B:\n    x = OTHER\nA = B.x\n", "OTHER comes from elsewhere", 3),
        ("B = {'x': OTHER}\nA = B['x']\n", "OTHER comes from elsewhere", 2),
        ("A = {'x': 1}.x\n", "it is computed", 1),
        ("A = b'1' | 2\n", "it is computed", 1),
        ("A = 'x' + 1\n", "it is computed", 1),
        ("A = [x for x in y]\n", "it is computed", 1),
        ("if True:\n    class A:\n        pass\n", "it is assigned where only running it tells whether", 1),
        ("A = {}\nwhile True:\n    A.update(x=1)\n", "it is changed on line 2", 2),
        ("A = " + "9" * 1300 + " * " + "9" * 1300 + "\n", "it is too large", 1),
        ("A = 'x' * 10 ** 12\n", "it is computed", 1),
        ("A = 10 ** 10 ** 10\n", "it is too large", 1),
        ("A = 1 << 10 ** 9\n", "it is too large", 1),
        ("A = 1 / 0\n", "it is computed", 1),
        ("A = {[1]: 2}\n", "it has a key that cannot be one", 1),
        ("A = {1, [2]}\n", "it has a member that cannot be one", 1),
        ("A = f'{1:05d}'\n", "it is formatted", 1),
        ("A, B = OTHER\n", "it is taken out of something not known", 1),
        ("A = [1][5]\n", "it is no part of what is known", 1),
        ("A = {**OTHER}\n", "OTHER comes from elsewhere", 1),
        ("A = {**[1]}\n", "it takes over something that is no dictionary", 1),
        ("A = [*1]\n", "it takes over something that is no list", 1),
        ("A = {}\nA[OTHER] = 1\n", "it is changed on line 2", 2),
        ("A = " + "+".join(["1"] * 800) + "+ OTHER\n", "", 1),
    ],
)
def test_what_only_running_would_tell_is_named_as_such(text: str, reason: str, line: int) -> None:
    value = read_python(text).value["A"]
    assert isinstance(value, Unknown)
    assert value.reason == reason or not reason
    assert value.line == line


def test_within_a_dictionary_only_what_is_not_known_is_unknown() -> None:
    value = read_python("A = {'a': 1, 'b': [call(), 2]}\n").value["A"]
    assert value["a"] == 1
    assert value["b"] == [Unknown("it is computed", "call()", 1), 2]


def test_what_doubles_with_each_line_ends_early() -> None:
    doubled = "".join(f"A{n} = A{n - 1} + A{n - 1}\n" for n in range(1, 60))
    nested = "".join(f"B{n} = [{', '.join([f'B{n - 1}'] * 10)}]\n" for n in range(1, 12))
    value = read_python(f"A0 = 'x'\n{doubled}B0 = [1]\n{nested}").value
    for letter in "AB":
        (first, *_) = (held for name, held in value.items() if name[0] == letter and isinstance(held, Unknown))
        assert first.reason == "it is too large"


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [("A = 1\nB = (1,\nC = = 2\n", 2, 5), ("A = 1\n  B = 2\n", 2, 0), ("def f(:\n", 1, 7)],
)
def test_a_syntax_error_is_told_with_its_place(text: str, line: int, column: int) -> None:
    document = read_python(text)
    assert (document.readable, document.value) == (False, None)
    assert document.problems[0].line == line
    assert column in {0, document.problems[0].column}


@pytest.mark.parametrize("text", ["A = " + "(" * 5000 + ")" * 5000, "A = 1\0", "A = " + "-" * 100_000 + "1"])
def test_what_python_itself_cannot_parse_is_told(text: str) -> None:
    document = read_python(text)
    assert not document.readable
    assert document.problems


def test_nothing_is_executed(tmp_path: Path) -> None:
    witness = tmp_path / "witness"
    read_python(f"import pathlib\npathlib.Path({str(witness)!r}).touch()\nA = pathlib.Path({str(witness)!r}).touch()\n")
    assert not witness.exists()


def test_a_literal_of_a_thousand_lines() -> None:
    text = "A = {\n" + "".join(f"    'key{n}': {{'value': {n}}},\n" for n in range(1000)) + "}\n"
    assert read_python(text).value["A"]["key999"] == {"value": 999}


@given(st.text("abcA=[]{}()'\"\n :,+-*12._if", max_size=80))
def test_any_text_is_read_or_told(text: str) -> None:
    document = read_python(text)
    assert document.readable or document.problems

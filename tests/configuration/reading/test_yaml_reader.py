"""YAML is read as PyYAML reads it, and what PyYAML passes over is reported."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tasks.configuration.reading.parsed_document import problem_at
from tasks.configuration.reading.yaml_reader import read_yaml

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20),
    st.dates(),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc<é: -0", max_size=5), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES, st.sampled_from(["flow", "block"]))
def test_what_pyyaml_writes_is_read_as_pyyaml_reads_it(value: Any, style: str) -> None:
    text = yaml.safe_dump(value, default_flow_style=style == "flow", allow_unicode=True)
    if "<<" in text:
        return
    document = read_yaml(text)
    assert document.value == yaml.safe_load(text)
    assert document.problems == ()


@pytest.mark.parametrize(
    "text",
    [
        "a: 0x1F\nb: 017\nc: 0b101\nd: 1_000\ne: -12\nf: 190:20:30\n",
        "a: .inf\nb: -.INF\nc: 1e3\nd: 1.5e+3\ne: 1_000.5\nf: 20:30.15\n",
        "a: yes\nb: No\nc: on\nd: ~\ne:\nf: null\ng: TRUE\n",
        "a: '1'\nb: \"yes\"\nc: !!str 1\nd: ! 2\n",
        "base: &base {a: 1, b: 2}\nmore: {<<: *base, b: 3}\nboth: {<<: [*base, {c: 4}]}\n",
        "one: &one [1, 2]\ntwo: *one\n",
        "- |\n  text\n  more\n- >\n  folded\n  line\n",
        "",
        "# only a comment\n",
        "2026-01-31",
        "=",
    ],
)
def test_the_forms_of_yaml(text: str) -> None:
    expected = "=" if text == "=" else yaml.safe_load(text)
    assert read_yaml(text).value == expected
    assert read_yaml(text).problems == ()


def test_equal_keys_are_told_with_both_places() -> None:
    document = read_yaml("one: 1\nnested:\n  same: 1\n  other: 2\n  same: 3\n")
    assert document.value == {"one": 1, "nested": {"same": 3, "other": 2}}
    (problem,) = document.problems
    assert problem.message == "the key 'same' stands on line 3 already; this one counts"
    assert (problem.line, problem.column, problem.excerpt) == (5, 3, "  same: 3\n  ^")


def test_what_python_would_be_made_of_is_read_as_text() -> None:
    document = read_yaml("a: !!python/object/apply:os.system ['true']\nb: !own 1\nc: !!int x\n")
    assert document.value == {"a": ["true"], "b": "1", "c": "x"}
    assert [problem.line for problem in document.problems] == [1, 2, 3]
    assert "!!python/object/apply:os.system" in document.problems[0].message


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a: 1\nb: [1, 2\nc: 3\n", 3, ""),
        ("a:\n\tb: 1\n", 2, "no tab"),
        ("a: b: c\n", 1, "a second ':'"),
        ("a: *nobody\n", 1, "has no anchor"),
        ("a: &a [1, *a]\n", 1, "stands within"),
        ("x: \x00\n", 1, "U+0000"),
        ("[" * 300 + "]" * 300, 1, "levels of nesting"),
        ("[" * 10_000 + "]" * 10_000, 1, "levels of nesting"),
        ("[" * 100_000 + "]" * 100_000, 1, "levels of nesting"),
        ("{a: " * 10_000, 1, "levels of nesting"),
    ],
)
def test_what_cannot_be_read_is_reported_with_its_place(text: str, line: int, message: str) -> None:
    document = read_yaml(text)
    assert (document.readable, document.value) == (False, None)
    assert document.problems[-1].line == line
    assert message in document.problems[-1].message


def test_a_bomb_is_told_before_it_is_written_out() -> None:
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    document = read_yaml("\n".join(levels))
    assert not document.readable
    assert "once its aliases are written out" in document.problems[0].message


def test_of_many_problems_the_first_are_told() -> None:
    document = read_yaml("".join("same: 1\n" for _ in range(1000)))
    assert len(document.problems) == 20


def test_several_documents_become_a_list_and_keys_may_be_anything() -> None:
    assert read_yaml("--- 1\n--- {a: 2}\n").value == [1, {"a": 2}]
    assert read_yaml("2026-01-31: x\n1: y\n").value == {date(2026, 1, 31): "x", 1: "y"}
    document = read_yaml("? [1, 2]\n: x\n")
    assert document.value == {"[1, 2]": "x"}
    assert "a collection as a key" in document.problems[0].message
    assert "takes a mapping" in read_yaml("<<: 1\n").problems[0].message


@given(st.text(max_size=200))
def test_any_text_is_read_or_told(text: str) -> None:
    document = read_yaml(text)
    assert document.readable or document.problems


def test_the_caret_stands_under_its_place_in_a_long_line() -> None:
    text = f"first\n{'x' * 500}!{'x' * 500}\n"
    shown, caret = problem_at(text, "here", 2, 501).excerpt.split("\n")
    assert shown[caret.index("^")] == "!"
    assert len(shown) == 100
    assert problem_at("one", "beyond", 3, 1).excerpt == ""


def test_the_real_data_is_read_as_pyyaml_reads_it() -> None:
    path = Path(__file__).resolve().parents[4] / "shared/zbeam-data/materials.yaml"
    if not path.exists():
        pytest.skip("the data of a real project are no part of this repository; the property test reads generated ones")
    text = path.read_text(encoding="utf-8")
    assert read_yaml(text).value == yaml.load(text, yaml.CSafeLoader)

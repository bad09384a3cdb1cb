from __future__ import annotations

import pytest

from tasks.configuration.reading.value_lines import lines_of

YAML = """\
# note
materials:
  Alabaster:
    density: {value: 2.3,
      unit: g}
    names:
    - one
    - two:
        deep: >
          folded
          text
  "a.b":
    1: x
    anchor: &a {x: 1}
    alias: *a
"""

PYTHON = """\
import os
TIMEOUT = 30
PROVIDERS: dict = {
    "grok": {"model": "x",
             "names": ["a",
                       "b"]},
    KEY: 3,
}
class Config:
    RETRIES = 3
def f():
    INNER = 1
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("materials", 2),
        ("materials.Alabaster.density", 4),
        ("materials.Alabaster.density.value", 4),
        ("materials.Alabaster.density.unit", 5),
        ("materials.Alabaster.names", 6),
        ("materials.Alabaster.names[0]", 7),
        ("materials.Alabaster.names[1].two.deep", 9),
        ('materials."a.b".1', 13),
        ('materials."a.b".alias', 15),
        ("materials.Nothing", None),
        ("materials.Alabaster.density.value.more", None),
    ],
)
def test_lines_of_yaml(path: str, line: int | None) -> None:
    assert lines_of("a.yaml", YAML, [path]).get(path) == line


def test_all_paths_are_looked_for_at_once() -> None:
    wanted = ["materials.Alabaster.names[1].two", 'materials."a.b"', "none"]
    assert lines_of("a.yml", YAML, wanted) == {wanted[0]: 8, wanted[1]: 12}


def test_lines_of_json() -> None:
    assert lines_of("a.JSON", '{\n"a": [\n1,\n{"b": 2}]}', ["a[0]", "a[1].b"]) == {"a[0]": 3, "a[1].b": 4}


def test_a_text_that_breaks_off_gives_the_lines_before_that() -> None:
    assert lines_of("a.yaml", "a: 1\nb: [1, 2\n", ["a", "b[0]"])["a"] == 1
    assert lines_of("a.yaml", "- 1\n- 2\n", ["[1]"]) == {"[1]": 2}
    assert lines_of("a.yaml", "just text\n", [""]) == {"": 1}


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("TIMEOUT", 2),
        ("PROVIDERS", 3),
        ("PROVIDERS.grok.model", 4),
        ("PROVIDERS.grok.names[1]", 6),
        ("Config", 9),
        ("Config.RETRIES", 10),
        ("INNER", None),
        ("PROVIDERS.KEY", None),
    ],
)
def test_lines_of_a_module(path: str, line: int | None) -> None:
    assert lines_of("settings.py", PYTHON, [path]).get(path) == line


@pytest.mark.parametrize(
    ("name", "text"), [("a.py", "A = = 1"), ("a.py", "A = '\0'"), ("a.toml", "a = 1"), ("a.ini", "[a]")]
)
def test_what_has_no_lines(name: str, text: str) -> None:
    assert lines_of(name, text, ["A", "a"]) == {}

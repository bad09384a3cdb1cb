"""That the names in the code are the glossary's: words that were replaced do not come back as identifiers."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

REPLACED = {
    "told": "reported",
    "said": "message",
    "taken": "reused_reports",
    "taken_over": "reused_reports",
    "taking": "snapshot",
    "taking_over": "reused_reports",
    "performing": "execution",
    "performed": "RunCache",
    "weigh": "disk_usage",
    "weighed": "disk_usage",
    "weighing": "disk_usage",
    "judge": "evaluate",
    "judged": "evaluated",
    "kept_out": "LOCKED_OUT",
    "not_ended": "INCOMPLETE",
    "trending": "trend_findings",
    "begin_anew": "recreate_log",
    "anew": "again",
    "begun": "started",
    "means": "ports",
    "scene": "Context",
    "is_worded": "looks_like_words",
    "unasked": "QueryFailed",
    "nowhere": "NoEnvironment",
    "verify_elsewhere": "verify_offsite",
    "keeper": "RepositoryBackend",
    "pips": "pip_runner",
    "whatever": "any",
}
"""STYLE's glossary: a word, or several in a row, that no identifier holds, and what is written instead."""


def words(name: str) -> str:
    """Return the words of an identifier, each with an underscore on both sides: ``_weigh_folder_``."""
    capitals = [f"_{each}" if each.isupper() and not name.isupper() else each for each in name]
    return f"_{'_'.join(''.join(capitals).lower().split('_'))}_".replace("__", "_")


def replaced(name: str) -> list[str]:
    """Return the words of the glossary's left column that *name* holds."""
    return [word for word in REPLACED if f"_{word}_" in words(name)]


def names(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield each name that a module gives, and its line: of functions, classes, arguments, variables, attributes."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name, node.lineno
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name, node.lineno
            case ast.alias(asname=str(name)) | ast.ExceptHandler(name=str(name)):
                yield name, node.lineno
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
                yield name, node.lineno


def found(path: Path) -> list[str]:
    """Return a sentence per name of a module, or in it, that the glossary replaced."""
    shown = path.relative_to(ROOT)
    given = [(path.stem, 1), *names(ast.parse(path.read_text("utf-8")))]
    return [
        f"{shown}:{line}: {name} holds {word}; write {REPLACED[word]}, or what it is"
        for name, line in given
        for word in replaced(name)
    ]


def test_no_name_in_the_code_is_one_that_the_glossary_replaced() -> None:
    wrong = [each for path in sorted((ROOT / "tasks").rglob("*.py")) for each in found(path)]
    assert wrong == [], "\n".join(wrong)


def test_no_package_has_such_a_name() -> None:
    assert [path.name for path in (ROOT / "tasks").rglob("*") if path.is_dir() and replaced(path.name)] == []


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("told", "told"),
        ("_told_again", "told"),
        ("JudgedSeries", "judged"),
        ("KEPT_OUT", "kept_out"),
        ("_BEGUN", "begun"),
    ],
)
def test_a_replaced_word_is_found_in_any_spelling(name: str, word: str) -> None:
    assert replaced(name) == [word]


@pytest.mark.parametrize("name", ["mistaken", "ForetoldSeries", "meaning", "kept"])
def test_a_part_of_a_word_is_none(name: str) -> None:
    assert replaced(name) == []


@pytest.mark.parametrize(
    "code",
    [
        "def told(): ...",
        "class Told: ...",
        "def f(told): ...",
        "lambda *, told: 0",
        "told = 1",
        "told: int",
        "self.told = 1",
        "for told in (): ...",
        "[0 for told in ()]",
        "import a as told",
        "try: ...\nexcept OSError as told: ...",
        "match 1:\n    case told: ...",
    ],
)
def test_every_place_that_gives_a_name_is_seen(code: str) -> None:
    assert "told" in {name.lower() for name, _ in names(ast.parse(code))}, code

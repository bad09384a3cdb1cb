"""Half a secret is not recognised: the whole is redacted before anything is cut. Every module is held to it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.cache import cache_usage
from tasks.core.secrets.redaction import REDACTED
from tasks.core.settings import problems
from tasks.generation import generation_tally
from tasks.providers import answers

PACKAGE = Path(__file__).resolve().parents[3] / "tasks"
SECRET = "sk-" + "f00dCafe0123456789f00dCafe0123456789"


def cut_before_redacted(source: str) -> Iterator[str]:
    """Yield what is cut and given to what redacts, itself or by a variable of the same function."""
    for function in ast.walk(ast.parse(source)):
        if isinstance(function, ast.FunctionDef):
            values = {
                name.id: node.value
                for node in ast.walk(function)
                if isinstance(node, ast.Assign)
                for name in node.targets
                if isinstance(name, ast.Name)
            }
            for node in ast.walk(function):
                if isinstance(node, ast.Call) and _redacts(node.func):
                    yield from (ast.unparse(node) for argument in node.args if _is_cut(argument, values))


def _redacts(function: ast.expr) -> bool:
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name in {"redact", "own", "clean", "shortened", "without_secrets"}


def _is_cut(argument: ast.expr, values: dict[str, ast.expr]) -> bool:
    """Tell whether an expression cuts a text that is not redacted yet."""
    if isinstance(argument, ast.Call) and _redacts(argument.func):
        return False
    if isinstance(argument, ast.Name):
        value = values.get(argument.id)
        return value is not None and _is_cut(value, {})
    if isinstance(argument, ast.Subscript) and isinstance(argument.slice, ast.Slice):
        bounds = [bound for bound in (argument.slice.lower, argument.slice.upper) if bound is not None]
        # [:1] and [1:] are about the first letter
        is_letter = all(isinstance(bound, ast.Constant) and bound.value == 1 for bound in bounds)
        is_redacted = isinstance(argument.value, ast.Call) and _redacts(argument.value.func)
        return bool(bounds) and not is_letter and not is_redacted
    return any(_is_cut(child, values) for child in ast.iter_child_nodes(argument) if isinstance(child, ast.expr))


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_that_was_cut_is_given_to_what_redacts(path: Path) -> None:
    if PACKAGE / "core/secrets" not in path.parents:
        assert [*cut_before_redacted(path.read_text("utf-8"))] == []


@pytest.mark.parametrize(
    "body",
    [
        "return redact(text[:10])",
        "return self.redact(printable(text[:10]))",
        "short = text[:10]\n    return clean(short)",
        "return shortened(text[-10:], 5, redact)",
        "return redact(' '.join(text[1:2]))",
    ],
)
def test_a_new_way_around_is_seen(body: str) -> None:
    assert len([*cut_before_redacted(f"def show(text, redact):\n    {body}\n")]) == 1


@pytest.mark.parametrize(
    "body", ["return redact(text)[:10]", "return redact(text[0])", "return clean(redact(text)[:9])"]
)
def test_what_is_cut_afterwards_is_well(body: str) -> None:
    assert [*cut_before_redacted(f"def show(text, redact):\n    {body}\n")] == []


@pytest.mark.parametrize("before", range(0, 70, 5))
def test_what_is_quoted_of_a_file_shows_no_part_of_a_secret(before: int) -> None:
    text = f"{'a ' * (before // 2)}{SECRET}"
    for shown in (
        generation_tally.shown(text),
        generation_tally.shown({"a": [text]}),
        cache_usage._shown(text),
        problems.shortened(text, 40),
        answers._no_json(text.encode()),
    ):
        assert "f00d" not in shown
        assert SECRET[:6] not in shown


def test_what_is_quoted_says_that_a_secret_stood_there() -> None:
    assert REDACTED in problems.shortened(f"token {SECRET}")
    assert REDACTED in generation_tally.shown(SECRET)

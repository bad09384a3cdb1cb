from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from invoke import Collection, Context, Task, task

from tasks import add_to, namespace
from tasks.core.errors import DeclarationError


@task
def build(_context: Context) -> None:
    """Build."""


def _module(monkeypatch: pytest.MonkeyPatch, **content: Any) -> str:
    module = ModuleType("own_tasks")
    vars(module).update(content)
    monkeypatch.setitem(sys.modules, "own_tasks", module)
    return "own_tasks"


def test_functions_and_the_suite_make_one_collection(monkeypatch: pytest.MonkeyPatch) -> None:
    ns = add_to(_module(monkeypatch, build=build, namespace=namespace, other=3))
    assert set(ns.task_names) == {"build", *namespace.task_names}


def test_a_collection_is_added_to_and_returned() -> None:
    ns = Collection(build)
    assert add_to(ns) is ns
    assert set(ns.task_names) == {"build", *namespace.task_names}
    assert set(Collection(build).task_names) == {"build"}


def test_below_a_name_all_names_begin_with_it() -> None:
    ns = add_to(Collection(build), "upkeep")
    assert set(ns.task_names) == {"build", *(f"upkeep.{name}" for name in namespace.task_names)}


@pytest.mark.parametrize("aliases", [(), ("weekly",)])
def test_a_task_of_the_same_name_is_never_hidden(aliases: tuple[str, ...]) -> None:
    def own(_context: Context) -> None:
        pass

    other: Task[Any] = Task(own, name="own" if aliases else "weekly", aliases=aliases)
    ns = Collection(other)
    with pytest.raises(DeclarationError, match=r"the project's task \(.*test_namespace.py, line \d+\) and the suite's"):
        add_to(ns)
    assert set(ns.task_names) == {other.name}


def test_all_that_collide_are_named_also_with_the_suites_own_task() -> None:
    ns = Collection(daily=Collection(build), demo=Collection(build))
    with pytest.raises(DeclarationError) as caught:
        add_to(ns)
    assert "collection and the suite's collection are both named 'daily'; " in str(caught.value)
    assert "collection and the suite's task are both named 'demo'. " in str(caught.value)


def test_the_name_that_is_suggested_is_another_one_than_that_which_is_taken() -> None:
    with pytest.raises(DeclarationError, match=r"both named 'maintenance'\. .* add_to\(…, \"upkeep\"\)"):
        add_to(Collection(maintenance=Collection(build)), "maintenance")


def _sentences(path: Path) -> Iterator[str]:
    """Yield the texts of a module, those in f-strings with what surrounds the values; no docstrings."""
    module = ast.parse(path.read_text())
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    bodies = [node.body for node in ast.walk(module) if isinstance(node, documented)]
    documentation = {id(each.value) for body in bodies for each in body if isinstance(each, ast.Expr)}
    for node in ast.walk(module):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(each.value) if isinstance(each, ast.Constant) else "{}" for each in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield node.value


def test_every_command_in_a_sentence_of_the_suite_is_one_that_inv_list_shows() -> None:
    known = {*namespace.task_names, *namespace.collections}
    named = {
        name: path.name
        for path in (Path(__file__).parents[1] / "tasks").rglob("*.py")
        for text in _sentences(path)
        for name in re.findall(r"(?<![\w-])inv (?:--?[\w-]+ )*([a-z][a-z-]*\.[a-z-]*[a-z])", text)
    }
    assert len(named) > 10
    assert {name: path for name, path in named.items() if name not in known} == {}

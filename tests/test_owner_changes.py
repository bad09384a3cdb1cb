"""An owner is changed by descriptor: by a name, another file may have it by then."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

_BY_DESCRIPTOR = {("tasks/dependencies/undo/rollback.py", "_give_link")}
"""Calls of ``os.chown`` that are given a descriptor, or the name in ``/proc`` that Linux has for that of a link."""


def _calls() -> Iterator[tuple[str, str]]:
    """Yield file and function of each call that changes an owner by a name."""
    for path in sorted((ROOT / "tasks").rglob("*.py")):
        for function in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                for node in ast.walk(function):
                    if isinstance(node, ast.Attribute) and node.attr in {"chown", "lchown"}:
                        yield str(path.relative_to(ROOT)), function.name


def test_no_owner_is_changed_by_name() -> None:
    assert {*_calls()} == _BY_DESCRIPTOR

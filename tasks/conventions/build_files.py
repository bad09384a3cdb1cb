"""The files that configure a build: parsed once, never run."""

from __future__ import annotations

import ast
import configparser
import tomllib
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from .project_files import ProjectFiles


def table(tree: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    """Return the table that lies below *tree* under these names; an empty one where there is none."""
    for name in names:
        value = tree.get(name)
        if not isinstance(value, dict):
            return {}
        tree = value
    return tree


def texts(value: object) -> list[str]:
    """Return the texts of a list, or of a single text; nothing of anything else."""
    if isinstance(value, str):
        return [value]
    return [each for each in value if isinstance(each, str)] if isinstance(value, list | tuple) else []


def pyproject(files: ProjectFiles, path: str) -> Mapping[str, Any]:
    """Return what a ``pyproject.toml`` holds; nothing where it is missing or broken."""
    try:
        return tomllib.loads(files.text(path) or "")
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}


def ini(files: ProjectFiles, path: str) -> Mapping[str, Mapping[str, str]]:
    """Return the sections of an INI file; nothing where it is missing or broken."""
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(files.text(path) or "")
    except configparser.Error:
        return {}
    return {name: dict(parser[name]) for name in parser.sections()}


def setup_arguments(files: ProjectFiles, path: str) -> Mapping[str, ast.expr]:
    """Return the keyword arguments of the call of ``setup`` in a ``setup.py``, as they are written."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(files.text(path) or "")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "setup":
            return {each.arg: each.value for each in node.keywords if each.arg}
    return {}


def literal(node: ast.expr | None) -> Any:
    """Return the value of an expression that is written out; ``None`` of any other."""
    try:
        return None if node is None else ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return None


def line_of(files: ProjectFiles, path: str, beginnings: Sequence[str]) -> int | None:
    """Return the number of the first line that begins with one of *beginnings*, blanks left out."""
    lines = (files.text(path) or "").splitlines()
    return next((number for number, line in enumerate(lines, 1) if line.strip().startswith(tuple(beginnings))), None)

"""Which tests and linters a project is set up for, where the settings name none."""

from __future__ import annotations

import configparser
import shlex
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..core.files import safe_files
from ..core.settings.model import ReleaseSettings
from .project_commands import Command

_LIMIT = 1_000_000

_TESTS = "maintenance.release.test_command"
_LINTERS = "maintenance.release.lint_commands"

_PYTEST_UNANSWERED = {4: "it was called wrongly", 5: "it found no tests"}
"""Exit statuses of pytest by which nothing was tested (its documentation, "Exit codes")."""

_FOLDERS = ("tests", "test")


def command_for_tests(root: Path, settings: ReleaseSettings) -> Command | None:
    """Return the command that tests the project: the configured one, else pytest where there are tests for it.

    Args:
        root: the project.
        settings: those of the checklist.
    """
    if settings.test_command:
        return Command(tuple(shlex.split(settings.test_command)), "", _TESTS)
    tables = _tables(root)
    if reason := _has_tests(root, tables):
        return Command(("python", "-m", "pytest", "-q"), reason, _TESTS, _PYTEST_UNANSWERED)
    return None


def commands_for_linting(root: Path, settings: ReleaseSettings) -> list[Command]:
    """Return the commands that look at the project's code: the configured ones, else the linters that have settings.

    Args:
        root: the project.
        settings: those of the checklist.
    """
    if settings.lint_commands:
        return [Command(tuple(shlex.split(each)), "", _LINTERS) for each in settings.lint_commands]
    return [*_linters(root, _tables(root))]


def _has_tests(root: Path, tables: Mapping[str, Mapping[str, Any]]) -> str:
    for name in ("pytest.ini", ".pytest.ini"):
        if (root / name).is_file():
            return f"{name} configures pytest"
    for name, table in (("pyproject.toml", "tool.pytest"), ("tox.ini", "pytest"), ("setup.cfg", "tool:pytest")):
        if table in tables[name]:
            return f"{name} configures pytest"
    for name in _FOLDERS:
        for pattern in ("test_*.py", "*_test.py"):
            if next((root / name).rglob(pattern), None) is not None:
                return f"there are tests in {name}"
    return ""


def _linters(root: Path, tables: Mapping[str, Mapping[str, Any]]) -> Iterator[Command]:
    for program, arguments, own, sections in (
        ("ruff", ("check", "."), ("ruff.toml", ".ruff.toml"), ("tool.ruff",)),
        ("mypy", (), ("mypy.ini", ".mypy.ini"), ("tool.mypy", "mypy")),
        ("flake8", (), (".flake8",), ("flake8",)),
    ):
        places = [name for name in own if (root / name).is_file()]
        places += [name for name, found in tables.items() if any(section in found for section in sections)]
        if places:
            words = (program, *arguments, *(_mypys(root, places[0], tables) if program == "mypy" else ()))
            yield Command(words, f"{places[0]} configures it", _LINTERS)


def _mypys(root: Path, place: str, tables: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    """Return what mypy is to check: all, unless its settings name it."""
    found = tables[place] if place in tables else _ini(root, place)
    own = found.get("tool.mypy") or found.get("mypy") or {}
    return () if {"files", "packages", "modules"} & {*own} else (".",)


def _tables(root: Path) -> dict[str, Mapping[str, Any]]:
    """Return the sections of the files that hold settings of several tools; one that cannot be read has none."""
    return {
        "pyproject.toml": _pyproject(root),
        "setup.cfg": _ini(root, "setup.cfg"),
        "tox.ini": _ini(root, "tox.ini"),
    }


def _pyproject(root: Path) -> dict[str, Any]:
    try:
        tool = tomllib.loads(safe_files.read(root, "pyproject.toml", limit=_LIMIT).decode("utf-8-sig")).get("tool")
    except (safe_files.Refused, OSError, ValueError, RecursionError):
        return {}
    return {f"tool.{name}": table for name, table in tool.items()} if isinstance(tool, dict) else {}


def _ini(root: Path, path: str) -> dict[str, Any]:
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(safe_files.read(root, path, limit=_LIMIT).decode("utf-8-sig"))
    except (safe_files.Refused, OSError, ValueError, configparser.Error):
        return {}
    return {name: dict(parser[name]) for name in parser.sections()}

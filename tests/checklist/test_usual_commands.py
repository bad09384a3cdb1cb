from __future__ import annotations

from pathlib import Path

import pytest

from tasks.checklist.usual_commands import command_for_tests, commands_for_linting
from tasks.core.settings.model import ReleaseSettings

NOTHING = ReleaseSettings()


def written(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


@pytest.mark.parametrize(
    ("path", "text", "reason"),
    [
        ("pyproject.toml", "[tool.pytest.ini_options]\n", "pyproject.toml configures pytest"),
        ("pytest.ini", "", "pytest.ini configures pytest"),
        (".pytest.ini", "", ".pytest.ini configures pytest"),
        ("tox.ini", "[pytest]\n", "tox.ini configures pytest"),
        ("setup.cfg", "[tool:pytest]\n", "setup.cfg configures pytest"),
        ("tests/deep/test_a.py", "", "there are tests in tests"),
        ("test/a_test.py", "", "there are tests in test"),
    ],
)
def test_signs_of_tests(tmp_path: Path, path: str, text: str, reason: str) -> None:
    written(tmp_path, path, text)
    command = command_for_tests(tmp_path, NOTHING)
    assert command is not None
    assert (str(command), command.origin) == ('"python -m pytest -q"', reason)
    assert {4, 5} == {*command.unanswered}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("tests/data.py", ""),
        ("pyproject.toml", "[tool.ruff\n"),
        ("pyproject.toml", "tool = 1\n"),
        ("tox.ini", "no section\n"),
        ("setup.cfg", "[metadata]\n"),
    ],
)
def test_nothing_that_could_be_run(tmp_path: Path, path: str, text: str) -> None:
    written(tmp_path, path, text)
    assert command_for_tests(tmp_path, NOTHING) is None
    assert commands_for_linting(tmp_path, NOTHING) == []


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("pyproject.toml", "[tool.ruff]\nx = 1\n[tool.mypy]\nstrict = true\n", ['"ruff check ."', '"mypy ."']),
        ("pyproject.toml", "[tool.mypy]\nfiles = ['a']\n", ['"mypy"']),
        ("ruff.toml", "", ['"ruff check ."']),
        ("mypy.ini", "[mypy]\npackages = a\n", ['"mypy"']),
        ("mypy.ini", "[mypy]\n", ['"mypy ."']),
        ("setup.cfg", "[mypy]\n[flake8]\n", ['"mypy ."', '"flake8"']),
        (".flake8", "", ['"flake8"']),
        ("tox.ini", "[flake8]\n", ['"flake8"']),
    ],
)
def test_linters_that_are_configured(tmp_path: Path, path: str, text: str, expected: list[str]) -> None:
    written(tmp_path, path, text)
    commands = commands_for_linting(tmp_path, NOTHING)
    assert [*map(str, commands)] == expected
    assert {command.origin for command in commands} == {f"{path} configures it"}


def test_the_settings_come_first(tmp_path: Path) -> None:
    written(tmp_path, "ruff.toml", "")
    written(tmp_path, "pytest.ini", "")
    own = ReleaseSettings(test_command="make 'my test'", lint_commands=("one -x", "two"))
    command = command_for_tests(tmp_path, own)
    assert command is not None
    assert (command.words, command.origin) == (("make", "my test"), "")
    assert [each.words for each in commands_for_linting(tmp_path, own)] == [("one", "-x"), ("two",)]

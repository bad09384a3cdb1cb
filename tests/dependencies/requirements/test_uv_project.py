"""What is read of a project that uv locks."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.dependencies.environment import Environment, Installed
from tasks.dependencies.planning import at_least
from tasks.dependencies.requirements.uv_project import LOCK, PROJECT, installed_groups, read_uv_project, uv_requirements


def environment(*names: str) -> Environment:
    return Environment(
        python=Path("/environment/bin/python"),
        origin="test",
        version="3.11.7",
        prefix=Path("/environment"),
        virtual=True,
        runs_suite=False,
        folders=(),
        scripts=Path("/environment/bin"),
        index_url=None,
        packages={name: Installed(name, "1.0") for name in names},
    )


def test_a_project_without_a_lock_is_none_of_uv(tmp_path: Path) -> None:
    (tmp_path / PROJECT).write_text("[project]\n")
    assert read_uv_project(tmp_path) is None


def test_groups_include_groups_even_in_a_circle_and_the_earlier_table_counts(tmp_path: Path) -> None:
    (tmp_path / LOCK).write_text("version = 1\n")
    (tmp_path / PROJECT).write_text(
        "[project]\ndependencies = [\n  'Base_One>=1',\n  \"base-two; python_version < '3'\",\n]\n"
        "[project.optional-dependencies]\ndocs = ['sphinx']\n"
        "[dependency-groups]\n"
        "one = ['first', { include-group = 'two' }]\n"
        "two = [{ include-group = 'one' }, 'second']\n"
        "empty = []\n"
        "[tool.uv]\ndev-dependencies = ['earlier']\n"
    )
    locked = read_uv_project(tmp_path)
    assert locked is not None
    assert locked.problems == ()
    asked = {choice.options: [str(each.requirement) for each in choice.requirements] for choice in locked.choices}
    assert asked == {
        ("--extra", "docs"): ["sphinx"],
        ("--group", "one"): ["first", "second"],
        ("--group", "two"): ["first", "second"],
        ("--group", "empty"): [],
        ("--group", "dev"): ["earlier"],
    }
    assert [each.place for each in locked.requirements] == ["pyproject.toml, line 3", "pyproject.toml, line 4"]
    there = environment("base-one", "first", "second")
    assert [choice.options[1] for choice in installed_groups(locked, there)] == ["one", "two"]
    assert set(uv_requirements(locked, there)) == {"base-one", "base-two", "first", "second"}
    assert installed_groups(locked, environment("first")) == ()


def test_a_requirement_that_is_written_with_escapes_has_no_line(tmp_path: Path) -> None:
    (tmp_path / LOCK).touch()
    (tmp_path / PROJECT).write_text('[project]\ndependencies = ["dem\\u006f"]\n')
    locked = read_uv_project(tmp_path)
    assert locked is not None
    assert [each.place for each in locked.requirements] == ["pyproject.toml"]


def test_versions_and_indexes_come_from_the_lock(tmp_path: Path) -> None:
    (tmp_path / PROJECT).write_text("[project]\n")
    (tmp_path / LOCK).write_text(
        "[[package]]\nname = 'Demo'\nversion = '1.0'\nsource = { registry = 'http://127.0.0.1:1/simple' }\n"
        "[[package]]\nname = 'demo'\nversion = '2.0'\nsource = { registry = 'http://127.0.0.1:1/simple' }\n"
        "[[package]]\nname = 'inner'\nsource = { editable = 'inner' }\n"
        "[[package]]\nname = 'flat'\nversion = '1'\nsource = { registry = 'wheels' }\n"
    )
    locked = read_uv_project(tmp_path)
    assert locked is not None
    assert locked.versions == {"demo": {"1.0", "2.0"}, "flat": {"1"}}
    assert locked.indexes == ("http://127.0.0.1:1/simple",)
    assert locked.elsewhere == {"inner"}


@pytest.mark.parametrize("text", ["project = 1\n", "[project]\ndependencies = 1\n", "package = [1]\n", ""])
def test_tables_of_the_wrong_shape_are_taken_as_empty(tmp_path: Path, text: str) -> None:
    (tmp_path / PROJECT).write_text(text)
    (tmp_path / LOCK).write_text(text)
    locked = read_uv_project(tmp_path)
    assert locked is not None
    assert (locked.requirements, locked.choices, dict(locked.versions)) == ((), (), {})


def test_files_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    (tmp_path / PROJECT).write_bytes(b"\xff\xfe")
    (tmp_path / LOCK).mkdir()
    locked = read_uv_project(tmp_path)
    assert locked is not None
    assert [problem.path for problem in locked.problems] == [PROJECT, LOCK]
    assert locked.problems[0].message == "pyproject.toml is no text in UTF-8."


def test_a_lock_is_never_turned_back_and_forks_are_left_alone() -> None:
    limits = {"behind": "1.0", "even": "1.5", "forked": "9", "unlocked": "1.0", "odd": "1.0"}
    locked = {"behind": ["1.1"], "even": ["1.2"], "forked": ["1.0", "2.0"], "odd": ["no version"]}
    assert at_least(limits, locked) == {"behind": "1.1", "even": "1.5"}

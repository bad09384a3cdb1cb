"""Which files a project consists of, and what is read of them."""

from __future__ import annotations

import re
from itertools import count
from pathlib import Path

import pytest

from tasks.conventions import project_files
from tasks.conventions.project_files import ProjectFiles, is_foreign

from .conftest import Project


def test_without_git_the_folder_is_walked_and_what_was_installed_is_left_out(project: Project) -> None:
    project.write(
        {
            "app.py": "",
            "pkg/a.py": "",
            ".github/workflows/ci.yml": "",
            ".hidden/b.py": "",
            "env/pyvenv.cfg": "",
            "env/lib/c.py": "",
            "node_modules/d.js": "",
            "inner/.git/HEAD": "",
            "inner/e.py": "",
            "pkg/__pycache__/f.pyc": "",
        }
    )
    (project.root / "loop").symlink_to(project.root)
    files = project.files()
    assert files.paths == (".github/workflows/ci.yml", "app.py", "pkg/a.py")
    assert (files.source, files.cut, files.tracked) == ("the folder", "", None)


@pytest.mark.needs("git")
def test_with_git_what_is_tracked_and_what_is_new_counts_and_not_what_is_ignored(project: Project) -> None:
    project.write({"a.py": "", ".hidden/b.py": "", "ä b.py": ""})
    project.commit()
    project.write({"new.py": "", "ignored.py": "", ".gitignore": "ignored.py\n"})
    files = project.files()
    assert files.paths == (".gitignore", ".hidden/b.py", "a.py", "new.py", "ä b.py")
    assert files.source == "git ls-files"
    assert files.tracked == frozenset({"a.py", ".hidden/b.py", "ä b.py"})


@pytest.mark.needs("git")
def test_a_repository_that_tracks_nothing_is_walked(project: Project) -> None:
    project.git("init", "-q")
    project.write({"a.py": "", "build.log": ""})
    assert (project.files().paths, project.files().tracked) == (("a.py", "build.log"), None)


def test_what_the_suite_wrote_is_not_the_projects(project: Project) -> None:
    project.write({"a.py": "", "logs/report.json": ""})
    assert project.files(lambda path: path == "logs/report.json").paths == ("a.py",)


def test_a_list_that_is_cut_says_so(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(project_files, "MOST_FILES", 2)
    project.write({f"{number}.py": "" for number in range(5)})
    files = project.files()
    assert (len(files.paths), files.cut) == (2, "there are 5 files, of which 2 were looked at")


def test_a_walk_that_takes_too_long_says_so(project: Project) -> None:
    project.write({"a/1.py": "", "b/2.py": ""})
    clock = count(0, 10.0)
    files = ProjectFiles(project.root, is_own=lambda _path: False, clock=lambda: next(clock))
    assert files.paths == ()
    assert files.cut == "the first 0 files were looked at"


@pytest.mark.parametrize("kind", ["missing", "folder", "link", "large", "pipe"])
def test_what_is_no_readable_file_has_no_content(project: Project, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    path = project.root / "x"
    if kind == "folder":
        path.mkdir()
    elif kind == "link":
        (project.root / "y").write_text("secret")
        path.symlink_to("y")
    elif kind == "large":
        monkeypatch.setattr(project_files, "LARGEST", 3)
        path.write_text("1234")
    elif kind == "pipe":
        os.mkfifo(path)
    assert project.files().content("x") is None
    assert project.files().text("x") is None


def test_a_text_that_is_no_utf_8_is_none_and_a_mark_at_its_beginning_is_left_out(project: Project) -> None:
    (project.root / "latin").write_bytes(b"\xe4")
    (project.root / "marked").write_bytes(b"\xef\xbb\xbftext")
    files = project.files()
    assert (files.text("latin"), files.text("marked"), files.content("latin")) == (None, "text", b"\xe4")


def test_a_file_is_read_once_and_no_more_than_a_bound_in_all(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.write({"a": "12345", "b": "6"})
    monkeypatch.setattr(project_files, "_MOST_READ", 5)
    files = project.files()
    assert (files.content("a"), files.content("b")) == (b"12345", None)
    Path(project.root / "a").unlink()
    assert files.content("a") == b"12345"


def test_matches_tell_file_line_and_text(project: Project) -> None:
    project.write({"a.py": "one\n  key = 1\nkey = 2", "b.py": "KEY"})
    found = [*project.files().matches(re.compile(rb"key"), ["a.py", "b.py", "missing"])]
    assert [(each.path, each.line, each.text, each.found[0]) for each in found] == [
        ("a.py", 2, "key = 1", b"key"),
        ("a.py", 3, "key = 2", b"key"),
    ]
    assert [*project.files().matches(re.compile(rb"(?i)key"), ["b.py"], (b"key", b"nothing"))] == []
    assert len([*project.files().matches(re.compile(rb"(?i)key"), ["b.py"], (b"nothing", b"KEY"))]) == 1


def test_files_of_a_name_come_nearest_first(project: Project) -> None:
    project.write({"z/pyproject.toml": "", "pyproject.toml": "", "a/b/pyproject.toml": "", "other.toml": ""})
    assert project.files().named("pyproject.toml") == ["pyproject.toml", "z/pyproject.toml", "a/b/pyproject.toml"]


@pytest.mark.parametrize(
    ("path", "foreign"),
    [
        ("src/app.py", False),
        ("tests/data.yaml", True),
        ("a/examples/settings.py", True),
        ("test_it.py", True),
        ("conftest.py", True),
        ("latest/app.py", False),
        ("contest.py", False),
    ],
)
def test_tests_documents_and_examples_show_the_habits_of_others(path: str, *, foreign: bool) -> None:
    assert is_foreign(path) is foreign


def test_sources_and_settings_are_the_projects_own(project: Project) -> None:
    project.write({"a.py": "", "tests/b.py": "", "c.yaml": "", "docs/d.yaml": "", "e.txt": ""})
    assert (project.files().sources, project.files().settings) == (("a.py",), ("c.yaml",))

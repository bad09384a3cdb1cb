from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tasks.configuration.drift.change_authors import NOT_COMMITTED, file_author, line_authors

pytestmark = pytest.mark.needs("git")

GIT = shutil.which("git") or "git"


def git(root: Path, *arguments: str, author: str = "First", day: str = "2026-05-01") -> None:
    settings = ("-c", f"user.name={author}", "-c", "user.email=author@example.org", "-c", "commit.gpgsign=false")
    moment = f"{day}T12:00:00+0000"
    dated = {**os.environ, "GIT_AUTHOR_DATE": moment, "GIT_COMMITTER_DATE": moment}
    subprocess.run([GIT, *settings, *arguments], cwd=root, env=dated, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/a.yaml").write_text("one: 1\ntwo: 2\nthree: 3\n")
    git(tmp_path, "init")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "first")
    (tmp_path / "deep/a.yaml").write_text("one: 1\ntwo: 22\nthree: 3\n")
    git(tmp_path, "commit", "-am", "second", author="Se\u0301cond\x1b", day="2026-06-01")
    return tmp_path


def test_each_line_has_its_author_and_day(repository: Path) -> None:
    found = line_authors(repository, "deep/a.yaml", [2, 3, 2])
    assert {line: (each.who.rstrip("\\x1b"), each.when[:10]) for line, each in found.items()} == {
        2: ("Se\u0301cond", "2026-06-01"),
        3: ("First", "2026-05-01"),
    }
    assert line_authors(repository / "deep", "a.yaml", [1])[1].who == "First"


def test_a_line_that_is_not_committed(repository: Path) -> None:
    (repository / "deep/a.yaml").write_text("one: 1\ntwo: 22\nthree: 33\n")
    assert line_authors(repository, "deep/a.yaml", [3, 1])[3] == NOT_COMMITTED
    assert line_authors(repository, "deep/a.yaml", [3, 1])[1].who == "First"
    assert file_author(repository, "deep/a.yaml") == NOT_COMMITTED


def test_the_last_change_of_a_file(repository: Path) -> None:
    found = file_author(repository, "deep/a.yaml")
    assert found is not None
    assert found.when[:10] == "2026-06-01"
    (repository / "deep/a.yaml").unlink()
    assert file_author(repository, "deep/a.yaml") == NOT_COMMITTED


def test_what_git_does_not_know_has_no_author(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    (repository / "new.yaml").write_text("a: 1\n")
    assert line_authors(repository, "new.yaml", [1]) == {}
    assert file_author(repository, "new.yaml") is None
    assert line_authors(repository, "deep/a.yaml", []) == {}
    assert line_authors(repository, "deep/a.yaml", [99]) == {}
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "a.yaml").write_text("a: 1\n")
    assert line_authors(elsewhere, "a.yaml", [1]) == {}
    assert file_author(elsewhere, "a.yaml") is None


def test_without_git_nobody_is_named(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repository / "nothing"))
    assert line_authors(repository, "deep/a.yaml", [1]) == {}
    assert file_author(repository, "deep/a.yaml") is None


def test_git_is_not_waited_for_for_long(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = repository / "bin"
    slow.mkdir()
    (slow / "git").write_text("#!/bin/sh\nexec sleep 30\n")
    (slow / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{slow}:{os.environ['PATH']}")
    monkeypatch.setattr("tasks.core.programs.git._SECONDS", 0.2)
    assert line_authors(repository, "deep/a.yaml", [1]) == {}


def test_looking_changes_nothing_in_the_repository(repository: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in repository.rglob("*")}
    line_authors(repository, "deep/a.yaml", [1])
    file_author(repository, "deep/a.yaml")
    assert {path: path.stat().st_mtime_ns for path in repository.rglob("*")} == before

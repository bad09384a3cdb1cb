from __future__ import annotations

import os
import shutil
import subprocess
from datetime import datetime
from pathlib import Path

import pytest

from tasks.checklist.gate import Answer
from tasks.checklist.gates import repository_gates
from tasks.checklist.release_repository import (
    NoRepository,
    Repository,
    Tag,
    last_release,
    read_repository,
    releases,
    unexpected,
)
from tasks.checklist.release_tags import TagRule

pytestmark = pytest.mark.needs("git")

GIT = shutil.which("git") or "git"


def git(root: Path, *arguments: str, day: str = "2026-11-20T12:00:00+0100") -> str:
    own = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.org", "-c", "commit.gpgsign=false")
    dates = {"GIT_COMMITTER_DATE": day, "GIT_AUTHOR_DATE": day}
    done = subprocess.run(
        [GIT, *own, *arguments], cwd=root, check=True, capture_output=True, text=True, env={**os.environ, **dates}
    )
    return done.stdout.strip()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--initial-branch=main")
    (tmp_path / "one").touch()
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-m", "one")
    return tmp_path


def seen(root: Path) -> Repository:
    found = read_repository(root)
    assert isinstance(found, Repository), found
    return found


def nothing(_path: str) -> bool:
    return False


def test_a_clean_state(root: Path) -> None:
    found = seen(root)
    assert found == Repository(
        head=git(root, "rev-parse", "HEAD"),
        committed=datetime.fromisoformat("2026-11-20T12:00:00+01:00"),
        branch="main",
        changed=(),
        untracked=(),
        under_way="",
        shallow=False,
        tags=(),
    )
    assert repository_gates.evaluate_tree(found, nothing).answer is Answer.GO


def test_files_that_differ_by_their_paths_below_the_root(root: Path) -> None:
    below = root / "a b/näher"
    below.mkdir(parents=True)
    for name in ("two", "three"):
        (below / name).touch()
    git(root, "add", "a b/näher/two")
    (root / "one").write_text("changed")
    found = seen(root / "a b")
    assert (found.changed, found.untracked) == (("näher/two",), ("näher/three",))
    assert seen(root).changed == ("a b/näher/two", "one")
    result = repository_gates.evaluate_tree(seen(root), nothing)
    assert result.answer is Answer.NO_GO
    assert result.reason.startswith('2 files not committed: "a b/näher/two", "one"; 1 file neither tracked nor ignored')


def test_what_the_suite_keeps_is_no_reason(root: Path) -> None:
    for name in ("logs/a.json", "logs2/a", ".maintenance.lock"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).touch()
    assert unexpected(seen(root), lambda path: path in {"logs/a.json", ".maintenance.lock"}) == ("logs2/a",)
    assert repository_gates.evaluate_tree(seen(root), lambda _path: True).answer is Answer.GO


def test_tags_of_commits_with_their_moments(root: Path) -> None:
    first = git(root, "rev-parse", "HEAD")
    git(root, "tag", "v1.0")
    git(root, "tag", "-a", "-m", "x", "v1.1", day="2026-11-21T12:00:00+0000")
    git(root, "tag", "tree-of-it", "HEAD^{tree}")
    git(root, "commit", "--allow-empty", "-m", "two")
    git(root, "switch", "-c", "other")
    git(root, "commit", "--allow-empty", "-m", "three")
    git(root, "tag", "v2.0")
    git(root, "switch", "main")
    found = seen(root)
    made = datetime.fromisoformat("2026-11-20T12:00:00+01:00")
    assert found.tags == (
        Tag("v1.0", first, made, merged=True),
        Tag("v1.1", first, datetime.fromisoformat("2026-11-21T12:00:00+00:00"), merged=True),
        Tag("v2.0", git(root, "rev-parse", "other"), made, merged=False),
    )
    last = last_release(found, TagRule("v"))
    assert last is not None
    assert last.tag.name == "v1.1"
    assert [str(each.version) for each in releases(found, TagRule("v"))] == ["1.0", "1.1", "2.0"]
    assert [*releases(found, TagRule("release-"))] == []


def test_where_the_project_lies_and_whether_tags_are_fetched(root: Path, tmp_path: Path) -> None:
    (root / "a/b").mkdir(parents=True)
    assert (seen(root / "a/b").folder, seen(root).folder, seen(root).without_tags) == ("a/b", "", "")
    clone = tmp_path / "clone"
    git(root, "clone", "--quiet", "--no-tags", str(root), str(clone))
    assert seen(clone).without_tags == "origin"


@pytest.mark.parametrize("operation", ["merge", "cherry-pick", "rebase"])
def test_what_is_half_done(root: Path, operation: str) -> None:
    git(root, "switch", "-c", "other")
    for name, text in (("other", "a"), ("main", "b")):
        git(root, "switch", name)
        (root / "one").write_text(text)
        git(root, "commit", "-am", name)
    with pytest.raises(subprocess.CalledProcessError):
        git(root, operation, "other")
    found = seen(root)
    assert found.under_way == operation
    assert repository_gates.evaluate_tree(found, nothing).reason == f"A {operation} is under way."


def test_before_the_first_commit(tmp_path: Path) -> None:
    git(tmp_path, "init", "--initial-branch=main")
    found = seen(tmp_path)
    assert (found.head, found.committed, found.branch, found.tags) == ("", None, "main", ())
    assert repository_gates.evaluate_tree(found, nothing) == (
        Answer.NOT_CHECKED,
        "There is no commit yet.",
        "Commit the project.",
        (),
    )


def test_a_detached_head_and_branches_by_patterns(root: Path) -> None:
    assert repository_gates.evaluate_branch(seen(root), ("master", "ma*")).reason == "It is on main."
    assert repository_gates.evaluate_branch(seen(root), ("master", "release/*")).reason == (
        'It is on main; releases are made from "master", "release/*".'
    )
    git(root, "switch", "--detach")
    assert seen(root).branch == ""
    assert repository_gates.evaluate_branch(seen(root), ("*",)).answer is Answer.NO_GO


def test_no_repository_and_a_git_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = read_repository(tmp_path)
    assert isinstance(found, NoRepository)
    assert found.reason == "The project is not in a Git repository."
    assert repository_gates.evaluate_tree(found, nothing)[:3] == (Answer.NOT_CHECKED, *found)
    monkeypatch.setenv("PATH", "")
    found = read_repository(tmp_path)
    assert isinstance(found, NoRepository)
    assert found.reason == "Git cannot tell: git is not installed."
    assert repository_gates.evaluate_branch(found, ("main",))[:3] == (Answer.NOT_CHECKED, *found)

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest

from tasks.audit.security.git_tracking import ignore_findings, tracked_files
from tasks.audit.security.key_files import find_key_files, is_environment
from tasks.core.programs import git as core_git
from tasks.core.report.model import Finding, Status
from tasks.core.settings.model import Settings

pytestmark = pytest.mark.needs("git")

Add = Callable[[str, str | bytes], Path]
Git = Callable[..., None]


def found(root: Path) -> list[Finding]:
    return ignore_findings(root, tracked_files(root), find_key_files(root, Settings(), Event()).keys)


def statuses(root: Path) -> dict[str, str]:
    return {each.subject: each.status.value for each in found(root)}


@pytest.mark.parametrize("name", [".env", ".env.local", "deep/.env", ".env.example.local"])
def test_names_of_environments(name: str) -> None:
    assert is_environment(name)


@pytest.mark.parametrize("name", [".env.example", ".env.sample", ".env.dist", ".envrc", "env", ".env/x", "a.env"])
def test_other_names(name: str) -> None:
    assert not is_environment(name)


def test_ignored_is_well(repository: Path, add: Add) -> None:
    add(".gitignore", ".env\n.env.*\n!.env.example\n")
    add(".env.example", "KEY=\n")
    (finding,) = found(repository)
    assert (finding.status, finding.message) == (Status.OK, "Git would ignore it.")
    (repository / ".env").write_text("KEY=\n")
    (finding,) = found(repository)
    assert (finding.status, finding.message) == (Status.OK, "Git ignores 1 such file, and tracks none.")


def test_not_ignored_is_a_warning_before_there_is_one_and_after(repository: Path) -> None:
    (finding,) = found(repository)
    assert (finding.status, finding.remedy) == (Status.WARNING, r"printf '\n%s\n' .env >> .gitignore")
    assert "none yet" in finding.message
    (repository / ".env").write_text("")
    (repository / ".env.local").write_text("")
    assert statuses(repository) == {".env": "warning", ".env.local": "warning"}
    assert "makes it part" in found(repository)[0].message


def test_tracked_is_critical_although_it_is_ignored(repository: Path, add: Add) -> None:
    add(".gitignore", ".env*\n")
    add("deep/.env", "KEY=\n")
    add(".env.local copy", "KEY=\n")
    findings = {each.subject: each for each in found(repository)}
    assert {each.status for each in findings.values()} == {Status.CRITICAL}
    assert r"git rm --cached -- deep/.env && printf '\n%s\n' .env >> .gitignore" in (findings["deep/.env"].remedy or "")
    assert r"-- '.env.local copy' && printf '\n%s\n' '.env.local copy'" in (findings[".env.local copy"].remedy or "")


def test_a_tracked_one_that_is_ignored_nowhere_is_told_once(repository: Path, add: Add) -> None:
    add(".env", "KEY=\n")
    assert statuses(repository) == {".env": "critical"}


def test_those_of_a_repository_inside_are_its_own(repository: Path, add: Add, git: Git) -> None:
    add(".gitignore", "/.env\n")
    inner = repository / "inner"
    (inner / "deep").mkdir(parents=True)
    git(inner, "init", "--quiet")
    (inner / "deep/.env").write_text("")
    assert statuses(repository) == {".env": "ok"}


def test_the_root_may_be_a_folder_of_the_repository(repository: Path, add: Add) -> None:
    add(".gitignore", ".env\n")
    add("project/a.txt", "a")
    assert statuses(repository / "project") == {".env": "ok"}


def test_without_git(tmp_path: Path, repository: Path, add: Add, monkeypatch: pytest.MonkeyPatch) -> None:
    assert statuses(tmp_path) == {".env": "skipped"}
    add(".env", "")
    asked = tracked_files(repository)

    def silent(*_: object, **__: object) -> str:
        raise core_git.GitError("git gave no answer in 10 s")

    monkeypatch.setattr(core_git, "ask", silent)
    (repository / ".env.local").write_text("")
    keys = find_key_files(repository, Settings(), Event()).keys
    findings = ignore_findings(repository, asked, keys)
    assert [each.status for each in findings] == [Status.CRITICAL, Status.UNKNOWN]
    assert "git gave no answer" in findings[1].message

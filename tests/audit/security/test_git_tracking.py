from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest

from tasks.audit.security.git_tracking import ignore_findings, tracked_files
from tasks.audit.security.key_files import find_key_files, is_environment
from tasks.conventions.convention import Convention, Evidence
from tasks.conventions.project_conventions import ProjectConventions
from tasks.core.programs import git as core_git
from tasks.core.report.model import Finding, Status
from tasks.core.settings.model import Settings

pytestmark = pytest.mark.needs("git")

Add = Callable[[str, str | bytes], Path]
Git = Callable[..., None]


SECRET = "q7Rk2mPz9Xw4" + "Lk3VbN8sTf5Yh"


def named(root: Path) -> Convention[tuple[Evidence, ...]]:
    return ProjectConventions(root, is_own=lambda _path: False, keys=()).environment_file


def found(root: Path, cut: str = "") -> list[Finding]:
    return ignore_findings(root, tracked_files(root), find_key_files(root, Settings(), Event()).keys, named(root), cut)


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


def test_not_ignored_is_a_warning_before_there_is_one_and_after(repository: Path, add: Add) -> None:
    add("deploy/.env.example", "KEY=\n")
    (finding,) = found(repository)
    assert (finding.status, finding.remedy) == (Status.WARNING, r"printf '\n%s\n' .env >> .gitignore")
    assert "none yet" in finding.message
    assert "names it in deploy/.env.example." in finding.message
    (repository / ".env").write_text("")
    (repository / ".env.local").write_text("")
    assert statuses(repository) == {".env": "warning", ".env.local": "warning"}
    assert "makes it part" in found(repository)[0].message


def test_where_nothing_names_one_none_is_missing(repository: Path, add: Add) -> None:
    add("app.py", "print('no variables')\n")
    (finding,) = found(repository)
    assert (finding.subject, finding.status, finding.remedy) == (".env", Status.SKIPPED, None)
    assert "Looked for .env, .env.example and other templates, python-dotenv" in finding.message
    (finding,) = found(repository, "there are 60,000 files, of which 50,000 were looked at")
    assert finding.status is Status.UNKNOWN
    assert "Not every file was looked at: there are 60,000 files" in finding.message
    (repository / "deep").mkdir()
    (repository / "deep/.env").write_text("A=1\n")
    assert statuses(repository) == {"deep/.env": "warning"}


def test_a_tracked_one_with_a_secret_is_critical_although_it_is_ignored(repository: Path, add: Add) -> None:
    add(".gitignore", ".env*\n")
    add("deep/.env", f"NAME=a\nAPI_TOKEN={SECRET}\nDB_PASSWORD=Tr0ub4dor&3\n")
    add(".env.local copy", f"URL=https://user:{SECRET}@api.zbeam.dev/\n")
    findings = {each.subject: each for each in found(repository)}
    assert {each: finding.status.value for each, finding in findings.items()} == {
        "deep/.env": "critical",
        ".env.local copy": "critical",
    }
    assert findings["deep/.env"].message == "Git tracks it, and 2 of its 3 variables hold a secret or key."
    assert findings[".env.local copy"].message == "Git tracks it, and 1 of its 1 variable holds a secret or key."
    assert SECRET not in str(findings)
    assert r"git rm --cached -- deep/.env && printf '\n%s\n' .env >> .gitignore" in (findings["deep/.env"].remedy or "")
    assert r"-- '.env.local copy' && printf '\n%s\n' '.env.local copy'" in (findings[".env.local copy"].remedy or "")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("FOO=env\nSPAM=1\nEGGS=2\nHAM=火腿\n", "4 variables"),
        ("# nothing yet\n", "0 variables"),
        ("export API_KEY=your-key-here\nSECRET_KEY=dev\n", "2 variables"),
        ("AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n", "1 variable"),
        ("POSTGRES_PASSWORD=postgres\nTOKEN=\nBARE\n", "3 variables"),
        (f"API_TOKEN={SECRET} # maintenance: no-secret\n", "1 variable"),
    ],
)
def test_a_tracked_one_without_a_secret_is_ok(repository: Path, add: Add, text: str, number: str) -> None:
    add("tests/.env", text)
    (finding,) = found(repository)
    assert (finding.subject, finding.status) == ("tests/.env", Status.OK)
    assert finding.message == f"Git tracks it. None of its {number} looks like a secret or key."


def test_a_tracked_one_that_cannot_be_read_is_unknown(repository: Path, add: Add) -> None:
    add("odd/.env", "A=1\nB='never closed\n")
    add("large/.env", b"A=1\n" * 300_000)
    found_ones = {each.subject: each for each in found(repository)}
    assert {each.status for each in found_ones.values()} == {Status.UNKNOWN}
    assert "1 line of it cannot be read" in found_ones["odd/.env"].message
    assert "what is in it cannot be read" in found_ones["large/.env"].message


def test_of_a_deleted_one_what_git_still_has_is_judged(repository: Path, add: Add) -> None:
    add(".env.production", f"API_TOKEN={SECRET}\n").unlink()
    assert statuses(repository) == {".env.production": "critical"}


def test_a_tracked_one_that_is_ignored_nowhere_is_told_once(repository: Path, add: Add) -> None:
    add(".env", f"API_TOKEN={SECRET}\n")
    assert statuses(repository) == {".env": "critical"}


def test_those_of_a_repository_inside_are_its_own(repository: Path, add: Add, git: Git) -> None:
    add(".gitignore", "/.env\n")
    inner = repository / "inner"
    (inner / "deep").mkdir(parents=True)
    git(inner, "init", "--quiet")
    (inner / "deep/.env").write_text("")
    (repository / ".env").write_text("")
    assert statuses(repository) == {".env": "ok"}


def test_the_root_may_be_a_folder_of_the_repository(repository: Path, add: Add) -> None:
    add(".gitignore", ".env\n")
    add("project/a.txt", "a")
    add("project/.env.example", "A=\n")
    assert statuses(repository / "project") == {".env": "ok"}


def test_without_git(tmp_path: Path, repository: Path, add: Add, monkeypatch: pytest.MonkeyPatch) -> None:
    assert statuses(tmp_path) == {".env": "skipped"}
    add(".env", f"API_TOKEN={SECRET}\n")
    asked = tracked_files(repository)

    def silent(*_: object, **__: object) -> str:
        raise core_git.GitError("git gave no answer in 10 s")

    monkeypatch.setattr(core_git, "ask", silent)
    (repository / ".env.local").write_text("")
    keys = find_key_files(repository, Settings(), Event()).keys
    findings = ignore_findings(repository, asked, keys, named(repository), "")
    assert [each.status for each in findings] == [Status.CRITICAL, Status.UNKNOWN]
    assert "git gave no answer" in findings[1].message

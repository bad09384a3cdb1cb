from __future__ import annotations

import os
import random
import string
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest

from tasks.audit.security import tracked_secrets
from tasks.audit.security.git_tracking import tracked_files
from tasks.core.files import safe_files as core_files
from tasks.core.programs import git as core_git
from tasks.core.report.model import Finding, Status

pytestmark = pytest.mark.needs("git")

Add = Callable[[str, str | bytes], Path]
Git = Callable[..., None]

CHANCE = random.Random(11)
KEY = "gh" + "p_" + "".join(CHANCE.choices(string.ascii_letters + string.digits, k=36))
RANDOM = "".join(CHANCE.choices(string.ascii_letters + string.digits, k=40)) + "q7"


def found(root: Path, stop: Event | None = None) -> list[Finding]:
    return tracked_secrets.secret_findings(root, tracked_files(root), stop or Event(), lambda _: None)


def statuses(root: Path) -> dict[str, str]:
    return {each.subject: each.status.value for each in found(root)}


def test_a_finding_names_file_lines_and_kinds_and_nothing_of_the_secret(repository: Path, add: Add) -> None:
    add("deep/a b.py", f'x = 1\nkey = "{KEY}"\n\npassword = "{RANDOM}"\n')
    add("README.md", "all is well\n")
    (finding,) = found(repository)
    assert (finding.check, finding.subject, finding.status) == ("audit.secrets", "deep/a b.py", Status.CRITICAL)
    assert "2 secrets" in finding.message
    assert "line 2: token of GitHub; line 4: random value" in finding.message
    assert (finding.remedy or "").startswith("Revoke it first")
    assert not any(KEY[at : at + 6] in repr(finding) or RANDOM[at : at + 6] in repr(finding) for at in range(4, 34))


def test_what_git_does_not_track_is_not_read(repository: Path, add: Add) -> None:
    add("a.txt", "a")
    add("b.txt", "b")
    (repository / "new.txt").write_text(KEY)
    (finding,) = found(repository)
    assert (finding.status, finding.value, finding.unit) == (Status.OK, 2, "files")
    assert "2 tracked files" in finding.message


def test_a_change_that_is_not_committed_is_read_and_a_deleted_file_is_not(repository: Path, add: Add) -> None:
    add("a.txt", "a").write_text(KEY)
    add("gone.txt", KEY).unlink()
    assert statuses(repository) == {"a.txt": "critical"}


def test_links_and_submodules_are_left_out(repository: Path, add: Add, git: Git, tmp_path: Path) -> None:
    add("a.txt", "a")
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "--quiet")
    (other / "key.txt").write_text(KEY)
    git(other, "add", ".")
    git(other, "commit", "-qm", "first")
    git(repository, "submodule", "add", str(other), "sub")
    (repository / "link").symlink_to(other / "key.txt")
    git(repository, "add", "link")
    assert set(tracked_files(repository).paths) == {"a.txt", ".gitmodules"}
    assert statuses(repository) == {".": "ok"}


def test_names_of_any_kind(repository: Path, add: Add) -> None:
    add("line\nbreak.txt", KEY)
    add('quo"te é.txt', KEY)
    add(os.fsdecode(b"by\xff.txt"), KEY)
    add("-f", KEY)
    assert set(statuses(repository)) == {"line\\nbreak.txt", 'quo"te é.txt', "by\\xff.txt", "-f"}


def test_the_root_may_be_a_folder_of_the_repository(repository: Path, add: Add) -> None:
    add("above.txt", KEY)
    add("project/a.txt", KEY)
    assert statuses(repository / "project") == {"a.txt": "critical"}


def test_a_file_in_conflict_is_read_once(repository: Path, add: Add, git: Git) -> None:
    add("a.txt", "base")
    git(repository, "commit", "-qm", "base")
    git(repository, "checkout", "-qb", "other")
    add("a.txt", f"{KEY}\n")
    git(repository, "commit", "-qam", "other")
    git(repository, "checkout", "-q", "-")
    add("a.txt", "mine")
    git(repository, "commit", "-qam", "mine")
    with pytest.raises(Exception, match="merge"):
        git(repository, "merge", "other")
    assert tracked_files(repository).paths == ("a.txt",)
    assert statuses(repository) == {"a.txt": "critical"}


@pytest.mark.parametrize(
    "name", ["uv.lock", "package-lock.json", "deep/poetry.lock", "pnpm-lock.yaml", "go.sum", "app.min.js"]
)
def test_random_values_of_generated_files_are_data_but_known_forms_are_not(
    repository: Path, add: Add, name: str
) -> None:
    add(name, f'token = "{RANDOM}"\n')
    assert statuses(repository) == {".": "ok"}
    add(name, f'token = "{RANDOM}"\n{KEY}\n')
    (finding,) = found(repository)
    assert "1 secret in it: line 2" in finding.message


def test_requirements_with_digests_and_binary_files_have_random_values(repository: Path, add: Add) -> None:
    add("requirements.txt", f"a==1 --hash=sha256:{'ab' * 32}\n# token={RANDOM}\n")
    add("binary.dat", b"\0\1\2 token=" + RANDOM.encode())
    assert statuses(repository) == {".": "ok"}
    add("binary.dat", b"\0\1\2 " + KEY.encode() + b"\0")
    assert statuses(repository) == {"binary.dat": "critical"}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "latin-1"])
def test_encodings(repository: Path, add: Add, encoding: str) -> None:
    add("a.ps1", f"# Größe\ntoken = '{RANDOM}'\n".encode(encoding))
    assert "line 2: random value" in found(repository)[0].message


def test_invalid_encoding_is_fine(repository: Path, add: Add) -> None:
    add("a.txt", b"\xff\xfe\xd8" + KEY.encode())
    add("b.txt", b"\xc3\x28 \xed\xa0\x80 " + KEY.encode())
    assert statuses(repository)["b.txt"] == "critical"


def test_a_large_file_is_read_in_parts_for_known_forms(
    repository: Path, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracked_secrets, "_LARGE", 1_000)
    monkeypatch.setattr(tracked_secrets, "_OVERLAP", 200)
    add("large.txt", f'token = "{RANDOM}"\n' + "x y\n" * 1_000)
    (finding,) = found(repository)
    assert (finding.status, finding.value) == (Status.OK, 1)
    assert 'Larger than 1.0 kB, so only known forms were looked for: "large.txt".' in finding.message
    for place in (985, 1_000, 1_195, 1_950, 3_000):
        lines = "x y\n" * place
        add("large.txt", f"{lines}{KEY}\n{lines}")
        assert f"line {place + 1:,}: token" in found(repository)[0].message
        add("large.txt", f"{'x ' * (2 * place)}{KEY} {'x ' * place}")
        assert "1 secret in it: line 1: token" in found(repository)[0].message
        add("large.txt", f"{'x' * (4 * place)}{KEY}{'x' * place}")
        assert statuses(repository) == {".": "ok"}


def test_many_secrets_of_a_file_are_counted(repository: Path, add: Add) -> None:
    add("a.txt", f"{KEY}\n" * 12)
    assert found(repository)[0].message.endswith("; and 2 more.")


def test_what_cannot_be_read_is_unknown(repository: Path, add: Add, monkeypatch: pytest.MonkeyPatch) -> None:
    file = add("a.txt", "a")
    file.unlink()
    file.symlink_to("b.txt")
    add("b.txt", "b")
    (finding,) = found(repository)
    assert (finding.status, finding.subject) == (Status.UNKNOWN, "a.txt")
    assert "symbolic link" in finding.message

    def denied(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(core_files, "regular_file", denied)
    assert {each.message for each in found(repository)} == {"It cannot be read: Permission denied."}
    assert statuses(repository) == {"a.txt": "unknown", "b.txt": "unknown"}


def test_it_can_be_stopped(repository: Path, add: Add) -> None:
    add("a.txt", KEY)
    add("b.txt", KEY)
    stop = Event()
    advanced = []

    def advance(number: int) -> None:
        advanced.append(number)
        stop.set()

    findings = tracked_secrets.secret_findings(repository, tracked_files(repository), stop, advance)
    assert advanced == [1]
    assert [each.status for each in findings] == [Status.CRITICAL, Status.UNKNOWN]
    assert "after 1 of 2 tracked files" in findings[1].message


def test_without_a_repository_it_is_skipped(tmp_path: Path) -> None:
    (finding,) = found(tmp_path)
    assert (finding.status, finding.subject) == (Status.SKIPPED, ".")
    assert "not in a Git repository" in finding.message


def test_without_an_answer_of_git_it_is_unknown(
    repository: Path, add: Add, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    add("a.txt", "a")
    (repository / ".git/index").write_bytes(b"broken")
    assert found(repository)[0].status == Status.UNKNOWN
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(core_git.GitError):
        core_git.ask(repository, "status")
    assert "git is not installed" in found(repository)[0].message


def test_a_repository_without_files_is_skipped(repository: Path) -> None:
    assert statuses(repository) == {".": "skipped"}

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from .conftest import Inv, Result, fingerprint

TASK = "quarterly.backup-verification"
PASSWORD = "correct-horse-battery"  # noqa: S105 - of no repository
PROGRAMS = [pytest.param(name, marks=pytest.mark.needs(name)) for name in ("restic", "borg")]
VARIABLE = {"restic": "RESTIC_PASSWORD", "borg": "BORG_PASSPHRASE"}

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("program", PROGRAMS)]


class Repository:
    """A real repository, made and filled by its own program."""

    def __init__(self, program: str, root: Path, environ: Mapping[str, str]) -> None:
        self.program, self.root = program, root
        self.path = root.parent / "repository"
        self.environ = {**environ, VARIABLE[program]: PASSWORD}
        init = ["init"] if program == "restic" else ["init", "--encryption", "repokey-blake2"]
        self.run(*init, *([] if program == "restic" else [str(self.path)]))

    def run(self, *arguments: str) -> None:
        repository = ["--repo", str(self.path)] if self.program == "restic" else []
        subprocess.run(
            [self.program, *repository, *arguments], cwd=self.root, env=self.environ, check=True, capture_output=True
        )

    def back_up(self, moment: str | None = None) -> None:
        """Back up the project's data, at a moment (``2026-11-01 12:00:00``) or now."""
        if self.program == "restic":
            self.run("backup", "data", *(["--time", moment] if moment else []))
        else:
            stamp = ["--timestamp", moment.replace(" ", "T")] if moment else []
            self.run("create", *stamp, f"{self.path}::made-{time.monotonic_ns()}", "data")

    def packs(self) -> list[Path]:
        """Return the files of data, the largest first."""
        files = [path for path in (self.path / "data").rglob("*") if path.is_file()]
        return sorted(files, key=lambda path: path.stat().st_size, reverse=True)


@pytest.fixture
def repository(program: str, project: Path, environment: dict[str, str]) -> Repository:
    """A repository with one backup of a project's data, and the password in the environment."""
    (project / "data/[odd] *?").mkdir(parents=True)
    (project / "data/materials.yaml").write_text("materials: {a: 1}\n")
    (project / "data/[odd] *?/$HOME 激光.json").write_text("{}")
    (project / "data/large.bin").write_bytes(os.urandom(3_000_000))
    (project / "data/link").symlink_to("/etc/hostname")
    made = Repository(program, project, environment)
    made.back_up()
    environment[VARIABLE[program]] = PASSWORD
    return made


def settings(repository: Repository, **more: object) -> str:
    """Write the settings of a repository and return the file's path."""
    path = repository.root.parent / "settings.yaml"
    own = {"program": repository.program, "location": str(repository.path), "read_percent": 100, **more}
    path.write_text(yaml.safe_dump({"maintenance": {"backups": {"repositories": {"disk": own}}}}))
    return str(path)


def reported(result: Result, check: str) -> tuple[str, str]:
    (found,) = result.findings(f"backup.{check}")
    return found["status"], found["message"]


def level(result: Result) -> str | None:
    (row,) = result.report["data"]["repositories"]
    found: str | None = row["level"]
    return found


def test_a_good_repository_is_restored_from_and_not_changed(inv: Inv, repository: Repository) -> None:
    kept = fingerprint(repository.path)
    result = inv("-f", settings(repository), TASK)
    assert result.err == ""
    assert reported(result, "external")[0] == "ok", result.out
    assert reported(result, "external.check")[0] == "ok", result.out
    status, message = reported(result, "external.restored")
    assert (status, "3 files (3.0 MB), each as it was listed." in message) == ("ok", True), message
    assert level(result) == "restored"
    assert reported(result, "media")[1].startswith("2 copies on 1 medium, none off-site;")
    assert not (repository.root / "backups/.restore-external").exists()
    if repository.program == "restic":
        assert fingerprint(repository.path) == kept
    text = inv("-f", settings(repository), TASK, json=False)
    reports = "".join(path.read_text() for path in repository.root.rglob("*.json") if "odd" not in str(path))
    assert PASSWORD not in result.out + text.out + text.err + reports


def test_of_a_large_backup_a_sample_is_restored(inv: Inv, repository: Repository) -> None:
    result = inv("-f", settings(repository, restore_mb=1), TASK)
    status, message = reported(result, "external.restored")
    assert (status, "2 of 3 files (20 B)" in message) == ("ok", True), result.out


@pytest.mark.parametrize("arguments", [(TASK, "--dry-run"), ("--dry", TASK)])
def test_a_dry_run_changes_neither_the_project_nor_the_repository(
    inv: Inv, repository: Repository, arguments: tuple[str, ...], environment: dict[str, str]
) -> None:
    trees = (repository.root, repository.path, Path(environment["HOME"]))
    before = [fingerprint(tree) for tree in trees]
    result = inv("-f", settings(repository), *arguments)
    assert [fingerprint(tree) for tree in trees] == before
    assert level(result) == "intact", result.out


def test_damaged_data_is_found(inv: Inv, repository: Repository) -> None:
    pack = repository.packs()[0]
    pack.chmod(0o600)
    content = bytearray(pack.read_bytes())
    content[len(content) // 2] ^= 1
    pack.write_bytes(content)
    for arguments in ((), ("--dry-run",)):
        result = inv("-f", settings(repository), TASK, *arguments)
        assert (result.status, result.err) == (2, ""), result.out
        status, message = reported(result, "external.check")
        assert (status, "Its check did not pass" in message) == ("critical", True)
        assert level(result) == "present"


def test_a_file_of_data_that_is_missing_is_found(inv: Inv, repository: Repository) -> None:
    repository.packs()[0].unlink()
    # Without reading data: restic would try to for most of a minute.
    more = {"read_percent": 0} if repository.program == "restic" else {}
    result = inv("-f", settings(repository, **more), TASK)
    assert (result.status, result.err) == (2, ""), result.out


def test_a_wrong_password_is_told_and_not_repeated(
    inv: Inv, repository: Repository, environment: dict[str, str]
) -> None:
    environment[VARIABLE[repository.program]] = "not-the-right-one"
    result = inv("-f", settings(repository), TASK)
    assert reported(result, "external") == (
        "critical",
        f"It could not be looked at: the password in {VARIABLE[repository.program]} is not that of the repository.",
    )
    assert "not-the-right-one" not in result.out + result.err


def test_the_password_may_stand_in_the_projects_env_file_under_another_name(
    inv: Inv, repository: Repository, environment: dict[str, str]
) -> None:
    del environment[VARIABLE[repository.program]]
    (repository.root / ".env").write_text(f"ARCHIVE_SECRET={PASSWORD}\n")
    result = inv("-f", settings(repository, password_env="ARCHIVE_SECRET"), TASK)  # noqa: S106
    assert level(result) == "restored", result.out
    assert PASSWORD not in result.out + result.err


def test_without_a_password_nobody_is_asked(inv: Inv, repository: Repository, environment: dict[str, str]) -> None:
    del environment[VARIABLE[repository.program]]
    result = inv("-f", settings(repository), TASK)
    assert reported(result, "external")[0] in {"unknown", "critical"}
    assert "password" in reported(result, "external")[1]


def test_an_old_backup_is_told(inv: Inv, program: str, project: Path, environment: dict[str, str]) -> None:
    (project / "data").mkdir()
    (project / "data/a.json").write_text("{}")
    old = Repository(program, project, environment)
    old.back_up(time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time.time() - 10 * 86_400)))
    environment[VARIABLE[program]] = PASSWORD
    environment["TZ"] = old.environ["TZ"] = "UTC"
    result = inv("-f", settings(old), TASK)
    status, message = reported(result, "external")
    assert (status, "the newest 10." in message or "the newest 9." in message) == ("warning", True), message


def test_a_repository_that_is_not_there_or_empty(inv: Inv, repository: Repository) -> None:
    result = inv("-f", settings(repository, location=str(repository.path.parent / "gone")), TASK)
    assert reported(result, "external") == (
        "critical",
        f"It could not be looked at: there is no repository of {repository.program} there.",
    )
    shutil.rmtree(repository.path)
    empty = Repository(repository.program, repository.root, repository.environ)
    assert reported(inv("-f", settings(empty), TASK), "external")[0] == "critical"


def test_a_program_that_is_missing_is_unknown(inv: Inv, repository: Repository) -> None:
    result = inv("-f", settings(repository), TASK, env={"PATH": "/nonexistent"})
    assert (result.status, reported(result, "external")) == (
        3,
        ("unknown", f"It could not be looked at: {repository.program} is not installed."),
    )


def test_a_path_from_the_root_is_a_location(inv: Inv, repository: Repository) -> None:
    result = inv("-f", settings(repository, location="../repository"), TASK)
    assert level(result) == "restored", result.out


def test_a_lock_of_another_program_at_work(inv: Inv, repository: Repository) -> None:
    if repository.program == "restic":
        pytest.skip("restic is asked without a lock, and a lock of another is no matter then")
    (repository.path / "lock.exclusive").mkdir()
    (repository.path / "lock.exclusive/elsewhere@1.1-1").touch()
    result = inv("-f", settings(repository), TASK)
    status, message = reported(result, "external.check")
    assert (status, "it is locked" in message) == ("unknown", True), message
    assert reported(result, "external.restored")[0] == "ok"

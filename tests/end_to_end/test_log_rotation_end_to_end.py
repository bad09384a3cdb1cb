from __future__ import annotations

import gzip
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from .conftest import INV, PATIENCE, REPOSITORY, Inv, Result, fingerprint

TASK = "weekly.log-rotation"
LINES = b"".join(b"line %d of many\n" % number for number in range(5000))


@pytest.fixture
def log(project: Path) -> Path:
    """A log that nobody writes to."""
    (project / "logs").mkdir()
    path = project / "logs" / "app.log"
    path.write_bytes(LINES)
    return path


def run_with(prefix: list[str], environment: Mapping[str, str], *arguments: str) -> Result:
    done = subprocess.run(
        [*prefix, INV, TASK, *arguments],
        cwd=REPOSITORY,
        env={**environment, "INVOKE_MAINTENANCE_OUTPUT": "json"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return Result(done.returncode, done.stdout, done.stderr)


def test_a_log_is_archived_and_begun_anew(log: Path, inv: Inv) -> None:
    before = fingerprint(log.parent.parent)
    planned = inv(TASK, "--dry-run")
    assert fingerprint(log.parent.parent) == before
    result = inv(TASK)

    assert result.status == 0, result.err
    (archive,) = (log.parent / "archive").rglob("*.gz")
    assert gzip.decompress(archive.read_bytes()) == LINES
    assert log.read_bytes() == b""
    assert [{**one, "done": False} for one in result.report["actions"]] == planned.report["actions"]
    assert [one["archives"] for one in result.report["data"]["months"]] == [1]
    assert not list(log.parent.parent.rglob(".*"))


@pytest.mark.slow
def test_an_archive_folder_that_cannot_be_written_is_critical_and_costs_nothing(
    log: Path, environment: dict[str, str], without_privileges: list[str]
) -> None:
    archive = log.parent / "archive"
    archive.mkdir()
    archive.chmod(0o555)
    planned = run_with(without_privileges, environment, "--dry-run")
    result = run_with(without_privileges, environment)
    archive.chmod(0o755)

    for one in (planned, result):
        assert one.status == 2
        assert "Permission denied" in one.findings("logs.rotation-failed")[0]["message"]
    assert log.read_bytes() == LINES
    assert list(archive.iterdir()) == []


@pytest.mark.slow
def test_a_log_that_cannot_be_read_is_unknown_and_the_others_are_rotated(
    log: Path, environment: dict[str, str], without_privileges: list[str]
) -> None:
    closed = log.with_name("closed.log")
    closed.write_bytes(b"secret\n")
    closed.chmod(0)
    result = run_with(without_privileges, environment)

    assert result.status == 3
    assert result.findings("logs.unreadable")[0]["subject"] == "logs/closed.log"
    assert result.findings("logs.rotated")[0]["subject"] == "logs/app.log"


@pytest.mark.slow
def test_a_full_disk_is_critical_and_costs_nothing(log: Path, environment: dict[str, str]) -> None:
    result = run_with(["bash", "-c", 'ulimit -f 1; exec "$0" "$@"'], environment)

    assert result.status == 2
    assert log.read_bytes() == LINES
    (finding,) = result.findings("logs.rotation-failed")
    assert "Free space" in finding["remedy"]
    assert {path.name for path in log.parent.rglob("*") if path.is_file()} == {"app.log", "maintenance_history.jsonl"}


@pytest.mark.slow
def test_two_runs_at_once_archive_a_log_once(log: Path, environment: dict[str, str]) -> None:
    env = {**environment, "INVOKE_MAINTENANCE_OUTPUT": "json"}
    runs = [subprocess.Popen([INV, TASK], cwd=REPOSITORY, env=env, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    documents = [json.loads(run.communicate(timeout=PATIENCE)[0]) for run in runs]

    assert {run.returncode for run in runs} <= {0, 3}
    actions = [one for document in documents for report in document["reports"] for one in report["actions"]]
    assert [one["verb"] for one in actions] == ["archive"]
    (archive,) = (log.parent / "archive").rglob("*.gz")
    assert gzip.decompress(archive.read_bytes()) == LINES

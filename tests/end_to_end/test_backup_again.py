"""A second backup of what was not changed."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import Inv, Result, fingerprint

CREATE = "backup.create"


@pytest.fixture
def saved(inv: Inv, project: Path) -> Path:
    """A project with a backup, and with own files of the suite among what is backed up."""
    for name in ("data/a.yaml", "data/b.yaml", "config/settings.py", "logs/performance.json"):
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text("a: 1\n")
    (project / "logs/app.log").write_text("2026-11-24 12:00:00,000 - app - ERROR - no\n")
    inv("daily.error-monitor")
    assert (project / "logs/error_tracking.json").exists()
    wait_for_the_clock(project)
    assert inv(CREATE).status == 0
    return project


def wait_for_the_clock(project: Path) -> None:
    """Wait until a new file has a time that no file of the project can have."""
    last = max(each.stat().st_ctime_ns for each in project.rglob("*"))
    probe = project / "probe"
    while True:
        probe.touch()
        if probe.stat().st_ctime_ns > last + 30_000_000:
            break
        time.sleep(0.001)
    probe.unlink()


def archives(root: Path) -> list[str]:
    return sorted(each.name for each in (root / "backups").glob("*.tar.gz"))


def beside(root: Path, number: int = 0) -> dict[str, Any]:
    """Return the manifest beside an archive."""
    path = root / "backups" / archives(root)[number].replace(".tar.gz", ".manifest.json")
    document: dict[str, Any] = json.loads(path.read_text())
    return document


def test_where_nothing_changed_no_second_archive_is_made_and_the_report_names_the_first(inv: Inv, saved: Path) -> None:
    (name,) = archives(saved)
    before = (saved / "backups" / name).read_bytes()
    result = inv(CREATE)
    assert (result.status, result.report["status"]) == (0, "ok"), result.out
    assert archives(saved) == [name]
    assert result.report["summary"] == f"nothing changed; backups/{name} holds the state"
    (finding,) = (each for each in result.findings("backup.create") if each["subject"] == f"backups/{name}")
    assert finding["message"].startswith("Nothing changed since this backup was made on 20")
    assert finding["message"].endswith("and its SHA-256 is right.")
    assert result.report["files"] == [f"backups/{name.replace('.tar.gz', '.manifest.json')}", "backups/created.json"]
    assert (saved / "backups" / name).read_bytes() == before
    values = {each["name"]: each["value"] for each in result.report["metrics"]}
    assert (values["backup.files"], values["backup.archive_bytes"]) == (6, len(before))


def test_a_run_of_the_daily_procedures_in_between_is_no_change(inv: Inv, saved: Path) -> None:
    with (saved / "logs/app.log").open("a") as log:
        log.write("2026-11-24 12:00:01,000 - app - ERROR - another one\n")
    own = (saved / "logs/error_tracking.json").read_bytes()
    assert inv("daily").document["reports"]
    assert (saved / "logs/error_tracking.json").read_bytes() != own
    result = inv(CREATE)
    assert (result.status, len(archives(saved))) == (0, 1), result.out
    (finding,) = (each for each in result.findings("backup.create") if each["subject"].endswith(".tar.gz"))
    assert "of the suite itself changed and will be in the next archive." in finding["message"]


def replace(path: Path) -> None:
    """Put an equal file in the place of a file."""
    shutil.copy2(path, path.with_name("copy"))
    path.with_name("copy").rename(path)


def rewrite(path: Path) -> None:
    """Change a content and neither its size nor its time."""
    status = path.stat()
    path.write_text("b: 2\n")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda root: (root / "data/a.yaml").write_text("longer: 1\n"), id="size"),
        pytest.param(lambda root: os.utime(root / "data/a.yaml", ns=(1, 1)), id="mtime"),
        pytest.param(lambda root: rewrite(root / "data/a.yaml"), id="ctime"),
        pytest.param(lambda root: replace(root / "data/a.yaml"), id="inode"),
        pytest.param(lambda root: (root / "data/a.yaml").chmod(0o600), id="mode"),
        pytest.param(lambda root: (root / "data/a.yaml").rename(root / "data/z.yaml"), id="name"),
        pytest.param(lambda root: (root / "data/a.yaml").unlink(), id="gone"),
        pytest.param(lambda root: (root / "data/new").write_text("x"), id="new"),
        pytest.param(lambda root: (root / "data/folder").mkdir(), id="new folder"),
        pytest.param(lambda root: (root / "data").chmod(0o700), id="mode of a folder"),
        pytest.param(lambda root: (root / "logs/performance.json").write_text("{}"), id="the project's own log"),
    ],
)
def test_any_change_of_a_file_makes_a_second_archive(inv: Inv, saved: Path, change: Callable[[Path], object]) -> None:
    change(saved)
    assert inv(CREATE).status == 0
    assert len(archives(saved)) == 2


def test_a_dry_run_says_that_no_archive_would_be_made(inv: Inv, saved: Path) -> None:
    before = fingerprint(saved)
    planned = inv(CREATE, "--dry-run")
    assert (planned.status, fingerprint(saved)) == (0, before), planned.out
    done = inv(CREATE)
    assert planned.targets("write") == [*done.targets("write"), "backups/created.json"]
    assert planned.report["summary"] == done.report["summary"]


def test_an_archive_that_is_not_as_it_was_written_holds_no_state(inv: Inv, saved: Path) -> None:
    (name,) = archives(saved)
    content = bytearray((saved / "backups" / name).read_bytes())
    content[len(content) // 2] ^= 1
    (saved / "backups" / name).write_bytes(content)
    result = inv(CREATE)
    assert (result.status, len(archives(saved))) == (1, 2), result.out
    (warning,) = (each for each in result.findings("backup.create") if each["status"] == "warning")
    assert warning["subject"] == f"backups/{name}"
    assert warning["message"].endswith("is not the archive that was written; another one is made.")
    assert inv(CREATE).report["summary"] == f"nothing changed; backups/{archives(saved)[1]} holds the state"


def test_the_copy_of_a_state_before_a_restore_holds_no_state(inv: Inv, saved: Path) -> None:
    (saved / "data/a.yaml").write_text("spoilt: 1\n")
    assert inv("backup.restore", "--force").status == 0
    assert len(archives(saved)) == 2
    assert inv(CREATE).status == 0
    assert len(archives(saved)) == 3


def test_a_run_without_a_change_renews_the_age_of_the_backup(inv: Inv, saved: Path) -> None:
    path = next((saved / "backups").glob("*.manifest.json"))
    older = json.loads(path.read_text()) | {"created": "2026-01-02T12:00:00+00:00"}
    path.write_text(json.dumps(older))
    assert ages(inv("quarterly.backup-verification")) == ["critical"]
    settings = {"INVOKE_MAINTENANCE_BACKUPS_MAX_AGE_DAYS": "10000"}  # own files are not waited for any longer either
    assert inv(CREATE, env=settings).status == 0
    assert len(archives(saved)) == 1
    assert ages(inv("quarterly.backup-verification")) == ["ok"]


def ages(result: Result) -> list[str]:
    return [each["status"] for each in result.findings("backup.recent")]

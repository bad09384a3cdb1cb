from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from .conftest import HISTORY, INV, REPOSITORY, Inv, Result, fingerprint

TASK = "quarterly.backup-verification"
DAY = 86_400


@pytest.fixture
def backed_up(project: Path, inv: Inv) -> Path:
    """A project whose only backup is a minute old."""
    (project / "data").mkdir()
    (project / "data/materials.yaml").write_text("materials: {a: 1}\n")
    (project / "data/values.json").write_text("{}")
    (project / "config").mkdir()
    (project / "config/settings.py").write_text("A = 1\n")
    for path in [*project.rglob("*.*")]:
        os.utime(path, (time.time() - DAY, time.time() - DAY))
    assert inv("backup.create").status == 0
    return project


def archives(root: Path) -> list[Path]:
    return sorted((root / "backups").glob("*.tar.gz"))


def made(root: Path, archive: Path, *, days: float) -> Path:
    """Make a backup older, by its name, and return it."""
    moment = datetime.now().astimezone() - timedelta(days=days)
    older = root / f"backups/backup_{moment:%Y%m%d_%H%M%S}.tar.gz"
    archive.rename(older)
    manifest(archive).rename(manifest(older))
    content = json.loads(manifest(older).read_text())
    manifest(older).write_text(json.dumps(content | {"created": moment.isoformat(timespec="seconds")}))
    return older


def copies(root: Path, archive: Path, days: Iterable[int]) -> None:
    """Make older backups of the same files."""
    for day in days:
        copy = archive.with_name("backup_20000101_000000.tar.gz")
        shutil.copy(archive, copy)
        shutil.copy(manifest(archive), manifest(copy))
        made(root, copy, days=day)


def manifest(archive: Path) -> Path:
    return archive.with_name(archive.name.replace(".tar.gz", ".manifest.json"))


def reported(result: Result, check: str) -> list[tuple[str, str]]:
    return [(each["status"], each["message"]) for each in result.findings(f"backup.{check}")]


def levels(result: Result) -> list[str]:
    return [row["level"] for row in result.report["data"]["backups"]]


def test_a_backup_that_can_be_restored_is_verified(inv: Inv, backed_up: Path) -> None:
    result = inv(TASK)
    # That no copy elsewhere is known is told, and no reason to fail.
    assert (result.status, result.report["status"]) == (0, "ok"), result.out
    assert [each["check"] for each in result.report["findings"] if each["status"] != "ok"] == ["backup.media"]
    jsonschema.validate(result.document, json.loads(inv("report.schema", json=False).out))
    assert reported(result, "verified") == [("ok", "Restored: 3 files, each as it was saved.")]
    assert levels(result) == ["restored"]
    assert reported(result, "sources") == [("ok", "Every file that was there is in a backup.")]
    now = datetime.now().astimezone()
    path = f"logs/backup_reports/backup_verification_{now.year}Q{(now.month + 2) // 3}.json"
    assert result.report["files"] == ["backups/verified.json", path]
    assert not (backed_up / "backups/.restore-test").exists()
    ledger = json.loads((backed_up / "backups/verified.json").read_text())
    assert [*ledger] == [archives(backed_up)[0].name]
    assert inv(TASK).report["status"] == "ok"


@pytest.mark.parametrize("arguments", [(TASK, "--dry-run"), ("--dry", TASK)])
def test_a_dry_run_reads_all_and_restores_nothing(inv: Inv, backed_up: Path, arguments: tuple[str, ...]) -> None:
    before = fingerprint(backed_up)
    result = inv(*arguments)
    assert (result.status, fingerprint(backed_up)) == (0, before), result.out
    assert levels(result) == ["intact"]


def test_without_a_backup_it_is_critical_where_there_is_something_to_lose(inv: Inv, project: Path) -> None:
    for _ in range(2):  # the history of the first run is nothing to back up
        assert inv(TASK).report["status"] == "skipped"
    assert (project / HISTORY).exists()
    (project / "data").mkdir()
    (project / "data/a.yaml").write_text("a: 1\n")
    result = inv(TASK)
    assert (result.status, reported(result, "present")) == (
        2,
        [("critical", 'There is no backup of 1 file: "data/a.yaml".')],
    )


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 8
    path.write_bytes(content)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def other_manifest(path: Path) -> None:
    content: dict[str, Any] = json.loads(manifest(path).read_text())
    content["entries"][-1]["sha256"] = "0" * 64
    manifest(path).write_text(json.dumps(content))


def no_files(path: Path) -> None:
    import gzip
    import io
    import tarfile

    packed = io.BytesIO()
    tarfile.open(fileobj=packed, mode="w").close()
    path.write_bytes(gzip.compress(packed.getvalue()))
    content = json.loads(manifest(path).read_text())
    content["archive_bytes"] = path.stat().st_size
    manifest(path).write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("damage", "level", "message"),
    [
        (flip, "whole", ""),
        (empty, "present", "it has 0 bytes where"),
        (cut, "present", "bytes where"),
        (other_manifest, "whole", "the manifest inside is not the one beside it"),
        (no_files, "whole", 'it ends before "config"'),
    ],
)
def test_each_damage_is_found_and_named(inv: Inv, backed_up: Path, damage: Any, level: str, message: str) -> None:
    damage(archives(backed_up)[0])
    result = inv(TASK)
    assert (result.status, result.err, levels(result)) == (2, "", [level]), result.out
    ((status, text),) = reported(result, "verified")
    assert status == "critical"
    assert text.startswith("It is damaged: " if level == "whole" else "It cannot be used: ")
    assert message in text
    assert not (backed_up / "backups/.restore-test").exists()


@pytest.mark.parametrize(("days", "status"), [(7, "ok"), (9, "warning"), (25, "critical")])
def test_an_old_backup_is_told(inv: Inv, backed_up: Path, days: int, status: str) -> None:
    made(backed_up, archives(backed_up)[0], days=days)
    result = inv(TASK)
    assert reported(result, "recent") == [(status, f"The newest backup is {days}.0 days old.")]


def test_what_is_damaged_counts_neither_for_the_age_nor_for_what_is_in_a_backup(inv: Inv, backed_up: Path) -> None:
    older = made(backed_up, archives(backed_up)[0], days=9)
    (backed_up / "data/added.yaml").write_text("a: 1\n")
    os.utime(backed_up / "data/added.yaml", (time.time() - 10 * DAY, time.time() - 10 * DAY))
    assert inv("backup.create").status == 0
    cut(archives(backed_up)[-1])
    result = inv(TASK)
    assert reported(result, "recent") == [("warning", "The newest backup without a fault is 9.0 days old.")]
    assert reported(result, "sources") == [("warning", '1 file in no backup: "data/added.yaml".')]

    cut(older)
    result = inv(TASK)
    assert reported(result, "recent") == [("critical", "Of 2 backups, none is without a fault.")]
    assert reported(result, "sources") == []


def test_where_the_newest_is_damaged_the_next_is_restored(inv: Inv, backed_up: Path) -> None:
    (archive,) = archives(backed_up)
    copies(backed_up, archive, range(1, 9))
    for each in archives(backed_up)[-3:]:
        flip(each)
    result = inv(TASK)
    assert result.status == 2
    assert levels(result)[:4] == ["whole", "whole", "whole", "restored"]
    assert reported(result, "recent") == [("ok", "The newest backup without a fault is 3.0 days old.")]


def test_the_records_of_a_project_that_has_just_begun_are_no_reason_to_be_critical(inv: Inv, project: Path) -> None:
    (project / "logs").mkdir()
    (project / "logs/audit_benchmarks.json").write_text("{}")  # the suite's own, and no reason for a backup at all
    assert inv(TASK).status == 0
    (project / "logs/performance.json").write_text("{}")
    result = inv(TASK)
    assert (result.status, reported(result, "present")) == (
        1,
        [("warning", 'There is no backup of 1 file: "logs/performance.json".')],
    )


def test_the_history_is_saved_and_not_missed_where_a_backup_is_older_than_it(inv: Inv, backed_up: Path) -> None:
    inv("daily.log-review")
    long_ago = time.time() - 86_400
    os.utime(backed_up / HISTORY, (long_ago, long_ago))
    assert reported(inv(TASK), "sources")[0][0] == "ok"
    (backed_up / "data/values.json").write_text('{"a": 1}')
    inv("backup.create")
    assert any(HISTORY in path.read_text() for path in (backed_up / "backups").glob("*.manifest.json"))


def test_an_archive_that_is_dated_ahead_is_told(inv: Inv, backed_up: Path) -> None:
    made(backed_up, archives(backed_up)[0], days=-3)
    ((status, message),) = reported(inv(TASK), "recent")
    assert (status, message) == (
        "warning",
        "The newest backup is dated 3.0 days in the future, so that its age is not known.",
    )
    (backed_up / "backups/backup_20991231_000000.tar.gz").touch()
    assert reported(inv(TASK), "recent")[0][0] == "warning"


def test_what_is_gone_is_not_said_to_be_in_a_backup(inv: Inv, backed_up: Path) -> None:
    (backed_up / "data").rename(backed_up / "not mounted")
    ((status, message),) = reported(inv(TASK), "sources")
    assert (status, message) == ("warning", "Of what the last backup holds, nothing is there any more: data (2 files).")


@pytest.mark.slow
def test_without_room_to_restore_it_nothing_is_known_of_the_archive(
    inv: Inv, backed_up: Path, unmeasured: dict[str, str]
) -> None:
    (backed_up / "data/large.bin").write_bytes(os.urandom(3_000_000))
    inv("backup.create")
    limited = f"ulimit -f 1000; trap '' XFSZ; exec {INV} {TASK}"
    env = {**unmeasured, "INVOKE_MAINTENANCE_OUTPUT": "json"}
    done = subprocess.run(["/bin/bash", "-c", limited], cwd=REPOSITORY, env=env, capture_output=True, check=False)
    result = Result(done.returncode, done.stdout.decode(), done.stderr.decode())
    assert (result.status, result.err) == (3, ""), result.out
    assert ("unknown", "Whether it can be restored is not known: File too large.") in reported(result, "verified")


def test_a_file_in_no_backup_is_told_unless_it_is_newer(inv: Inv, backed_up: Path) -> None:
    (backed_up / "data/new.yaml").write_text("a: 1\n")
    made(backed_up, archives(backed_up)[0], days=1)
    result = inv(TASK)
    assert reported(result, "sources") == [
        ("ok", "Every file that was there is in a backup; 1 file came after the newest one.")
    ]
    os.utime(backed_up / "data/new.yaml", (0, 0))
    assert reported(inv(TASK), "sources") == [("warning", '1 file in no backup: "data/new.yaml".')]


def test_a_size_that_is_unusual_is_told(inv: Inv, backed_up: Path) -> None:
    (archive,) = archives(backed_up)
    copies(backed_up, archive, range(1, 6))
    archive.unlink()
    assert reported(inv(TASK), "size") == []
    (backed_up / "data/large.bin").write_bytes(os.urandom(100_000))
    inv("backup.create")
    ((status, message),) = reported(inv(TASK), "size")
    assert (status, "are usual" in message) == ("warning", True)


def test_every_backup_has_its_turn(inv: Inv, backed_up: Path) -> None:
    (archive,) = archives(backed_up)
    copies(backed_up, archive, range(1, 8))
    restored = [inv(TASK).report["summary"] for _ in range(4)]
    assert restored == ["8 backups, 3 restored and compared"] * 4
    ledger = backed_up / "backups/verified.json"
    assert len(json.loads(ledger.read_text())) == 8


def test_one_that_is_broken_or_was_verified_by_a_wrong_clock_takes_no_turn_from_the_others(
    inv: Inv, backed_up: Path
) -> None:
    (archive,) = archives(backed_up)
    copies(backed_up, archive, range(1, 5))
    flip(archives(backed_up)[0])
    ahead = {"tried": "2099-01-01T00:00:00+00:00", "restored": "2099-01-01T00:00:00+00:00"}
    ledger = backed_up / "backups/verified.json"
    ledger.write_text(json.dumps({archives(backed_up)[1].name: ahead}))
    for _ in range(4):
        inv(TASK)
    turns = json.loads(ledger.read_text())
    restored = [turns[each.name]["restored"] is not None for each in archives(backed_up)]
    assert restored == [False, True, True, True, True]
    assert turns[archives(backed_up)[1].name]["tried"] < "2099"


def test_files_that_are_broken_by_their_own_format_are_told(inv: Inv, backed_up: Path) -> None:
    (backed_up / "data/materials.yaml").write_text("a: [1\n")
    (backed_up / "config/settings.py").write_text("A = = 1\n")
    (backed_up / "data/values.json").write_text("{")
    connection = sqlite3.connect(backed_up / "data/records.db")
    connection.execute("CREATE TABLE records (name TEXT)")
    connection.executemany("INSERT INTO records VALUES (?)", [("x" * 500,)] * 500)
    connection.commit()
    connection.close()
    content = bytearray((backed_up / "data/records.db").read_bytes())
    content[9000:60_000] = bytes(51_000)
    (backed_up / "data/records.db").write_bytes(content)
    inv("backup.create")
    ((status, message),) = reported(inv(TASK), "content")
    assert status == "warning"
    assert "4 files broken when it was saved: config/settings.py (it does not parse" in message


def test_what_a_killed_run_left_is_cleared_away(inv: Inv, backed_up: Path) -> None:
    left = backed_up / "backups/.restore-test/data"
    left.mkdir(parents=True)
    (left / "materials.yaml").write_text("half")
    assert inv(TASK).status == 0
    assert not left.exists()


def test_a_link_in_the_place_of_the_scratch_folder_is_not_followed(inv: Inv, backed_up: Path, tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious/file").touch()
    (backed_up / "backups/.restore-test").symlink_to(tmp_path / "precious")
    result = inv(TASK)
    assert (result.status, levels(result)) == (0, ["restored"]), result.out
    assert (tmp_path / "precious/file").exists()
    assert (backed_up / "backups/.restore-test").is_symlink()


@pytest.mark.parametrize("kind", ["file", "link"])
def test_a_folder_of_backups_that_is_none_is_unknown(inv: Inv, project: Path, kind: str) -> None:
    if kind == "file":
        (project / "backups").touch()
    else:
        (project / "backups").symlink_to("/srv")
    result = inv(TASK)
    assert (result.status, reported(result, "present")[0][0]) == (3, "unknown"), result.out


def test_a_ledger_that_cannot_be_used_is_kept_aside(inv: Inv, backed_up: Path) -> None:
    (backed_up / "backups/verified.json").write_text("{broken")
    assert inv(TASK).status == 1
    assert (backed_up / "backups/verified.json.broken-1").read_text() == "{broken"
    (backed_up / "backups/verified.json").unlink()
    (backed_up / "backups/verified.json").mkdir()
    assert reported(inv(TASK), "ledger")[0][0] == "warning"

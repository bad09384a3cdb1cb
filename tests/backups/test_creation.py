from __future__ import annotations

import json
import os
import stat
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event

import msgspec
import pytest

from tasks.backups import archive_making, creation
from tasks.backups.archive_format import Damaged
from tasks.backups.backup_folder import IN_PLACE_FOLDER, backups
from tasks.backups.creation import create
from tasks.backups.restore import restore
from tasks.backups.restore_in_place import restore_in_place
from tasks.backups.source_selection import select
from tasks.backups.verification import verify
from tasks.core.errors import UserError
from tasks.core.files import safe_files
from tasks.core.report.model import Interrupted, Report, Status
from tasks.core.settings.model import BackupSettings, Settings

NOW = datetime(2026, 11, 24, 12).astimezone()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/a.yaml").write_text("a: 1\n")
    return Settings(root=str(tmp_path), backups=BackupSettings(sources=("data",)))


def findings_of(report: Report) -> list[tuple[Status, str]]:
    return [(finding.status, finding.message) for finding in report.findings]


def left(settings: Settings) -> list[str]:
    """Return what is beside the record of the creations."""
    return sorted(path.name for path in (Path(settings.root) / "backups").iterdir() if path.name != creation.FILE)


def test_an_archive_that_does_not_read_back_is_removed(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged(*arguments: object) -> Iterator[None]:
        if arguments:
            raise Damaged("it is damaged")
        yield

    monkeypatch.setattr(archive_making, "read_archive", damaged)
    ((status, message),) = findings_of(create(settings, now=NOW))
    assert status is Status.CRITICAL
    assert message == "The archive was written and did not read back well: it is damaged. It was removed."
    assert left(settings) == []


def test_a_file_that_changes_or_goes_meanwhile_is_told(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    root = Path(settings.root)
    (root / "data/b.yaml").write_text("b: 1\n")

    def then_gone(*arguments: object) -> object:
        found = select(*arguments)  # type: ignore[arg-type]
        (root / "data/b.yaml").unlink()
        return found

    monkeypatch.setattr("tasks.backups.creation.select", then_gone)
    report = create(settings, now=NOW)
    assert findings_of(report)[-1] == (
        Status.WARNING,
        "1 entry not backed up: data/b.yaml (it has gone meanwhile).",
    )
    assert len(left(settings)) == 2


def test_an_outdated_backup_that_cannot_be_deleted_is_told(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    (Path(settings.root) / "backups").mkdir()
    for day in range(1, 14):
        (Path(settings.root) / f"backups/backup_202001{day:02d}_000000.tar.gz").touch()

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(creation, "delete", refuse)
    report = create(settings, now=NOW)
    assert report.findings[-1].status is Status.WARNING
    assert "could not be deleted" in report.findings[-1].message


def test_each_creation_records_what_the_backups_hold_then(settings: Settings) -> None:
    folder, sizes = Path(settings.root) / "backups", []
    for days in range(3):
        (Path(settings.root) / "data/a.yaml").write_text(f"a: {days}\n")
        report = create(settings, now=NOW + timedelta(days=days))
        assert report.files[-1] == "backups/created.json"
        sizes.append(sum(path.stat().st_size for path in folder.glob("backup_*")))
    runs = json.loads((folder / creation.FILE).read_text())["runs"]
    figures = [run["figures"]["capacity.used backups"] for run in runs]
    assert [run["started"] for run in runs] == [(NOW + timedelta(days=days)).isoformat() for days in range(3)]
    assert figures[0] == sizes[0]
    # From the second on, the record of the first is among what the folder holds.
    assert sizes[0] < sizes[1] < figures[1] < figures[2]


def test_a_record_that_cannot_be_used_is_kept_aside_and_the_backup_is_made(settings: Settings) -> None:
    (Path(settings.root) / "backups").mkdir()
    (Path(settings.root) / "backups/created.json").write_text("{broken")
    report = create(settings, now=NOW)
    assert report.findings[-1].status is Status.WARNING
    assert "kept aside" in report.findings[-1].message
    assert left(settings)[-1] == "created.json.broken-1"
    assert len(left(settings)) == 3


def test_two_backups_of_one_second_have_two_names(settings: Settings) -> None:
    for number in range(3):
        (Path(settings.root) / "data/a.yaml").write_text(f"a: {number}\n")
        create(settings, now=NOW)
    names = [name for name in left(settings) if name.endswith(".gz")]
    assert names == [f"backup_20261124_120000{number}.tar.gz" for number in ("", "_2", "_3")]


def test_stopped_while_it_is_written_it_leaves_nothing(settings: Settings) -> None:
    def stop(_count: int) -> None:
        import os
        import signal

        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Interrupted):
        create(settings, now=NOW, advance=stop)
    assert left(settings) == []


def test_in_place_an_archive_without_the_manifest_beside_it_is_read_by_the_one_inside(settings: Settings) -> None:
    create(settings, now=NOW)
    (Path(settings.root) / "backups/backup_20261124_120000.manifest.json").unlink()
    (Path(settings.root) / "data/a.yaml").write_text("spoilt: 1\n")
    report = restore_in_place(settings, now=NOW)
    assert findings_of(report)[-1] == (
        Status.WARNING,
        "It was read by the manifest inside: there is no manifest beside it.",
    )
    assert (Path(settings.root) / "data/a.yaml").read_text() == "a: 1\n"


def test_in_place_without_any_manifest_nothing_is_restored(settings: Settings) -> None:
    create(settings, now=NOW)
    (Path(settings.root) / "backups/backup_20261124_120000.manifest.json").unlink()
    (Path(settings.root) / "backups/backup_20261124_120000.tar.gz").write_bytes(b"no archive")
    report = restore_in_place(settings, name="backup_20261124_120000.tar.gz", now=NOW)
    assert findings_of(report) == [(Status.CRITICAL, "It was not restored: there is no manifest beside it.")]
    with pytest.raises(UserError, match="no whole backup"):
        restore_in_place(settings, now=NOW)


def test_in_place_stopped_before_anything_changes_it_changes_nothing(settings: Settings) -> None:
    create(settings, now=NOW)
    (Path(settings.root) / "data/a.yaml").write_text("newer: 1\n")

    def stop(_count: int) -> None:
        import os
        import signal

        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Interrupted):
        restore_in_place(settings, now=NOW, advance=stop)
    assert (Path(settings.root) / "data/a.yaml").read_text() == "newer: 1\n"
    assert [name for name in left(settings) if not name.startswith("backup_")] == []


def test_in_place_what_is_left_of_a_killed_run_is_cleared_away(settings: Settings) -> None:
    create(settings, now=NOW)
    scratch = Path(settings.root) / "backups" / IN_PLACE_FOLDER / "data"
    scratch.mkdir(parents=True)
    (scratch / "a.yaml").write_text("half")
    assert restore_in_place(settings, now=NOW).status is Status.OK
    assert not scratch.exists()
    assert (Path(settings.root) / "data/a.yaml").read_text() == "a: 1\n"


def settled(settings: Settings) -> Path:
    """Let the project's files be older than what the clock of the file system tells apart, and return its root."""
    root = Path(settings.root)
    last = max(each.stat().st_ctime_ns for each in root.rglob("*"))
    while True:
        (root / "probe").touch()
        if (root / "probe").stat().st_ctime_ns > last + 30_000_000:
            break
        time.sleep(0.001)
    (root / "probe").unlink()
    return root


def test_a_run_without_a_change_renews_the_age_of_the_backup(settings: Settings) -> None:
    root = settled(settings)
    create(settings, now=NOW)
    report = create(settings, now=NOW + timedelta(days=100))
    assert report.summary == "nothing changed; backups/backup_20261124_120000.tar.gz holds the state"
    (backup,) = backups(root, "backups")
    assert (backup.made, backup.as_of) == (NOW, NOW + timedelta(days=100))
    (age,) = (
        each.message
        for each in verify(
            settings, now=NOW + timedelta(days=101), stop=Event(), dry_run=False, advance=lambda _: None
        ).findings
        if each.check == "backup.recent"
    )
    assert age == "The newest backup is 1.0 days old; it was made on 2026-11-24 and nothing changed since."
    assert create(settings, now=NOW).status is Status.OK
    assert backups(root, "backups")[0].as_of == NOW, "the last word counts, also of a clock that was set back"


@pytest.mark.parametrize(("days", "archives"), [(8, 1), (9, 2)])
def test_own_files_that_changed_wait_for_the_next_archive_no_longer_than_a_backup_may_be_old(
    settings: Settings, days: int, archives: int
) -> None:
    own = Path(settings.root) / "logs/error_tracking.json"
    own.parent.mkdir()
    own.write_text("{}")
    settings = msgspec.structs.replace(settings, backups=BackupSettings(sources=("data", "logs/*.json")))
    settled(settings)
    create(settings, now=NOW)
    own.write_text("{} ")
    create(settings, now=NOW + timedelta(days=days))
    assert len(backups(Path(settings.root), "backups")) == archives
    create(settings, now=NOW + timedelta(days=days))
    assert len(backups(Path(settings.root), "backups")) == archives


def test_own_files_and_their_folder_that_come_are_no_change(settings: Settings) -> None:
    settings = msgspec.structs.replace(settings, backups=BackupSettings(sources=("data", "logs/*.json")))
    root = settled(settings)
    create(settings, now=NOW)
    (root / "logs").mkdir()
    (root / "logs/error_tracking.json").write_text("{}")
    report = create(settings, now=NOW)
    assert report.findings[-1].message.endswith(" 1 file of the suite itself changed and will be in the next archive.")
    assert len(backups(root, "backups")) == 1


def test_where_the_age_cannot_be_kept_that_is_a_warning(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settled(settings)
    create(settings, now=NOW)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(creation, "confirm", full)
    report = create(settings, now=NOW)
    assert report.findings[-1].status is Status.WARNING
    assert report.findings[-1].message.startswith("That nothing changed could not be kept beside backup_20261124_12")
    assert report.files == ["backups/created.json"]


def test_a_folder_that_cannot_be_flushed_keeps_no_archive_either(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = os.fsync

    def full(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(28, "No space left on device")
        original(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    ((status, message),) = findings_of(create(settings, now=NOW))
    assert (status, message) == (Status.CRITICAL, "No archive could be written: No space left on device.")
    assert left(settings) == []


def test_a_disk_that_is_full_after_the_archive_leaves_neither_archive_nor_manifest(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = safe_files.write

    def full(root: Path, relative: str, *arguments: object, **options: object) -> str | None:
        if relative.endswith(".manifest.json"):
            raise OSError(28, "No space left on device")
        return original(root, relative, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(safe_files, "write", full)
    ((status, message),) = findings_of(create(settings, now=NOW))
    assert (status, message) == (Status.CRITICAL, "No archive could be written: No space left on device.")
    assert left(settings) == []


# The clock


def years_ahead(settings: Settings, number: int = 3) -> tuple[Settings, datetime]:
    """Leave backups of so many days and a log; return settings that keep one backup, and a moment years later."""
    root = Path(settings.root)
    for day in range(number):
        (root / "data/a.yaml").write_text(f"a: {day}\n")
        create(settings, now=NOW + timedelta(days=day))
    (root / "logs").mkdir(exist_ok=True)
    (root / "logs/app.log").write_text("started\n")
    os.utime(root / "logs/app.log", (NOW.timestamp(), NOW.timestamp()))
    (root / "data/a.yaml").write_text("a: later\n")
    backups = msgspec.structs.replace(settings.backups, keep=1, keep_days=30)
    return msgspec.structs.replace(settings, backups=backups), NOW + timedelta(days=1826)


def test_a_clock_that_is_years_ahead_deletes_no_backup(settings: Settings) -> None:
    few, later = years_ahead(settings)
    before = left(settings)
    planned, done = create(few, now=later, dry_run=True), create(few, now=later)
    for report in (planned, done):
        (finding,) = (each for each in report.findings if each.check == "clock.trust")
        assert (finding.status, finding.value) == (Status.UNKNOWN, 3)
        assert "so nothing is deleted by age" in finding.message
        assert [each for each in report.actions if each.verb == "delete"] == []
    assert {*before} < {*left(settings)}
    trusting = msgspec.structs.replace(few, clock=msgspec.structs.replace(few.clock, trust=True))
    (Path(settings.root) / "data/a.yaml").write_text("a: last\n")
    assert [each.verb for each in create(trusting, now=later + timedelta(days=1)).actions].count("delete") == 3


def test_what_is_restored_is_the_newest_backup_that_is_not_dated_in_the_future(settings: Settings) -> None:
    few, later = years_ahead(settings)
    create(few, now=later)
    now = NOW + timedelta(days=4)
    (Path(settings.root) / "data/a.yaml").write_text("a: now\n")
    create(few, now=now)
    report = restore(few, into="restored", name="", now=now)
    assert (Path(settings.root) / "restored/data/a.yaml").read_text() == "a: now\n"
    (note,) = (each for each in report.findings if each.status is Status.WARNING)
    assert note.message.startswith("1 archive dated in the future and passed over: ")


def test_where_all_backups_are_dated_in_the_future_the_newest_is_taken(settings: Settings) -> None:
    (Path(settings.root) / "data/a.yaml").write_text("a: 1\n")
    create(settings, now=NOW + timedelta(days=100))
    report = restore(settings, into="restored", name="", now=NOW)
    assert (Path(settings.root) / "restored/data/a.yaml").read_text() == "a: 1\n"
    assert any("one of them was taken, for there is no other" in each.message for each in report.findings)


def test_where_there_is_nothing_but_what_the_suite_wrote_nothing_is_backed_up(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/log_review.json").write_text("{}")
    report = create(Settings(root=str(tmp_path)), now=NOW)
    assert (report.status, report.summary) == (Status.SKIPPED, "nothing to back up")
    assert not (tmp_path / "backups").exists()

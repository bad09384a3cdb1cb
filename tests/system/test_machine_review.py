from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import pytest

from tasks.core.report.model import Finding, Report, RunReport, Status, encode
from tasks.core.settings.model import HealthSettings, Settings
from tasks.system.machine_review import examine, examine_room

from .conftest import HOLD, LIMIT, WAIT, Start

NOW = datetime(2025, 6, 2, 12, 0, tzinfo=UTC)

CHECKS = ["system.cpu", "system.load", "system.memory", "system.swap", "system.disk", "system.inodes"]


def run(root: Path, stop: Event | None = None, health: HealthSettings | None = None) -> Report:
    settings = Settings(root=str(root), health=health or HealthSettings())
    return examine(settings, now=NOW, stop=stop or Event(), seconds=0.2)


def found(report: Report, check: str) -> Finding:
    (finding,) = (one for one in report.findings if one.check == check)
    return finding


def test_everything_is_examined(root: Path) -> None:
    report = run(root)
    assert [finding.check for finding in report.findings] == [*CHECKS, "system.open_files"]
    assert report.data["system"]["measured"] == "2025-06-02T12:00:00+00:00"
    assert "unknown" not in report.summary
    assert {"system.cpu", "disk.used_bytes", "disk.inodes_total"} <= {metric.name for metric in report.metrics}
    assert found(report, "system.open_files").status is Status.SKIPPED
    encode(RunReport(root=str(root), started=NOW.isoformat(), duration_seconds=1, reports=[report]))


def test_nothing_is_written(root: Path) -> None:
    run(root)
    assert [*root.iterdir()] == []


def test_told_to_stop_it_ends_with_what_it_has(root: Path) -> None:
    stop = Event()
    stop.set()
    report = examine(Settings(root=str(root)), now=NOW, stop=stop, seconds=3600)
    unknown = [finding.check for finding in report.findings if finding.status is Status.UNKNOWN]
    assert unknown == ["system.cpu", "system.open_files"]
    assert found(report, "system.cpu").message == (
        "It could not be measured: it was told to stop before that was done."
    )


def test_a_missing_root_is_unknown_and_the_rest_goes_on(root: Path) -> None:
    report = run(root / "missing")
    assert found(report, "system.disk").status is Status.UNKNOWN
    assert found(report, "system.disk").message == "It could not be measured: No such file or directory."
    assert found(report, "system.memory").status is not Status.UNKNOWN


def test_the_settings_are_the_limits(root: Path) -> None:
    limits = HealthSettings(memory_percent=0, disk_percent=100)
    report = run(root, health=limits)
    assert found(report, "system.memory").status is Status.WARNING
    assert (found(report, "system.disk").warning, found(report, "system.disk").critical) == (90, 100)


def test_the_folders_of_logs_and_cache_count(root: Path) -> None:
    (root / "cache").symlink_to("/dev")
    assert [one.subject for one in run(root).findings if one.check == "system.disk"] == [".", "cache"]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a limit of another process cannot be seen")
def test_a_process_that_nears_its_limit_is_a_warning(root: Path, start: Start) -> None:
    process = start(f"{LIMIT}\n{HOLD}\n{WAIT}", root, "90", "100")
    finding = found(run(root), "system.open_files")
    assert finding.status is Status.WARNING
    assert finding.subject.endswith(f"(process {process.pid})")
    assert "of 100 files open" in finding.message


def test_a_process_of_the_project_is_counted(root: Path, start: Start) -> None:
    start(WAIT, root)
    finding = found(run(root), "system.open_files")
    assert finding.status is Status.OK
    assert finding.message.startswith("1 process of the project, at most ")


def test_room_is_memory_and_disks_and_nothing_else(root: Path) -> None:
    report = examine_room(Settings(root=str(root)))
    assert {each.check for each in report.findings} == {"system.memory", "system.disk", "system.inodes"}
    assert {each.name for each in report.metrics} >= {"disk.used_bytes", "disk.total_bytes", "disk.inodes_used"}
    assert report.summary.startswith("disk ")
    assert [*root.iterdir()] == []


def test_room_that_cannot_be_measured_is_unknown(root: Path) -> None:
    report = examine_room(Settings(root=str(root / "missing")))
    assert (found(report, "system.disk").status, report.summary) == (Status.UNKNOWN, "disk unknown")

from __future__ import annotations

import json
import math
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from tasks.capacity import recorded_sizes
from tasks.capacity.recorded_sizes import BACKUPS, CACHE, DISK, INODES, LOGS, History, day_of
from tasks.core.report.history import append, run_of
from tasks.core.report.history_entries import Sizes
from tasks.core.report.model import Metric, Report

from .conftest import NOW, Project

TODAY = day_of(NOW)


def values(found: History, name: str) -> list[tuple[float, float]]:
    """Return how many days ago a series was measured, and its values."""
    return [(round(TODAY - point.day, 6), point.value) for point in found.series.get(name, ())]


def test_without_a_log_folder_there_is_no_history(project: Project) -> None:
    assert project.history() == ({}, [], [], {})


def test_every_procedure_that_measures_a_size_is_read(project: Project) -> None:
    project.health(3, used_bytes=300, inodes_used=30)
    cleaned = {"started": project.moment(2), "bytes_before": 200, "deleted": 4}
    project.report("cache_reports", 2, cleaned)
    project.planned((1, {f"capacity.used {name}": 10 for name in (DISK, INODES, LOGS, CACHE, BACKUPS)}))
    project.write("log_review.json", {"schema": 1, "totals": [{"reviewed": project.moment(4), "bytes": 400}]})
    made = {"started": project.moment(5), "figures": {"capacity.used backups": 500, "backup.bytes backups": 7}}
    project.write("../backups/created.json", {"schema": 1, "runs": [made]})
    found = project.history()
    assert values(found, DISK) == [(3, 300), (1, 10)]
    assert values(found, INODES) == [(3, 30), (1, 10)]
    assert values(found, LOGS) == [(4, 400), (1, 10)]
    assert values(found, CACHE) == [(2, 200), (1, 10)]
    assert values(found, BACKUPS) == [(5, 500), (1, 10)]
    assert (found.broken, found.strange) == ([], {})


def test_measurements_are_in_order_of_time_whatever_the_files_say(project: Project) -> None:
    project.planned(*((ago, {"capacity.used logs": ago}) for ago in (1, 9, 5)))
    assert values(project.history(), LOGS) == [(9, 9), (5, 5), (1, 1)]


def test_several_runs_of_a_day_all_count(project: Project) -> None:
    runs = [{"started": project.moment(2 + part), "figures": {"disk.used_bytes .": 1}} for part in (0.0, 0.1, 0.1)]
    project.report("health_reports", 2, *runs)
    assert values(project.history(), DISK) == [(2.1, 1), (2.1, 1), (2, 1)]


def test_what_is_older_is_left_out_in_silence(project: Project) -> None:
    project.health(31, used_bytes=1)
    project.health(29, used_bytes=2)
    project.planned((31, {"capacity.used disk": 3}), (30, {"capacity.used disk": 4}))
    found = project.history(days=30)
    assert values(found, DISK) == [(30, 4), (29, 2)]
    assert found.strange == {}


def test_a_broken_report_of_a_day_that_no_longer_counts_is_not_told(project: Project) -> None:
    project.health(31).write_bytes(b"{broken")
    assert project.history(days=30).broken == []
    assert project.history(days=32).broken == ["logs/health_reports/health_report_20261026.json"]


@pytest.mark.parametrize("name", ["health_report_20261120.json.broken-1", "notes.json", "health_report_2026.json"])
def test_other_files_in_the_folders_are_none_of_ours(project: Project, name: str) -> None:
    project.write(f"health_reports/{name}", b"{broken")
    assert project.history().broken == []


@pytest.mark.parametrize(
    "content",
    [
        b'{"runs": [{"started": "2026-11-2',
        b"",
        b"\x00\xff\x00",
        b"[" * 100_000,
        b"[1, 2]",
        b'"text"',
        b"{}",
        b'{"hello": 1}',
        b'{"runs": 5}',
        b'{"runs": {"a": 1}}',
        b'{"runs": null}',
    ],
    ids=["cut", "empty", "binary", "deep", "list", "text", "no key", "other key", "number", "object", "null"],
)
def test_a_report_that_cannot_be_used_is_named_and_the_others_count(project: Project, content: bytes) -> None:
    project.health(1, used_bytes=7)
    project.health(2).write_bytes(content)
    found = project.history()
    assert values(found, DISK) == [(1, 7)]
    assert found.broken == ["logs/health_reports/health_report_20261124.json"]


def test_what_lies_in_the_place_of_a_report_is_named(project: Project, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.json").write_text('{"runs": []}')
    project.health(1).unlink()
    (project.root / "logs/health_reports/health_report_20261125.json").mkdir()
    (project.root / "logs/health_reports/health_report_20261124.json").symlink_to(tmp_path / "elsewhere.json")
    found = project.history()
    assert [path[-13:-5] for path in found.broken] == ["20261124", "20261125"]


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"totals": 5}'])
def test_a_broken_log_review_is_named(project: Project, content: bytes) -> None:
    project.write("log_review.json", content)
    assert project.history().broken == ["logs/log_review.json"]


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"runs": 5}'])
def test_a_broken_record_of_backups_is_named(project: Project, content: bytes) -> None:
    project.write("../backups/created.json", content)
    assert project.history().broken == ["backups/created.json"]


def test_a_log_review_of_before_totals_were_kept_is_none_to_complain_of(project: Project) -> None:
    project.write("log_review.json", {"schema": 1, "reviewed": project.moment(1), "logs": {}})
    assert project.history() == ({}, [], [], {})


def test_a_folder_of_reports_that_cannot_be_read_is_named(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.write("health_reports", b"a file")
    (project.root / "logs/cache_reports").symlink_to(project.root)
    project.planned((1, {"capacity.used disk": 3}))
    found = project.history()
    assert found.broken == ["logs/health_reports", "logs/cache_reports"]
    assert values(found, DISK) == [(1, 3)]

    def refuse(*_arguments: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(recorded_sizes.os, "listdir", refuse)  # type: ignore[attr-defined]
    assert "logs/capacity_reports" in project.history().broken


def test_a_log_folder_that_is_a_file_is_named(project: Project) -> None:
    (project.root / "logs").write_text("text")
    found = project.history()
    assert found.series == {}
    assert "logs/log_review.json" in found.broken


@pytest.mark.parametrize(
    "moment",
    [
        None,
        5,
        "",
        "yesterday",
        "2026-11-20T12:00:00",
        "2026-11-26T12:05:01+00:00",
        "2099-01-01T00:00:00+00:00",
        "9999-12-31T23:59:59-14:00",
        "0001-01-01T00:00:00+14:00",
    ],
)
def test_a_moment_ahead_or_none_is_only_counted(project: Project, moment: object) -> None:
    good = {"started": project.moment(2), "figures": {"disk.used_bytes .": 7}}
    project.report("health_reports", 1, {"started": moment, "figures": {"disk.used_bytes .": 10**9}}, good)
    found = project.history()
    assert values(found, DISK) == [(2, 7)]
    assert found.strange == {"logs/health_reports/health_report_20261125.json": 1}
    assert found.broken == []


def test_the_moment_now_is_not_ahead(project: Project) -> None:
    project.planned((0, {"capacity.used disk": 3}))
    assert values(project.history(), DISK) == [(0, 3)]


def test_a_clock_that_was_set_back_by_minutes_has_not_jumped(project: Project) -> None:
    project.planned((-4 / 1440, {"capacity.used disk": 3}))
    found = project.history()
    assert (values(found, DISK), found.strange) == ([(0, 3)], {})


def test_strange_moments_are_counted_by_report(project: Project) -> None:
    project.planned((-1, {}), (-2, {}))
    project.write("log_review.json", {"totals": [{"reviewed": "?", "bytes": 3}]})
    assert project.history().strange == {"logs/capacity_reports/capacity_2026Q4.json": 2, "logs/log_review.json": 1}


@pytest.mark.parametrize(
    "value", [-1, None, "7", True, math.nan, math.inf, 10**400, 1e300, [1], {}], ids=lambda value: str(value)[:9]
)
def test_what_is_no_size_is_left_out(project: Project, value: Any) -> None:
    project.health(1, used_bytes=value, inodes_used=5)
    project.write("log_review.json", {"totals": [{"reviewed": project.moment(1), "bytes": value}]})
    project.report("cache_reports", 1, {"started": project.moment(1), "bytes_before": value})
    found = project.history()
    assert {name: len(points) for name, points in found.series.items()} == {INODES: 1}
    assert (found.broken, found.strange) == ([], {})


@pytest.mark.parametrize("run", [None, 5, "text", [], {}, {"figures": None}, {"figures": [1]}, {"started": 5}])
def test_a_run_without_figures_has_nothing_to_tell(project: Project, run: Any) -> None:
    project.report("health_reports", 1, run)
    project.write("log_review.json", {"totals": [run]})
    assert project.history() == ({}, [], [], {})


def test_the_projects_folders_are_read_too(project: Project) -> None:
    figures = {"capacity.folder data": 5, "capacity.folder a b": 6, "capacity.folder bad": None}
    project.planned((1, {"capacity.folder data": 7}), (3, figures), (2, {"capacity.used disk": 1}))
    found = [(round(TODAY - day, 6), folders) for day, folders in project.history().folders]
    assert found == [(3, {"data": 5, "a b": 6}), (1, {"data": 7})]


def test_only_the_newest_reports_of_a_folder_are_read(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorded_sizes, "_MOST", 2)
    for ago in (1, 2, 3):
        project.health(ago, used_bytes=ago)
    assert values(project.history(), DISK) == [(2, 2), (1, 1)]


def test_days_begin_at_midnight_by_the_clock_of_the_moment() -> None:
    here = timezone(timedelta(hours=-5))
    midnight = datetime(2026, 11, 26, tzinfo=here)
    assert day_of(midnight) % 1 == 0
    assert day_of(midnight + timedelta(hours=23, minutes=59)) // 1 == day_of(midnight)
    assert day_of(NOW.replace(tzinfo=here)) == day_of(NOW)


def test_moments_of_other_zones_are_the_same_moments(project: Project) -> None:
    moment = datetime.fromisoformat(project.moment(2)).astimezone(timezone(timedelta(hours=9)))
    run = {"started": moment.isoformat(), "figures": {"disk.used_bytes .": 7}}
    project.write("health_reports/health_report_20261124.json", json.loads(json.dumps({"runs": [run]})))
    assert values(project.history(), DISK) == [(2, 7)]


# The history of runs


def ran(project: Project, ago: float, *figures: tuple[str, str, float], task: str = "daily.health-check") -> None:
    moment = NOW - timedelta(days=ago)
    metrics = [Metric(name=name, subject=subject, value=value, unit="B") for name, subject, value in figures]
    report = Report(summary="s", started=moment.isoformat(), metrics=metrics)
    append(project.root, "logs", [run_of(task, report, ended=moment, whole=True, reason=None)])


def held(project: Project, ago: float, **sizes: float) -> None:
    append(project.root, "logs", [Sizes(moment=NOW - timedelta(days=ago), source="s", held=sizes)])


def test_the_history_has_every_series(project: Project) -> None:
    ran(project, 3, ("disk.used_bytes", ".", 300), ("disk.inodes_used", ".", 30), ("disk.used_bytes", "logs", 1))
    held(project, 2, logs=200, cache=20, other=1)
    planned = [("capacity.used", name, 10.0) for name in (DISK, INODES, LOGS, CACHE, BACKUPS)]
    ran(project, 1, *planned, ("capacity.folder", "data", 7), task="quarterly.capacity-planning")
    found = project.history()
    assert values(found, DISK) == [(3, 300), (1, 10)]
    assert values(found, INODES) == [(3, 30), (1, 10)]
    assert values(found, LOGS) == [(2, 200), (1, 10)]
    assert values(found, CACHE) == [(2, 20), (1, 10)]
    assert values(found, BACKUPS) == [(1, 10)]
    assert [folders for _, folders in found.folders] == [{"data": 7}]
    assert (found.broken, found.strange) == ([], {})


def test_what_a_report_has_as_well_counts_once(project: Project) -> None:
    ran(project, 3, ("disk.used_bytes", ".", 300))
    held(project, 2, logs=200, cache=20)
    ran(project, 1, ("capacity.used", DISK, 10), ("capacity.folder", "data", 7))
    ran(project, 1, ("capacity.used", BACKUPS, 5), task="backup.create")
    project.health(3, used_bytes=300, inodes_used=30)
    project.report("cache_reports", 2, {"started": project.moment(2), "bytes_before": 20})
    project.write("log_review.json", {"totals": [{"reviewed": project.moment(ago), "bytes": 200} for ago in (4, 2)]})
    project.planned((1, {"capacity.used disk": 10, "capacity.folder data": 7}), (5, {"capacity.folder data": 6}))
    made = {"started": project.moment(1), "figures": {"capacity.used backups": 5}}
    project.write("../backups/created.json", {"schema": 1, "runs": [made]})
    found = project.history()
    assert values(found, DISK) == [(3, 300), (1, 10)]
    assert values(found, INODES) == [(3, 30)]
    assert values(found, LOGS) == [(4, 200), (2, 200)]
    assert values(found, CACHE) == [(2, 20)]
    assert values(found, BACKUPS) == [(1, 5)]
    assert [folders for _, folders in found.folders] == [{"data": 6}, {"data": 7}]


def test_a_moment_ahead_that_both_have_is_counted_once(project: Project) -> None:
    path = "logs/maintenance_history.jsonl"
    ran(project, -2, ("disk.used_bytes", ".", 300))
    project.report("health_reports", 0, {"started": project.moment(-2), "figures": {"disk.used_bytes .": 300, "x": 1}})
    assert project.history().strange == {path: 1}
    ran(project, 31, ("disk.used_bytes", ".", 1))
    held(project, -4 / 1440, logs=3)
    found = project.history(days=30)
    assert (found.strange, values(found, LOGS)) == ({path: 1}, [(0, 3)])
    assert values(found, DISK) == []


def test_a_history_that_cannot_be_read_is_named_and_the_reports_count(project: Project) -> None:
    project.health(1, used_bytes=7)
    (project.root / "logs/maintenance_history.jsonl").symlink_to(project.root)
    found = project.history()
    assert (found.broken, values(found, DISK)) == (["logs/maintenance_history.jsonl"], [(1, 7)])


def test_a_damaged_line_of_the_history_costs_only_itself(project: Project) -> None:
    held(project, 2, logs=1)
    with (project.root / "logs/maintenance_history.jsonl").open("ab") as file:
        file.write(b"\x00\n")
    held(project, 1, logs=2)
    found = project.history()
    assert (values(found, LOGS), found.broken) == ([(2, 1), (1, 2)], [])


# Reports of the older scripts


def test_the_size_of_the_cache_in_a_report_of_the_older_scripts_counts(project: Project) -> None:
    def older(ago: float, held: object) -> None:
        day = NOW - timedelta(days=ago)
        content = {"date": f"{day:%Y-%m-%d}", "cache_efficiency": held}
        project.write(f"cache_reports/cache_report_{day:%Y%m%d}.json", content)

    older(8, {"total_files": 3, "total_size_mb": 2.0, "directories": {}})
    older(0, {"total_files": 3, "total_size_mb": 0.5, "directories": {}})
    older(31, {"total_files": 3, "total_size_mb": 9.0, "directories": {}})
    older(7, {"total_files": 3})
    found = project.history(days=30)
    assert values(found, CACHE) == [(8.5, 2 * 1024 * 1024), (0.5, 512 * 1024)]
    assert found.broken == ["logs/cache_reports/cache_report_20261119.json"]


@pytest.mark.parametrize("day", [None, 5, "", "yesterday", "2026-11-31"])
def test_a_report_of_the_older_scripts_of_no_day_is_named(project: Project, day: object) -> None:
    content = {"date": day, "cache_efficiency": {"total_size_mb": 2.0}}
    project.write("cache_reports/cache_report_20261120.json", content)
    assert len(project.history().broken) == 1


def test_a_health_report_of_the_older_scripts_is_none_to_complain_of(project: Project) -> None:
    content = {"timestamp": "2026-11-20T07:00:00.5", "status": "healthy", "checks_performed": ["cache_efficiency"]}
    project.write("health_reports/health_report_20261120.json", content)
    assert project.history() == ({}, [], [], {})

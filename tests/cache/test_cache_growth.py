from __future__ import annotations

import json
import os
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.cache.cache_growth import Read, Week, _growth_finding, _read, growth
from tasks.core.report.model import Finding, Report, RunReport, Status, encode

from .conftest import NOW, Project, every, found

MB = 1_000_000
TODAY = NOW.date()
FOLDER = "logs/cache_reports"


def folder(project: Project) -> Path:
    path = project.root / FOLDER
    path.mkdir(parents=True, exist_ok=True)
    return path


def week(project: Project, days_ago: int, **content: Any) -> Path:
    """Write the report of a day."""
    day = TODAY - timedelta(days=days_ago)
    path = folder(project) / f"cache_report_{day:%Y%m%d}.json"
    path.write_text(json.dumps({"entries": 10, "bytes": 10 * MB, "kinds": {}, "runs": [], **content}))
    return path


def run(project: Project) -> Report:
    return growth(project.settings, now=NOW)


def growth_of(project: Project) -> Read:
    return _read(project.root, FOLDER, [path.name for path in folder(project).iterdir()], TODAY)


def evaluated(project: Project, *sizes: int) -> Finding:
    """Write a report a week with these sizes, the oldest first, and judge them."""
    for place, number in enumerate(reversed(sizes)):
        week(project, 7 * place, bytes=number)
    return found(run(project), "cache.growth", "cache")


# What is read


def test_the_report_of_a_clean_up_is_read(project: Project) -> None:
    project.entry("temp/one", content=b"123")
    project.run(now=NOW - timedelta(days=7))
    project.entry("temp/two", content=b"45")
    project.run()
    report = run(project)
    assert found(report, "cache.growth").message == (
        "The cache grew by 66.7 % or 2 B from 2025-05-26 to 2025-06-02 (3 B to 5 B, 1 to 2 entries)."
    )
    assert report.summary == "the cache grew by 66.7 % or 2 B over 2 weekly reports"
    assert report.data == {
        "cache_growth": [
            {"date": "2025-05-26", "entries": 1, "bytes": 3, "size": "3 B"},
            {"date": "2025-06-02", "entries": 2, "bytes": 5, "size": "5 B"},
        ]
    }
    assert [(one.name, one.value, one.unit, one.subject) for one in report.metrics] == [
        ("cache.growth", 2, "B", "cache")
    ]
    assert not every(report, "cache.reports")
    encode(RunReport(root=".", started=NOW.isoformat(), duration_seconds=0, reports=[report]))


def older(project: Project, days_ago: int, **held: Any) -> None:
    """Write the report of a day as the older scripts did."""
    day = TODAY - timedelta(days=days_ago)
    content = {"date": f"{day:%Y-%m-%d}", "cache_efficiency": held}
    (folder(project) / f"cache_report_{day:%Y%m%d}.json").write_text(json.dumps(content))


def test_a_report_of_the_older_scripts_is_read(project: Project) -> None:
    folders = {"temp": {"file_count": 2, "total_size": 600, "avg_file_size": 300.0}, "odd": 5, "none": {}}
    older(project, 7, total_files=3, total_size_mb=12.5, directories=folders)
    week(project, 0, entries=4, bytes=13_107_300, kinds={"temp": {"bytes": 700}})
    read = growth_of(project)
    assert (read.weeks[0].entries, read.weeks[0].bytes, read.weeks[0].kinds) == (3, 13_107_200, {"temp": 600})
    assert read.problems == []


@pytest.mark.parametrize(
    "held",
    [
        {},
        {"total_files": 1},
        {"total_files": 1.5, "total_size_mb": 1.0},
        {"total_files": 1, "total_size_mb": "1"},
        {"total_files": 1, "total_size_mb": True},
        {"total_files": 1, "total_size_mb": -1},
        {"total_files": 1, "total_size_mb": 1e300},
    ],
)
def test_a_report_of_the_older_scripts_without_numbers_is_named(project: Project, held: dict[str, Any]) -> None:
    older(project, 0, **held)
    read = growth_of(project)
    assert (read.weeks, len(read.problems)) == ([], 1)


def test_the_newest_four_count(project: Project) -> None:
    for place, number in enumerate([7, 6, 5, 4, 3, 1]):
        week(project, 7 * place, bytes=number * MB, entries=number)
    report = run(project)
    assert [row["entries"] for row in report.data["cache_growth"]] == [4, 5, 6, 7]
    assert found(report, "cache.growth").value == 75.0


def test_without_a_folder_there_is_nothing_to_compare(project: Project) -> None:
    report = run(project)
    finding = found(report, "cache.growth", FOLDER)
    assert (finding.status, finding.remedy) == (Status.SKIPPED, None)
    assert finding.message == "There is no folder logs/cache_reports: no clean-up has reported yet."
    assert report.metrics == []


@pytest.mark.parametrize("number", [0, 1])
def test_too_few_reports_are_skipped(project: Project, number: int) -> None:
    folder(project)
    for place in range(number):
        week(project, place)
    report = run(project)
    finding = found(report, "cache.growth", "cache")
    assert finding.status is Status.SKIPPED
    assert finding.message == f"There are not enough weekly reports: {number} of at least 2."
    assert report.summary == "not enough weekly reports"
    assert len(report.data["cache_growth"]) == number


def test_a_day_without_a_count_is_left_out(project: Project) -> None:
    runs = [{"entries_before": None, "bytes_before": None, "interrupted": True}]
    week(project, 0, entries=None, bytes=None, kinds=None, runs=runs)
    week(project, 1, bytes=5)
    week(project, 2, bytes=4)
    report = run(project)
    assert [row["bytes"] for row in report.data["cache_growth"]] == [4, 5]
    assert report.status is Status.OK
    assert not every(report, "cache.reports")


def test_other_files_are_no_concern(project: Project) -> None:
    week(project, 0)
    week(project, 7)
    for name in ("cache_report_2025.json", "cache_report_20250601.json.broken-1", "other_20250601.json", "x.json"):
        (folder(project) / name).write_text("broken")
    assert run(project).status is Status.OK


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\x00",
        b"[" * 100_000,
        b"{}",
        b'{"entries": 1, "bytes": -1, "runs": []}',
        b'{"entries": 1.5, "bytes": 1, "runs": []}',
        b'{"entries": true, "bytes": 1, "runs": []}',
        b'{"entries": null, "bytes": 1, "runs": []}',
        b'{"entries": 1, "bytes": null, "runs": []}',
        b'{"entries": null, "bytes": null}',
        b'{"bytes": null, "runs": []}',
    ],
)
def test_a_broken_report_is_named_and_the_rest_goes_on(project: Project, content: bytes) -> None:
    week(project, 0, bytes=6)
    broken = week(project, 7)
    week(project, 14, bytes=4)
    broken.write_bytes(content)
    report = run(project)
    finding = found(report, "cache.reports", FOLDER)
    assert (finding.status, finding.value, finding.unit) == (Status.WARNING, 1, "files")
    assert finding.message.startswith(f"1 weekly report left out. {FOLDER}/{broken.name} ")
    assert finding.remedy
    assert [row["bytes"] for row in report.data["cache_growth"]] == [4, 6]


def test_a_report_of_tomorrow_is_named(project: Project) -> None:
    week(project, -1, bytes=99)
    week(project, 0, bytes=6)
    week(project, 7, bytes=6)
    report = run(project)
    assert found(report, "cache.reports").message == (
        f"1 weekly report left out. {FOLDER}/cache_report_20250603.json is dated in the future."
    )
    assert len(report.data["cache_growth"]) == 2


def test_a_name_of_no_day_is_named(project: Project) -> None:
    (folder(project) / "cache_report_20251399.json").write_text("{}")
    assert found(run(project), "cache.reports").message == (
        f"1 weekly report left out. {FOLDER}/cache_report_20251399.json is named after no day."
    )


def test_a_link_is_not_followed(project: Project) -> None:
    path = week(project, 0)
    path.rename(project.root / "elsewhere")
    path.symlink_to(project.root / "elsewhere")
    assert "symbolic link" in found(run(project), "cache.reports").message


@pytest.mark.parametrize(("number", "more"), [(5, ""), (6, " And 1 more.")])
def test_many_broken_reports_are_told_shortly(project: Project, number: int, more: str) -> None:
    for place in range(number):
        week(project, place).write_bytes(b"")
    finding = found(run(project), "cache.reports")
    assert finding.message.startswith(f"{number} weekly reports left out. ")
    assert finding.message.count("is no report") == 5
    assert finding.message.endswith(f"bytes.{more}")
    assert finding.value == number


def test_a_refused_folder_is_unknown(project: Project) -> None:
    (project.root / "logs").mkdir()
    (project.root / FOLDER).symlink_to(project.root)
    finding = found(run(project), "cache.growth", FOLDER)
    assert finding.status is Status.UNKNOWN
    assert "symbolic link" in finding.message
    assert finding.remedy


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_closed_folder_is_unknown(project: Project) -> None:
    path = folder(project)
    path.chmod(0)
    report = run(project)
    path.chmod(0o755)
    assert report.status is Status.UNKNOWN


def test_a_folder_that_cannot_be_read_is_unknown(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_folder: int) -> None:
        raise OSError(5, "Input/output error")

    folder(project)
    monkeypatch.setattr(os, "scandir", fails)
    finding = found(run(project), "cache.growth", FOLDER)
    assert finding.message == "logs/cache_reports cannot be read: Input/output error."
    assert finding.status is Status.UNKNOWN


def test_nothing_is_written(project: Project) -> None:
    week(project, 0)
    week(project, 7).write_bytes(b"")
    before = project.look()
    run(project)
    assert project.look() == before


# What is judged


@pytest.mark.parametrize(
    ("first", "last", "status"),
    [
        (20 * MB, 30 * MB + 1, Status.OK),  # 50.0 % more
        (20 * MB, 30 * MB + 20_000, Status.WARNING),  # 50.1 %
        (10 * MB, 20 * MB, Status.OK),  # 10 MB more
        (10 * MB, 20 * MB + 1, Status.WARNING),
        (1000 * MB, 1400 * MB, Status.OK),  # much, but only 40 %
        (1 * MB, 9 * MB, Status.OK),  # 800 %, but little
        (0, 10 * MB, Status.OK),
        (0, 10 * MB + 1, Status.WARNING),
        (0, 0, Status.OK),
        (50 * MB, 0, Status.OK),
    ],
)
def test_what_grew_much_is_a_warning(project: Project, first: int, last: int, status: Status) -> None:
    finding = evaluated(project, first, last)
    assert (finding.status, finding.warning, finding.unit) == (status, 50.0, "%")
    assert bool(finding.remedy) is (status is Status.WARNING)


def test_what_is_said_of_growth(project: Project) -> None:
    assert evaluated(project, 20 * MB, 50 * MB).message == (
        "The cache grew by 150.0 % or 30.0 MB from 2025-05-26 to 2025-06-02 (20.0 MB to 50.0 MB, 10 to 10 entries); "
        "up to 50 % or 10.0 MB is expected."
    )


def test_growth_from_nothing_has_no_percentage(project: Project) -> None:
    finding = evaluated(project, 0, 3000)
    assert finding.value is None
    assert "The cache grew by 3.0 kB from" in finding.message


def test_shrinking_is_told(project: Project) -> None:
    finding = evaluated(project, 20 * MB, 15 * MB)
    assert finding.value == -25.0
    assert "The cache shrank by 25.0 % or 5.0 MB from" in finding.message


def test_no_change_is_told(project: Project) -> None:
    assert "The cache did not grow from" in evaluated(project, 7, 9, 7).message


def test_the_kind_that_grew_most_is_named(project: Project) -> None:
    before = {"temp": {"bytes": 5 * MB}, "api": {"bytes": 4 * MB}, "odd": 3, "none": {"bytes": None}}
    after = {"temp": {"bytes": 6 * MB}, "api": {"bytes": 24 * MB}, "new": {"bytes": 19 * MB}}
    week(project, 7, bytes=9 * MB, kinds=before)
    week(project, 0, bytes=49 * MB, kinds=after)
    remedy = found(run(project), "cache.growth").remedy
    assert remedy == (
        "Look whether the entries of api, which grew most (by 20.0 MB), may expire earlier: "
        "maintenance.cache.expiry_hours."
    )


@pytest.mark.parametrize("kinds", [None, {}, [], {"temp": {"bytes": 5}}])
def test_where_no_kind_grew_the_rest_is_to_be_looked_at(project: Project, kinds: Any) -> None:
    week(project, 7, bytes=9 * MB, kinds={"temp": {"bytes": 5}})
    week(project, 0, bytes=49 * MB, kinds=kinds)
    assert found(run(project), "cache.growth").remedy == (
        "Look what fills the cache; its folders outside the kinds never expire."
    )


sizes = st.integers(0, 10**12)


@settings(deadline=None)
@given(sizes, sizes, sizes)
def test_more_growth_is_never_milder(first: int, one: int, other: int) -> None:
    less, more = sorted((one, other))
    found = [
        _growth_finding("cache", [Week(date(2025, 5, 1), 1, first, {}), Week(date(2025, 6, 1), 1, last, {})])
        for last in (less, more)
    ]
    assert found[0].status.severity <= found[1].status.severity

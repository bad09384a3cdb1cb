from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from threading import Event
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from tasks.capacity.capacity_planning import plan
from tasks.core.errors import UserError
from tasks.core.report.model import Action, Finding, Interrupted, Report, Status
from tasks.core.settings.model import CapacitySettings

from .conftest import NOW, Project

MB = 1_000_000
CLEANUP, ROTATION = "weekly.cache-cleanup", "weekly.log-rotation"
Frees = Mapping[str, Callable[[], Report]]


@pytest.fixture(autouse=True)
def _disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system with plenty of room, whatever the machine's is like."""
    blocks = {"f_blocks": 10**9, "f_bfree": 9 * 10**8, "f_bavail": 9 * 10**8, "f_frsize": 1}
    inodes = {"f_files": 10**6, "f_ffree": 9 * 10**5, "f_favail": 9 * 10**5}
    monkeypatch.setattr(os, "statvfs", lambda _path: SimpleNamespace(**blocks, **inodes))


def would_delete(*sizes: int) -> Callable[[], Report]:
    actions = [Action(verb="delete", target=f"part{size}", bytes=size, done=False) for size in sizes]
    return lambda: Report(summary="", actions=[*actions, Action(verb="move", target="other", bytes=10**9, done=False)])


def planned(project: Project, frees: Frees | None = None, *, stop: Event | None = None, **limits: float) -> Report:
    """Plan with limits in MB."""
    settings = msgspec.structs.replace(project.settings, capacity=CapacitySettings(limits_mb=limits))
    return plan(settings, now=NOW, stop=stop or Event(), frees=frees or {})


def found(report: Report, check: str) -> dict[str, Finding]:
    return {each.subject: each for each in report.findings if each.check == f"capacity.{check}"}


def full(project: Project, name: str, megabytes: float) -> None:
    """Let a folder hold so much; the file has a hole, and takes no room."""
    (project.root / name).mkdir(exist_ok=True)
    with (project.root / name / "file").open("wb") as file:
        file.truncate(round(megabytes * MB))


def test_an_empty_project_has_a_disk(project: Project) -> None:
    report = planned(project)
    assert report.status is Status.OK
    assert report.summary == "2 series, none near its limit"
    assert [*found(report, "forecast")] == ["disk", "inodes"]
    assert all("not enough history" in each.message for each in found(report, "forecast").values())
    assert found(report, "growers")["project"].message == "It holds nothing."
    assert [row["series"] for row in report.data["capacity"]] == ["disk", "inodes"]


def test_what_is_measured_is_recorded_by_the_names_that_the_history_reads(project: Project) -> None:
    full(project, "logs", 1)
    full(project, "cache", 2)
    full(project, "backups", 3)
    full(project, "data", 4)
    measured = {(each.name, each.subject): (each.value, each.unit) for each in planned(project).metrics}
    assert measured == {
        ("capacity.used", "disk"): (10**8, "B"),
        ("capacity.used", "inodes"): (10**5, "inodes"),
        ("capacity.used", "logs"): (MB, "B"),
        ("capacity.used", "cache"): (2 * MB, "B"),
        ("capacity.used", "backups"): (3 * MB, "B"),
        ("capacity.folder", "data"): (4 * MB, "B"),
        ("capacity.folder", "backups"): (3 * MB, "B"),
        ("capacity.folder", "cache"): (2 * MB, "B"),
        ("capacity.folder", "logs"): (MB, "B"),
    }
    figures = {f"{name} {subject}": value for (name, subject), (value, _unit) in measured.items()}
    project.planned(*((float(ago), figures) for ago in range(20)))
    report = planned(project, cache=10)
    assert report.data["capacity"][3] == {
        "series": "cache",
        "now": "2.0 MB",
        "limit": "10.0 MB",
        "a day": "0 B",
        "from": "0 B",
        "to": "0 B",
        "reached": None,
        "measurements": 21,
        "clean-ups": 0,
    }


def test_what_is_full_and_what_comes_near_is_in_the_summary(project: Project) -> None:
    full(project, "cache", 10)
    full(project, "backups", 79)
    project.planned(*((float(ago), {"capacity.used backups": (79 - ago) * MB}) for ago in range(1, 30)))
    report = planned(project, cache=10, backups=100)
    assert report.status is Status.CRITICAL
    assert report.summary == "5 series, at the limit: cache; near it: backups"
    assert found(report, "forecast")["cache"].status is Status.CRITICAL
    assert found(report, "forecast")["backups"].status is Status.WARNING
    assert planned(project, backups=100).summary == "5 series, near it: backups"
    assert planned(project, cache=10).summary == "5 series, at the limit: cache"


def test_what_would_be_freed_is_told_where_it_helps_the_most_first(project: Project) -> None:
    for name in ("cache", "logs", "backups"):
        full(project, name, 10)
    frees = {CLEANUP: would_delete(MB, 2 * MB), ROTATION: would_delete(5 * MB)}
    report = planned(project, frees, cache=10, logs=10, backups=10)
    cleaned, rotated = f"inv {CLEANUP} would free 3.0 MB now.", f"inv {ROTATION} would free 5.0 MB now."
    remedies = {name: finding.remedy or "" for name, finding in found(report, "forecast").items()}
    assert remedies["cache"].startswith(f"{cleaned} Let entries expire earlier")
    assert remedies["logs"].startswith(f"{rotated} Run inv weekly.log-rotation more often")
    assert remedies["backups"].startswith("Keep fewer backups")
    freeable = found(report, "freeable")
    assert [(each.message, each.value) for each in freeable.values()] == [(cleaned, 3 * MB), (rotated, 5 * MB)]


def test_a_full_disk_is_helped_by_whatever_frees_most(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    figures = {"f_blocks": 100, "f_bfree": 5, "f_bavail": 5, "f_frsize": 1, "f_files": 0, "f_ffree": 0, "f_favail": 0}
    monkeypatch.setattr(os, "statvfs", lambda _path: SimpleNamespace(**figures))
    report = planned(project, {CLEANUP: would_delete(3), ROTATION: would_delete(5), "other.task": would_delete(4)})
    finding = found(report, "forecast")["disk"]
    assert finding.status is Status.CRITICAL
    assert finding.remedy is not None
    assert finding.remedy.startswith(
        f"inv {ROTATION} would free 5 B now. inv other.task would free 4 B now. inv {CLEANUP} would free 3 B now. D"
    )


def test_what_would_free_nothing_is_no_help(project: Project) -> None:
    full(project, "cache", 10)
    report = planned(project, {CLEANUP: would_delete()}, cache=10)
    assert found(report, "freeable")[CLEANUP].message == f"inv {CLEANUP} would free nothing now."
    assert (found(report, "forecast")["cache"].remedy or "").startswith("Let entries")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (UserError("The cache is a link."), "The cache is a link."),
        (PermissionError(13, "Permission denied"), "Permission denied."),
    ],
)
def test_what_cannot_be_known_is_told_and_the_rest_goes_on(project: Project, error: Exception, reason: str) -> None:
    def fails() -> Report:
        raise error

    report = planned(project, {CLEANUP: fails, ROTATION: would_delete(5)})
    freeable = found(report, "freeable")
    assert freeable[CLEANUP].message == f"What inv {CLEANUP} would free is not known: {reason}"
    assert freeable[CLEANUP].status is Status.SKIPPED
    assert freeable[ROTATION].value == 5


def test_a_dry_run_that_could_not_look_tells_why(project: Project) -> None:
    bad = Finding(check="cache.folder", subject="cache", status=Status.UNKNOWN, message="cache is a link.")
    good = Finding(check="cache.other", subject="cache", status=Status.OK, message="All is well.")
    report = planned(project, {CLEANUP: lambda: Report(summary="", findings=[good, bad])})
    assert found(report, "freeable")[CLEANUP].message == f"What inv {CLEANUP} would free is not known: cache is a link."


def test_ctrl_c_within_a_dry_run_stops_the_planning_too(project: Project) -> None:
    """Its report would be that of the dry run, under the name of the planning."""

    def interrupted() -> Report:
        raise Interrupted(Report(summary="another"))

    stop = Event()
    report = planned(project, {CLEANUP: interrupted, ROTATION: would_delete(5)}, stop=stop)
    assert stop.is_set()
    assert found(report, "freeable") == {}


def test_no_dry_run_begins_after_ctrl_c(project: Project) -> None:
    stop = Event()
    stop.set()
    assert found(planned(project, {ROTATION: would_delete(5)}, stop=stop), "freeable") == {}


def test_without_a_root_nothing_is_known(project: Project) -> None:
    project.root.rmdir()
    report = planned(project)
    (finding,) = report.findings
    assert (finding.status, report.summary) == (Status.UNKNOWN, "nothing could be measured")
    assert finding.message == f"The project {project.root} cannot be measured: No such file or directory."
    assert finding.remedy
    assert report.metrics == []


def test_reports_that_cannot_be_used_are_named(project: Project) -> None:
    project.health(1).write_bytes(b"{")
    finding = found(planned(project), "history")["reports"]
    assert (finding.status, finding.value) == (Status.WARNING, 1)
    assert finding.message == (
        "1 report left out of the history, unreadable or of another form: "
        '"logs/health_reports/health_report_20261125.json".'
    )
    assert finding.remedy


def test_a_clock_that_jumped_is_told_and_changes_nothing_else(project: Project) -> None:
    full(project, "backups", 79)
    grown = [(float(ago), {"capacity.used backups": (79 - ago) * MB}) for ago in range(1, 30)]
    project.planned(*grown)
    before = planned(project, backups=100)
    project.planned(*grown, (-400.0, {"capacity.used backups": 10**12}), (-0.1, {"capacity.used backups": 0}))
    after = planned(project, backups=100)
    assert found(after, "forecast")["backups"] == found(before, "forecast")["backups"]
    finding = found(after, "history")["clock"]
    assert (finding.status, finding.value) == (Status.WARNING, 2)
    assert finding.message == (
        "2 measurements left out of the history, dated ahead or not at all, in "
        '"logs/capacity_reports/capacity_2026Q4.json".'
    )
    assert found(before, "history") == {}


def test_what_grew_is_told_from_the_second_planning_on(project: Project) -> None:
    full(project, "data", 5)
    project.planned((10, {"capacity.folder data": 2 * MB}))
    message = found(planned(project), "growers")["project"].message
    assert message.startswith("What grew most in 10 days: data by 3.0 MB to 5.0 MB")


def test_the_same_history_gives_the_same_report(project: Project) -> None:
    full(project, "cache", 1)
    project.health(3, used_bytes=10)
    first: Any = msgspec.to_builtins(planned(project, cache=10))
    assert msgspec.to_builtins(planned(project, cache=10)) == first

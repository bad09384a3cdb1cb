from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event

import msgspec
import pytest

from tasks.core.report.model import Report, Status
from tasks.logs.errors.critical_errors import critical_since

from .test_error_monitor import NOW, Project, line


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "project")


def asked(project: Project, hours_ago: float | None = None, *, later: float = 0, stop: Event | None = None) -> Report:
    since = None if hours_ago is None else NOW - timedelta(hours=hours_ago)
    now = NOW + timedelta(hours=later)
    return critical_since(
        project.settings, since, now=now, stop=stop or Event(), redact=lambda text: text.replace("secret", "***")
    )


def reported(report: Report) -> list[tuple[Status, str]]:
    return [(each.status, each.message.partition(" — ")[0]) for each in report.findings]


WELL = [(Status.OK, "No critical error has begun since 2025-06-02 10:00.")]


def test_only_critical_errors_that_began_since_count(project: Project) -> None:
    project.log(
        line("the store is lost", 4 * 3600, level="CRITICAL"),
        line("the secret is out", 3600, level="CRITICAL"),
        line("API key of nobody is invalid", 1800),
        line("an ordinary error", 60),
    )
    before = project.files()
    report = asked(project, 2)
    assert [each.status for each in report.findings] == [Status.CRITICAL] * 2
    titles = {message for _, message in reported(report)}
    assert titles == {"the *** is out", "API key of nobody is invalid"}
    assert report.summary == "2 critical groups since 2025-06-02 10:00"
    assert len(asked(project).findings) == 3
    assert project.files() == before


def test_what_is_remembered_counts_when_it_has_left_the_window(project: Project) -> None:
    project.log(line("the store is lost", 3600, level="CRITICAL"))
    project.watch()
    (project.logs / "app.log").unlink()
    (finding,) = asked(project, 2, later=48).findings
    assert (finding.status, finding.value) == (Status.CRITICAL, 1)
    assert f"--resolve {finding.subject}" in (finding.remedy or "")
    assert reported(asked(project, -47, later=48))[0][0] is Status.OK


def test_what_is_resolved_or_muted_is_no_reason_and_what_comes_back_is(project: Project) -> None:
    project.log(line("the store is lost", 3600, level="CRITICAL"))
    project.watch()
    key = project.kept()["the store is lost"]["key"]
    project.watch(mutes=[key], until=NOW + timedelta(days=3))
    assert reported(asked(project, 2)) == WELL
    project.watch(resolves=[key])
    assert reported(asked(project, 2)) == WELL
    project.log(line("the store is lost", -1800, level="CRITICAL"))
    (finding,) = asked(project, 0, later=1).findings
    assert finding.status is Status.CRITICAL


def test_what_could_not_be_read_is_not_known(project: Project) -> None:
    project.log(line("fine", level="INFO"))
    project.tracking.write_text("{")
    report = asked(project, 2)
    assert [each.status for each in report.findings] == [Status.UNKNOWN]
    assert "is no valid JSON" in report.findings[0].message
    project.tracking.unlink()
    stop = Event()
    stop.set()
    project.log(*(line("fine", level="INFO") for _ in range(10)))
    assert Status.UNKNOWN in {each.status for each in asked(project, 2, stop=stop).findings}


def test_without_a_log_folder_there_is_nothing_to_judge(project: Project) -> None:
    project.logs.rmdir()
    assert [each.status for each in asked(project, 2).findings] == [Status.SKIPPED]
    project.logs.symlink_to(project.root)
    assert {each.status for each in asked(project, 2).findings} == {Status.UNKNOWN}


def test_a_time_before_all_times_is_no_fault(project: Project) -> None:
    project.set_logs(window_hours=1e6)
    project.log(line("the store is lost", 3600, level="CRITICAL"))
    early = datetime.fromisoformat("0050-01-01T00:00:00+00:00")
    report = critical_since(project.settings, None, now=early, stop=Event())
    assert msgspec.json.encode(report)

from __future__ import annotations

import fcntl
import json
import os
import signal
from datetime import datetime
from pathlib import Path
from threading import Barrier, Event
from typing import Any

import pytest

from tasks.core.errors import UserError
from tasks.core.files.lock import LOCK_FILE, LockedByOther
from tasks.core.report.model import Action, Finding, Interrupted, Metric, Report, Status
from tasks.core.run.composition import Part, compose
from tasks.core.run.definition import ReportFile

NOW = datetime.fromisoformat("2026-11-23T12:00:00+01:00")
PATH = "logs/health_reports/health_report_20261123.json"


def part(name: str, status: Status = Status.OK) -> Part:
    finding = Finding(check=f"{name}.check", subject=name, status=status, message="So it is.")
    metric = Metric(name=f"{name}.number", value=1, unit="s")
    return lambda _stop: Report(summary=f"{name} fine", findings=[finding], metrics=[metric], data={name: {"a": 1}})


def composed(root: Path, parts: dict[str, Part], **options: Any) -> Report:
    given = {"advance": lambda _count: None, **options}
    return compose(parts, root, "daily.health-check", ReportFile(PATH, "health.report"), now=NOW, **given)


@pytest.mark.parametrize("side_by_side", [False, True])
def test_parts_become_one_report_with_the_worst_status_and_a_file(tmp_path: Path, *, side_by_side: bool) -> None:
    report = composed(
        tmp_path,
        {"one": part("one"), "two": part("two", Status.CRITICAL)},
        side_by_side=side_by_side,
    )
    assert report.status is Status.CRITICAL
    assert report.summary == "one fine; two fine"
    assert [finding.check for finding in report.findings] == ["one.check", "two.check"]
    assert report.data == {"one": {"a": 1}, "two": {"a": 1}}
    assert report.files == [PATH]
    written = json.loads((tmp_path / PATH).read_text())
    assert written["status"] == "critical"
    figures = {"one.number": 1, "two.number": 1}
    assert written["runs"] == [{"started": NOW.isoformat(), "status": "critical", "figures": figures}]
    assert not (tmp_path / LOCK_FILE).exists()


def test_side_by_side_means_at_the_same_time(tmp_path: Path) -> None:
    together = Barrier(2, timeout=20)

    def meets(_stop: Event) -> Report:
        together.wait()
        return Report(summary="met")

    assert composed(tmp_path, {"one": meets, "two": meets}, side_by_side=True).summary == "met; met"


@pytest.mark.parametrize("side_by_side", [False, True])
@pytest.mark.parametrize(
    ("error", "message"), [(ValueError("of\nno use"), "ValueError: of no use"), (UserError("Do it so."), "Do it so.")]
)
def test_a_part_that_fails_is_told_and_the_others_go_on(
    tmp_path: Path, error: Exception, message: str, *, side_by_side: bool
) -> None:
    def fails(_stop: Event) -> Report:
        raise error

    report = composed(tmp_path, {"one": fails, "two": part("two")}, side_by_side=side_by_side)
    assert [(f.check, f.subject, f.status, f.message) for f in report.findings] == [
        ("run.error", "one", Status.CRITICAL, message),
        ("two.check", "two", Status.OK, "So it is."),
    ]


def test_a_dry_run_writes_nothing_and_says_what_it_would(tmp_path: Path) -> None:
    report = composed(tmp_path, {"one": part("one")}, dry_run=True)
    assert report.dry_run
    assert report.actions == [Action(verb="write", target=PATH, done=False)]
    assert not [*tmp_path.iterdir()]


def test_a_second_changing_run_is_refused(tmp_path: Path) -> None:
    with (tmp_path / LOCK_FILE).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(LockedByOther):
            composed(tmp_path, {"one": part("one")})
    assert [*tmp_path.iterdir()] == [tmp_path / LOCK_FILE]


def test_a_root_that_cannot_be_written_is_checked_all_the_same(tmp_path: Path) -> None:
    (tmp_path / LOCK_FILE).symlink_to(tmp_path)  # opened without following links, it cannot be had
    report = composed(tmp_path, {"one": part("one")})
    assert [finding.check for finding in report.findings] == ["one.check", "health.report"]
    assert report.status is Status.WARNING
    assert report.files == []
    assert not (tmp_path / "logs").exists()


@pytest.mark.parametrize("side_by_side", [False, True])
def test_a_wish_to_stop_ends_it_with_what_was_found(tmp_path: Path, *, side_by_side: bool) -> None:
    def waits(stop: Event) -> Report:
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.wait(20)
        return Report(summary="so far")

    with pytest.raises(Interrupted) as stopped:
        composed(tmp_path, {"one": waits}, side_by_side=side_by_side)
    report = stopped.value.report
    assert report.summary == "interrupted: so far"
    assert report.status is Status.UNKNOWN
    assert not (tmp_path / "logs").exists()
    assert not (tmp_path / LOCK_FILE).exists()


@pytest.mark.parametrize("side_by_side", [False, True])
def test_every_part_that_ends_is_told(tmp_path: Path, *, side_by_side: bool) -> None:
    progress: list[int] = []
    composed(tmp_path, {"one": part("one"), "two": part("two")}, side_by_side=side_by_side, advance=progress.append)
    assert sum(progress) == 2


def test_progress_is_told_while_nothing_ends(tmp_path: Path) -> None:
    """The part ends only when it was told of twice meanwhile."""
    twice, progress = Event(), []

    def advance(count: int) -> None:
        progress.append(count)
        if progress[:2] == [0, 0]:
            twice.set()

    def waits(_stop: Event) -> Report:
        assert twice.wait(20)
        return Report(summary="told of")

    assert composed(tmp_path, {"one": waits}, side_by_side=True, advance=advance).summary == "told of"
    assert sum(progress) == 1

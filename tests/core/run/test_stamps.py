from __future__ import annotations

import fcntl
import json
import os
import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.core.report.model import Finding, Report, Status
from tasks.core.run.stamps import Stamp, path_of, read, record

TASK = "weekly.cache-cleanup"
BEGAN = datetime(2026, 3, 28, 23, 30, tzinfo=timezone(timedelta(hours=1)))
ENDED = BEGAN + timedelta(hours=4)
REPORT = Report(task=TASK, summary="done", started=BEGAN.isoformat(), duration_seconds=7.25)
PATH = "logs/schedule/weekly.cache-cleanup.json"


def wrote(project: Path, *, reason: str | None = None, report: Report = REPORT) -> str | None:
    return record(project, "logs", TASK, report, ended=ENDED, reason=reason)


def test_what_never_ran_left_nothing(project: Path) -> None:
    assert read(project, "logs", TASK) == Stamp()
    assert path_of("logs", TASK) == PATH


def test_an_empty_stamp_is_told_and_mended(project: Path) -> None:
    (project / PATH).parent.mkdir(parents=True)
    (project / PATH).touch()
    assert read(project, "logs", TASK).problem == f"{PATH} is empty."
    assert wrote(project) is None
    assert read(project, "logs", TASK).completed is not None


def test_a_run_is_known_with_its_times_in_the_zone_it_ran_in(project: Path) -> None:
    bad = Finding(check="a.b", subject="c", status=Status.WARNING, message="d")
    assert wrote(project, report=msgspec.structs.replace(REPORT, findings=[bad])) is None
    completed = read(project, "logs", TASK).completed
    assert completed is not None
    assert (completed.began.isoformat(), completed.ended) == (BEGAN.isoformat(), ENDED)
    assert (completed.status, completed.duration_seconds) == (Status.WARNING, 7.25)
    assert [*(project / "logs/schedule").iterdir()] == [project / PATH]


def test_an_attempt_keeps_the_last_run_and_a_run_clears_the_attempt(project: Path) -> None:
    wrote(project, reason="Nobody knows.")
    first = read(project, "logs", TASK)
    assert (first.completed, first.attempt and first.attempt.reason) == (None, "Nobody knows.")
    wrote(project)
    ran = read(project, "logs", TASK)
    assert ran.attempt is None
    wrote(project, reason="Once more.")
    again = read(project, "logs", TASK)
    assert (again.completed, again.attempt and again.attempt.began) == (ran.completed, BEGAN)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "no valid JSON"),
        (b"[]", "holds a JSON array"),
        (b'{"a": 1}', "is no stamp of this suite"),
        (b'{"schema": 2, "task": "t", "completed": null, "attempt": null}', "its schema is 2"),
        (
            b'{"task": "t", "attempt": {"began": "2026-01-01T00:00:00", "reason": "r"}, "completed": null}',
            "with a timezone",
        ),
    ],
)
def test_what_is_no_stamp_is_named_and_kept_aside_by_the_next_run(project: Path, content: bytes, said: str) -> None:
    (project / PATH).parent.mkdir(parents=True)
    (project / PATH).write_bytes(content)
    stamp = read(project, "logs", TASK)
    assert (stamp.completed, stamp.attempt) == (None, None)
    assert said in (stamp.problem or "")
    assert wrote(project) is None
    assert (project / f"{PATH}.broken-1").read_bytes() == content
    assert read(project, "logs", TASK).completed is not None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60) | st.from_type(dict[str, int | None]).map(lambda value: json.dumps(value).encode()))
def test_whatever_lies_there_reading_ends_in_a_sentence_or_nothing(project: Path, content: bytes) -> None:
    (project / PATH).parent.mkdir(parents=True, exist_ok=True)
    (project / PATH).write_bytes(content)
    stamp = read(project, "logs", TASK)
    assert stamp == Stamp() or (stamp.problem or "").endswith(".")


def test_a_stamp_that_cannot_be_read_is_not_replaced(project: Path) -> None:
    (project / PATH).parent.mkdir(parents=True)
    (project / PATH).symlink_to(project)
    assert "symbolic link" in (read(project, "logs", TASK).problem or "")
    assert "symbolic link" in (wrote(project) or "")
    assert (project / PATH).is_symlink()


def test_a_full_disk_is_a_sentence(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert wrote(project) == f"{PATH} cannot be written: No space left on device."
    assert [*(project / "logs/schedule").iterdir()] == []


def test_a_folder_that_leads_elsewhere_is_a_sentence(project: Path) -> None:
    (project / "logs").symlink_to("/tmp")  # noqa: S108 - nothing is written there
    assert "logs is a symbolic link" in (wrote(project) or "")


def test_a_writer_that_hangs_is_waited_for_and_then_told(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    (project / PATH).parent.mkdir(parents=True)
    other = os.open((project / PATH).parent, os.O_RDONLY)
    try:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert "has been writing there for seconds" in (wrote(project) or "")
        assert 1 <= sum(pauses) <= 10
    finally:
        os.close(other)
    assert wrote(project) is None


def test_a_file_system_without_locks_is_no_hindrance(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object) -> None:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", unknown)
    assert wrote(project) is None
    assert read(project, "logs", TASK).completed is not None


def test_a_report_without_a_beginning_began_when_it_ended(project: Path) -> None:
    wrote(project, report=Report(summary="s"))
    completed = read(project, "logs", TASK).completed
    assert completed is not None
    assert completed.began == ENDED.astimezone(UTC)

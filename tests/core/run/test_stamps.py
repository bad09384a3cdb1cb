"""When each procedure ran last: from the history, and from the stamps of earlier versions."""

from __future__ import annotations

import fcntl
import json
import os
import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.core.files.lock import SHORT_LOCK_FILE
from tasks.core.report.history import FILE
from tasks.core.report.model import Finding, Report, Status
from tasks.core.run.stamps import Attempt, Completed, Recorded, Stamp, path_of, read, read_all, record

TASK = "weekly.cache-cleanup"
BEGAN = datetime(2026, 3, 28, 23, 30, tzinfo=timezone(timedelta(hours=1)))
ENDED = BEGAN + timedelta(hours=4)
REPORT = Report(task=TASK, summary="done", started=BEGAN.isoformat(), duration_seconds=7.25)
PATH = f"logs/{FILE}"
EARLIER = "logs/schedule/weekly.cache-cleanup.json"


def wrote(project: Path, *, reason: str | None = None, report: Report = REPORT, task: str = TASK) -> str | None:
    recorded = record(project, "logs", task, report, ended=ENDED, reason=reason)
    assert recorded.is_kept is (recorded.problem is None)
    return recorded.problem


def ran(project: Path, began: datetime, *, reason: str | None = None, whole: bool = True) -> None:
    report = msgspec.structs.replace(REPORT, started=began.isoformat())
    assert record(project, "logs", TASK, report, ended=began, reason=reason, whole=whole) == Recorded(is_kept=True)


def began(stamp: Stamp) -> tuple[datetime | None, datetime | None]:
    completed, attempt = stamp.completed, stamp.attempt
    return None if completed is None else completed.began, None if attempt is None else attempt.began


def earlier(project: Path, completed: datetime | None, attempt: datetime | None = None, **changes: Any) -> None:
    """Leave a stamp as earlier versions wrote it."""
    moment = completed and completed.isoformat()
    content = {
        "task": TASK,
        "completed": moment and {"began": moment, "ended": moment, "status": "ok", "duration_seconds": 1.5},
        "attempt": attempt and {"began": attempt.isoformat(), "reason": "It was interrupted."},
        "schema": 1,
    }
    (project / EARLIER).parent.mkdir(parents=True, exist_ok=True)
    (project / EARLIER).write_text(json.dumps(content | changes))


def test_what_never_ran_left_nothing(project: Path) -> None:
    assert read(project, "logs", TASK) == Stamp()
    assert path_of("logs", TASK) == EARLIER


def test_a_run_is_known_with_its_times_in_the_zone_it_ran_in(project: Path) -> None:
    bad = Finding(check="a.b", subject="c", status=Status.WARNING, message="d")
    assert wrote(project, report=msgspec.structs.replace(REPORT, findings=[bad])) is None
    completed = read(project, "logs", TASK).completed
    assert completed is not None
    assert (completed.began.isoformat(), completed.ended) == (BEGAN.isoformat(), ENDED)
    assert (completed.status, completed.duration_seconds) == (Status.WARNING, 7.25)
    assert [*(project / "logs").iterdir()] == [project / PATH]


def test_an_attempt_keeps_the_last_run_and_a_run_clears_the_attempt(project: Path) -> None:
    wrote(project, reason="Nobody knows.")
    first = read(project, "logs", TASK)
    assert (first.completed, first.attempt and first.attempt.reason) == (None, "Nobody knows.")
    wrote(project)
    run = read(project, "logs", TASK)
    assert run.attempt is None
    wrote(project, reason="Once more.")
    again = read(project, "logs", TASK)
    assert (again.completed, again.attempt and again.attempt.began) == (run.completed, BEGAN)


def test_a_part_of_a_procedure_is_neither_a_run_nor_an_attempt(project: Path) -> None:
    ran(project, BEGAN)
    ran(project, BEGAN + timedelta(days=1), whole=False)
    ran(project, BEGAN + timedelta(days=2), whole=False, reason="It was interrupted.")
    assert began(read(project, "logs", TASK)) == (BEGAN, None)


def test_the_run_that_was_written_last_counts_also_after_one_of_a_wrong_clock(project: Path) -> None:
    ran(project, BEGAN + timedelta(days=4000))
    ran(project, BEGAN)
    assert began(read(project, "logs", TASK)) == (BEGAN, None)


def test_each_procedure_has_its_own_runs(project: Path) -> None:
    wrote(project)
    wrote(project, task="daily.log-review", reason="No room.")
    found = read_all(project, "logs", [TASK, "daily.log-review", "daily.health-check"])
    assert {name: [each is not None for each in began(stamp)] for name, stamp in found.items()} == {
        TASK: [True, False],
        "daily.log-review": [False, True],
        "daily.health-check": [False, False],
    }


# Stamps of earlier versions


def test_a_stamp_of_an_earlier_version_counts_until_there_is_a_run(project: Path) -> None:
    earlier(project, BEGAN, BEGAN + timedelta(days=1))
    before = (project / EARLIER).read_bytes()
    assert read(project, "logs", TASK) == Stamp(
        Completed(BEGAN, BEGAN, Status.OK, 1.5), Attempt(BEGAN + timedelta(days=1), "It was interrupted.")
    )
    ran(project, BEGAN + timedelta(days=2), reason="No room.")
    assert began(read(project, "logs", TASK)) == (BEGAN, BEGAN + timedelta(days=2))
    ran(project, BEGAN + timedelta(days=3))
    assert began(read(project, "logs", TASK)) == (BEGAN + timedelta(days=3), None)
    assert (project / EARLIER).read_bytes() == before


def test_a_run_of_an_earlier_version_after_one_of_this_counts(project: Path) -> None:
    ran(project, BEGAN)
    ran(project, BEGAN + timedelta(days=1), reason="No room.")
    earlier(project, BEGAN + timedelta(days=2))
    assert began(read(project, "logs", TASK)) == (BEGAN + timedelta(days=2), None)
    earlier(project, BEGAN + timedelta(days=2), BEGAN + timedelta(days=3))
    assert began(read(project, "logs", TASK)) == (BEGAN + timedelta(days=2), BEGAN + timedelta(days=3))
    earlier(project, BEGAN + timedelta(hours=1))
    assert began(read(project, "logs", TASK)) == (BEGAN + timedelta(hours=1), BEGAN + timedelta(days=1))
    earlier(project, BEGAN - timedelta(hours=1))
    assert began(read(project, "logs", TASK)) == (BEGAN, BEGAN + timedelta(days=1))


def test_a_stamp_that_is_dated_ahead_does_not_hide_a_run(project: Path) -> None:
    ran(project, BEGAN)
    earlier(project, BEGAN + timedelta(days=400))
    found = read_all(project, "logs", [TASK], BEGAN + timedelta(days=1))
    assert began(found[TASK]) == (BEGAN, None)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is empty"),
        (b"{", "no valid JSON"),
        (b"[]", "Expected `object`, got `array`"),
        (b'{"a": 1}', "does not hold what this suite writes"),
        (b'{"schema": 2, "task": "t", "completed": null, "attempt": null}', "Invalid enum value 2 - at `$.schema`"),
        (
            b'{"task": "t", "attempt": {"began": "2026-01-01T00:00:00", "reason": "r"}, "completed": null}',
            "with a timezone",
        ),
    ],
)
def test_what_is_no_stamp_is_named_until_there_is_a_run(project: Path, content: bytes, problem: str) -> None:
    (project / EARLIER).parent.mkdir(parents=True)
    (project / EARLIER).write_bytes(content)
    stamp = read(project, "logs", TASK)
    assert (stamp.completed, stamp.attempt) == (None, None)
    assert problem in (stamp.problem or "")
    ran(project, BEGAN)
    assert read(project, "logs", TASK) == Stamp(Completed(BEGAN, BEGAN, Status.OK, 7.25))
    assert (project / EARLIER).read_bytes() == content


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from([PATH, EARLIER]),
    st.binary(max_size=60) | st.from_type(dict[str, int | None]).map(lambda value: json.dumps(value).encode()),
)
def test_reading_any_content_ends_in_a_sentence_or_nothing(project: Path, path: str, content: bytes) -> None:
    for each in (PATH, EARLIER):
        (project / each).parent.mkdir(parents=True, exist_ok=True)
        (project / each).unlink(missing_ok=True)
    (project / path).write_bytes(content)
    stamp = read(project, "logs", TASK)
    assert stamp == Stamp() or (stamp.problem or "").endswith(".")


# Where the history cannot be used


@pytest.mark.parametrize(("content", "problem"), [(b"", "is empty."), (b"\x00\xff\n", "holds no entry of this suite.")])
def test_a_history_without_an_entry_is_a_doubt_that_the_next_run_removes(
    project: Path, content: bytes, problem: str
) -> None:
    (project / "logs").mkdir()
    (project / PATH).write_bytes(content)
    assert read(project, "logs", TASK) == Stamp(problem=f"{PATH} {problem}")
    ran(project, BEGAN)
    assert read(project, "logs", TASK).problem is None
    another = read(project, "logs", "daily.log-review").problem  # whose run may be what cannot be read
    assert (another is not None) == bool(content)


def test_a_history_that_is_not_believed_is_kept_aside_and_older_stamps_are_not_believed(project: Path) -> None:
    earlier(project, BEGAN)
    (project / PATH).symlink_to(project)
    stamp = read(project, "logs", TASK)
    assert (stamp.completed, stamp.problem) == (None, f"{PATH} is a symbolic link, so it is not read or written.")
    recorded = record(project, "logs", TASK, REPORT, ended=ENDED, reason=None)
    assert recorded == Recorded(is_kept=True, problem=f"{stamp.problem} It was kept aside as {PATH}.broken-1.")
    assert (project / f"{PATH}.broken-1").is_symlink()
    assert read(project, "logs", TASK).completed == Completed(BEGAN, ENDED, Status.OK, 7.25)


def test_a_history_that_cannot_be_kept_aside_is_a_sentence(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "logs").mkdir()
    (project / PATH).symlink_to(project)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "rename", refuse)
    assert wrote(project) == f"{PATH} cannot be written: Operation not permitted."


def test_a_full_disk_is_a_sentence(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert wrote(project) == f"{PATH} cannot be written: No space left on device."
    assert [*(project / "logs").iterdir()] == []


def test_a_folder_that_leads_elsewhere_is_a_sentence(project: Path) -> None:
    (project / "logs").symlink_to("/tmp")  # noqa: S108 - nothing is written there
    assert "logs is a symbolic link" in (wrote(project) or "")


def test_a_writer_that_hangs_is_waited_for_and_then_reported(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    (project / "logs").mkdir()
    other = os.open(project / "logs" / SHORT_LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
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


def test_a_line_that_cannot_be_read_may_hold_the_run_that_is_missing(project: Path) -> None:
    wrote(project, task="daily.log-review")
    with (project / PATH).open("ab") as history:
        history.write(b"{garbage}\n")
    found = read_all(project, "logs", [TASK, "daily.log-review"])
    assert found["daily.log-review"].completed is not None
    assert found[TASK].problem == f"{PATH} has 1 line that cannot be read, and its run may be in there."

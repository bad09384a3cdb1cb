"""Whether the clock is believed: by the newest log, stamp and archive."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.core.report import history
from tasks.core.report.history import append
from tasks.core.report.history_entries import ProviderMeasurement, Run
from tasks.core.report.model import Status
from tasks.core.run.clock import _ARCHIVE, DOUBTED_AFTER_DAYS, ClockDoubt, Withheld, clock_doubt
from tasks.core.settings.model import ClockSettings, LogSettings, Settings
from tasks.logs import log_archives
from tests.examples import examples

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MOMENT = timedelta(seconds=1)

Leave = Callable[[Path, datetime], None]


def log(root: Path, moment: datetime, name: str = "app.log", content: str = "a line\n") -> None:
    path = root / "logs" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    os.utime(path, (moment.timestamp(), moment.timestamp()))


def archive(root: Path, moment: datetime, name: str = "app_{:%Y%m%d}.log.gz") -> None:
    path = root / "logs" / f"archive/{moment:%Y/%m}" / name.format(moment)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"packed")  # its mtime is that of a copy made just now, in the future of NOW's past


def run(moment: datetime, clock_newest: datetime | None = None) -> Run:
    return Run(
        task="daily.one",
        began=moment,
        ended=moment,
        status=Status.OK,
        duration_seconds=0,
        clock_newest=clock_newest,
    )


def stamp(root: Path, moment: datetime) -> None:
    append(root, "logs", [run(moment)])


def older_stamp(root: Path, moment: datetime) -> None:
    """Leave what a version before the history left."""
    path = root / "logs/schedule/weekly.cache-cleanup.json"
    path.parent.mkdir(parents=True)
    content = {
        "schema": 1,
        "attempt": None,
        "completed": {
            "began": moment.isoformat(),
            "ended": moment.isoformat(),
            "status": "ok",
            "duration_seconds": 1.0,
        },
    }
    path.write_bytes(msgspec.json.encode(content))


def doubt(root: Path, *, now: datetime = NOW, trust: bool = False, pattern: str = "*.log") -> ClockDoubt | None:
    clock, logs = ClockSettings(trust=trust), LogSettings(pattern=pattern)
    return clock_doubt(Settings(root=str(root), clock=clock, logs=logs), now)


TRACES: dict[str, Leave] = {
    "a log": log,
    "a log in a subfolder": lambda root, moment: log(root, moment, "web/access.log"),
    "a stamp": stamp,
    "a stamp of an earlier version": older_stamp,
    "an archive": archive,
    "a second archive of a day": lambda root, moment: archive(root, moment, "app_{:%Y%m%d}_2.log.gz"),
    "an archive of a subfolder": lambda root, moment: archive(root, moment, "web/access_{:%Y%m%d}.log.gz"),
}


@pytest.mark.parametrize("leave", TRACES.values(), ids=TRACES.keys())
def test_the_clock_is_doubted_more_than_400_days_past_the_newest_trace(tmp_path: Path, leave: Leave) -> None:
    day = datetime(2025, 1, 1, tzinfo=UTC)
    leave(tmp_path, day)
    limit = day + timedelta(days=400)
    assert DOUBTED_AFTER_DAYS == 400
    assert doubt(tmp_path, now=limit) is None
    assert doubt(tmp_path, now=limit + MOMENT) == ClockDoubt(limit + MOMENT, day)
    assert doubt(tmp_path, now=limit + MOMENT, trust=True) is None
    assert doubt(tmp_path, now=day - timedelta(days=5000)) is None


@pytest.mark.parametrize("young", TRACES.values(), ids=TRACES.keys())
@pytest.mark.parametrize("old", [log, stamp, archive])
def test_one_young_trace_among_old_ones_is_enough(tmp_path: Path, old: Leave, young: Leave) -> None:
    if (old, young) == (stamp, older_stamp):
        pytest.skip("a stamp of an earlier version counts where the history has none")
    old(tmp_path, NOW - timedelta(days=900))
    assert doubt(tmp_path) is not None
    young(tmp_path, NOW - timedelta(days=399))
    assert doubt(tmp_path) is None


def test_the_newest_of_several_old_traces_is_named(tmp_path: Path) -> None:
    for leave, days in ((log, 800), (stamp, 700), (archive, 900)):
        leave(tmp_path, NOW - timedelta(days=days))
    found = doubt(tmp_path)
    assert found is not None
    assert found.newest == NOW - timedelta(days=700)


def test_a_project_without_any_trace_is_not_blocked(tmp_path: Path) -> None:
    assert doubt(tmp_path) is None
    assert doubt(tmp_path / "missing") is None
    (tmp_path / "logs").mkdir()
    assert doubt(tmp_path) is None


def test_what_is_no_log_no_stamp_and_no_archive_is_no_trace(tmp_path: Path) -> None:
    log(tmp_path, NOW, "empty.log", content="")
    log(tmp_path, NOW, "notes.txt")
    log(tmp_path, NOW, "cache_reports/cache_report_20261123.json")
    append(tmp_path, "logs", [ProviderMeasurement(moment=NOW, source="s", provider="p")])
    outside = tmp_path / "outside.log"
    outside.write_text("a line\n")
    os.utime(outside, (NOW.timestamp(), NOW.timestamp()))
    (tmp_path / "logs/link.log").symlink_to(outside)
    archive(tmp_path, NOW, "notes.txt")
    archive(tmp_path, NOW, "app_20269999.log.gz")
    log(tmp_path, NOW - timedelta(days=401))
    assert doubt(tmp_path) is not None
    assert doubt(tmp_path, pattern="*") is None, "notes.txt is a log then"


def test_the_suites_own_files_are_no_logs_whatever_the_pattern(tmp_path: Path) -> None:
    log(tmp_path, NOW, "error_tracking.json")
    archive(tmp_path, NOW - timedelta(days=401))
    assert doubt(tmp_path, pattern="*") is not None


def test_an_archive_of_another_name_is_as_old_as_its_mtime(tmp_path: Path) -> None:
    path = tmp_path / "logs/archive/2020/01/old.gz"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"packed")
    for days, is_doubted in ((399, False), (401, True)):
        moment = (NOW - timedelta(days=days)).timestamp()
        os.utime(path, (moment, moment))
        assert (doubt(tmp_path) is not None) is is_doubted


def test_what_was_written_while_the_clock_was_doubted_is_no_trace(tmp_path: Path) -> None:
    newest = NOW - timedelta(days=500)
    archive(tmp_path, newest)
    append(tmp_path, "logs", [run(newest), run(NOW, clock_newest=newest)])
    archive(tmp_path, NOW)
    later = NOW + timedelta(days=1)
    assert doubt(tmp_path, now=later) == ClockDoubt(later, newest)
    log(tmp_path, NOW)
    assert doubt(tmp_path, now=later) is None, "the project writes to its log"


def test_a_run_that_trusted_the_clock_ends_the_doubt(tmp_path: Path) -> None:
    append(tmp_path, "logs", [run(NOW, clock_newest=NOW - timedelta(days=500)), run(NOW)])
    assert doubt(tmp_path) is None


def test_the_run_that_was_written_last_is_the_stamp(tmp_path: Path) -> None:
    append(tmp_path, "logs", [run(NOW), run(NOW - timedelta(days=401))])
    assert doubt(tmp_path) is not None


def test_the_last_run_is_found_before_any_number_of_other_entries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "_TAIL", 100)
    assert history.last_run(tmp_path, "logs") is None
    others = [ProviderMeasurement(moment=NOW, source="s", provider=f"p{number}") for number in range(500)]
    append(tmp_path, "logs", others)
    assert history.last_run(tmp_path, "logs") is None
    append(tmp_path, "logs", [run(NOW - MOMENT), run(NOW), *others])
    assert history.last_run(tmp_path, "logs") == run(NOW)
    with (tmp_path / "logs/maintenance_history.jsonl").open("ab") as file:
        file.write(b'{"kind":"run","task":"torn')
    assert history.last_run(tmp_path, "logs") == run(NOW)


def test_a_history_that_cannot_be_read_is_no_stamp(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/maintenance_history.jsonl").symlink_to("elsewhere")
    assert history.last_run(tmp_path, "logs") is None
    log(tmp_path, NOW - timedelta(days=401))
    assert doubt(tmp_path) is not None


def test_the_archives_are_where_rotation_puts_them() -> None:
    assert _ARCHIVE == log_archives.FOLDER
    assert log_archives.archive_name("app.log", date(2026, 11, 23), 2) == "app_20261123_2.log.gz"


@pytest.mark.parametrize(
    ("number", "dry_run", "begins"),
    [
        (1, False, "1 archive looks older than 90 days and was left. The clock says 2026-11-23, 500 days after the"),
        (2, False, "2 archives look older than 90 days and were left. "),
        (2, True, "2 archives look older than 90 days and would be left. "),
    ],
)
def test_the_finding_says_what_was_left_and_why(number: int, begins: str, *, dry_run: bool) -> None:
    found = ClockDoubt(NOW, NOW - timedelta(days=500)).finding(
        Withheld(number, ("archive", "archives"), "90 days"), subject="logs/archive", task="a.task", dry_run=dry_run
    )
    assert found.message.startswith(begins)
    assert found.message.endswith("newest log, stamp and archive (2025-07-11), so nothing is deleted by age.")
    assert (found.check, found.status, found.value, found.unit) == ("clock.trust", Status.UNKNOWN, number, "files")
    assert found.remedy is not None
    assert "`INVOKE_MAINTENANCE_CLOCK_TRUST=true inv a.task`" in found.remedy


@given(st.lists(st.tuples(st.sampled_from(["log", "stamp", "archive"]), st.integers(-50, 900)), max_size=4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(60))
def test_the_newest_trace_decides(tmp_path_factory: pytest.TempPathFactory, traces: list[tuple[str, int]]) -> None:
    root = tmp_path_factory.mktemp("project")
    midnight = NOW.replace(hour=0)
    for place, (kind, days) in enumerate(sorted(traces, key=lambda each: -each[1])):
        moment = midnight - timedelta(days=days)
        if kind == "log":
            log(root, moment, f"{place}.log")
        elif kind == "stamp":
            stamp(root, moment)
        else:
            archive(root, moment)
    newest = min((days for _, days in traces), default=None)
    expected = newest is not None and newest > 400
    assert (doubt(root, now=midnight) is not None) is expected

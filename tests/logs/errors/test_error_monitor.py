from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tasks.core.errors import UsageError
from tasks.core.files import state_files
from tasks.core.files.lock import LockedByOther
from tasks.core.report.model import Finding, Interrupted, Report, Status
from tasks.core.secrets.redaction import redactor
from tasks.core.settings.model import LogSettings, Settings
from tasks.logs.errors import error_groups
from tasks.logs.errors.error_monitor import watch
from tasks.logs.reading.log_records import records
from tasks.logs.reading.log_source import open_log
from tasks.logs.reading.log_stream import archives_by_log, stream_segments

NOW = datetime(2025, 6, 2, 12, 0, 0, tzinfo=UTC)
HOUR = 3600.0
DAY = 24 * HOUR

WORDS = ("alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india", "juliet", "kilo", "lima")


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody pulls the plug here, and waiting until all is on the disk takes most of the time."""
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)


def at(ago: float, now: datetime = NOW) -> str:
    """Return the time so many seconds before *now* as a log has it."""
    return (now - timedelta(seconds=ago)).isoformat(timespec="milliseconds")


def line(message: str = "it broke", ago: float = 60, *, level: str = "ERROR", now: datetime = NOW) -> str:
    """Return a record."""
    return f"{at(ago, now)} - api.client - {level} - {message}"


class Project:
    """A project below *root* whose logs are watched at :data:`NOW`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.logs = root / "logs"
        self.logs.mkdir(parents=True)
        self.settings = Settings(root=str(root))

    def set_logs(self, **values: Any) -> None:
        """Give settings of the logs other values."""
        logs: LogSettings = msgspec.structs.replace(self.settings.logs, **values)
        self.settings = msgspec.structs.replace(self.settings, logs=logs)

    def log(self, *lines: str, name: str = "app.log", ago: float = 0, end: str = "\n", now: datetime = NOW) -> Path:
        """Append lines to a log that was last written *ago* seconds before *now*."""
        path = self.logs / name
        with path.open("a", encoding="utf-8", newline="") as file:
            file.write("\n".join(lines) + end)
        self.age(path, ago, now)
        return path

    def age(self, path: Path, ago: float, now: datetime = NOW) -> None:
        """Date a file."""
        moment = now.timestamp() - ago
        os.utime(path, (moment, moment))

    def watch(self, hours: float = 0, **arguments: Any) -> Report:
        """Watch the logs, so many hours after :data:`NOW`."""
        return watch(self.settings, now=NOW + timedelta(hours=hours), **arguments)

    @property
    def tracking(self) -> Path:
        """The file of the groups."""
        return self.logs / "error_tracking.json"

    def kept(self) -> dict[str, dict[str, Any]]:
        """Return what is kept of the groups, by their titles."""
        groups = json.loads(self.tracking.read_text())["groups"]
        return {group["title"]: {"key": key, **group} for key, group in groups.items()}

    def counted(self) -> int:
        """Return how many records were counted in all."""
        return sum(group["count"] for group in self.kept().values())

    def alerts(self) -> list[dict[str, Any]]:
        """Return the alerts, oldest first."""
        return [json.loads(path.read_text()) for path in sorted(self.logs.glob("alerts/*"))]

    def files(self) -> dict[str, tuple[int, bytes]]:
        """Return mtime and content of every file, to tell whether anything has changed."""
        return {
            str(path): (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
            for path in [self.root, *self.root.rglob("*")]
        }


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "project")


def every(report: Report, check: str) -> list[Finding]:
    """Return all findings of *check*."""
    return [one for one in report.findings if one.check == check]


def found(report: Report, check: str) -> Finding:
    """Return the one finding of *check*."""
    (finding,) = every(report, check)
    return finding


def seen(report: Report) -> tuple[int, int]:
    """Return how many records of errors the window holds, and how many were not seen before."""
    finding = found(report, "errors.window")
    (new,) = (metric.value for metric in report.metrics if metric.name == "errors.new_records")
    assert isinstance(finding.value, int)
    return finding.value, int(new)


def reported(report: Report) -> dict[str, str]:
    """Return the groups that the report tells of one by one: state by title."""
    rows = {row["group"]: row["title"] for row in report.data.get("groups", ())}
    states = ("errors.new", "errors.regressed", "errors.escalating", "errors.ongoing")
    return {
        rows[one.subject]: one.check.removeprefix("errors.")
        for one in report.findings
        if one.check in states and one.subject in rows
    }


# Folders


def test_without_a_log_folder_there_is_nothing_to_watch(tmp_path: Path) -> None:
    for dry_run in (True, False):
        report = watch(Settings(root=str(tmp_path)), now=NOW, dry_run=dry_run)
        assert (report.status, report.summary) == (Status.SKIPPED, "no log folder")
        assert (report.metrics, report.actions, report.files, report.data) == ([], [], [], {})
    assert list(tmp_path.iterdir()) == []


def test_an_empty_folder_is_all_right(project: Project) -> None:
    report = project.watch()
    assert report.status is Status.SKIPPED
    assert found(report, "logs.folder").message.startswith("It holds no log.")
    assert report.summary == "no logs"
    assert project.alerts() == []


def test_a_log_folder_that_is_a_file_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("")
    report = watch(Settings(root=str(tmp_path)), now=NOW)
    assert report.status is Status.UNKNOWN
    assert "is not a folder" in found(report, "logs.folder").message
    assert report.summary == "the logs could not be read"


def test_a_project_that_another_run_changes_is_left(project: Project) -> None:
    from .test_monitor_rotation import child

    project.log(line())
    holder = (
        "import sys; from datetime import UTC, datetime; from pathlib import Path\n"
        "from tasks.core.files.lock import project_lock\n"
        "with project_lock(Path(sys.argv[1]), 'weekly.log-rotation', datetime.now(UTC)):\n"
        "    print('ready', flush=True); sys.stdin.read()"
    )
    with child(holder, str(project.root)):
        with pytest.raises(LockedByOther, match=r"weekly\.log-rotation"):
            project.watch()
        assert seen(project.watch(dry_run=True)) == (1, 1)
    assert not project.tracking.exists()


# The window


def test_records_older_than_the_window_do_not_count_at_the_first_visit(project: Project) -> None:
    project.log(line("alpha", DAY + 0.001), line("bravo", DAY), line("charlie", DAY - 0.001), line("delta", 0))
    report = project.watch()
    assert seen(report) == (3, 3)
    assert sorted(project.kept()) == ["bravo", "charlie", "delta"]
    assert project.kept()["bravo"]["first_seen"] == "2025-06-01T12:00:00+00:00"


def test_the_window_is_a_setting(project: Project) -> None:
    project.log(line("alpha", 2 * HOUR + 1), line("bravo", 2 * HOUR))
    project.set_logs(window_hours=2)
    report = project.watch()
    assert seen(report) == (1, 1)
    assert report.summary == "1 error in the last 2 h, 1 group to look at, 0 known"


@pytest.mark.parametrize("hours", [0, 1_000_000])
def test_the_window_may_be_nothing_or_everything(project: Project, hours: float) -> None:
    project.log(line("alpha", 50 * 365 * DAY), line("bravo", 0))
    project.set_logs(window_hours=hours)
    assert seen(project.watch()) == ((2, 2) if hours else (1, 1))


def test_a_window_that_began_before_there_were_years_is_everything(project: Project) -> None:
    project.log(line("alpha", 50 * 365 * DAY))
    project.set_logs(window_hours=1e6)
    early = datetime(50, 1, 1, tzinfo=UTC)
    assert seen(watch(project.settings, now=early))[0] == 1


def test_what_was_written_between_two_visits_counts_even_when_the_window_has_passed(project: Project) -> None:
    project.log(line("alpha"))
    project.watch()
    project.log(line("bravo", -HOUR), ago=-HOUR)
    report = project.watch(hours=72)
    assert seen(report) == (0, 1)
    assert reported(report) == {"bravo": "new"}
    assert project.counted() == 2
    (_, alert) = project.alerts()
    assert [(group["title"], group["in_window"], group["count"]) for group in alert["groups"]] == [("bravo", 0, 1)]


def test_a_visit_without_anything_new_counts_nothing_twice(project: Project) -> None:
    project.log(line("alpha"), line("alpha"), line("bravo"))
    assert seen(project.watch()) == (3, 3)
    assert seen(project.watch(hours=1)) == (3, 0)
    assert seen(project.watch(hours=30)) == (0, 0)
    assert project.counted() == 3
    assert len(project.alerts()) == 1


def test_of_a_log_that_appears_later_only_the_window_is_new(project: Project) -> None:
    project.watch()
    project.log(line("alpha", 30 * DAY), line("bravo"), name="other.log")
    assert seen(project.watch()) == (1, 1)


# Records


def test_a_traceback_belongs_to_the_record_before_it(project: Project) -> None:
    project.log(
        line("request 17 failed"),
        "Traceback (most recent call last):",
        '  File "/srv/zbeam/api/client.py", line 12, in request',
        "    raise TimeoutError",
        "TimeoutError: after 30 s",
        line("done", level="INFO"),
    )
    project.watch()
    (group,) = project.kept().values()
    assert group["title"] == "TimeoutError: after #"
    assert group["count"] == 1
    assert group["sample"].splitlines()[0] == "request 17 failed"
    assert group["sample"].splitlines()[-1] == "TimeoutError: after 30 s"
    assert "done" not in group["sample"]


def test_only_errors_and_worse_are_groups(project: Project) -> None:
    levels = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
    project.log(*(line(f"something {level.lower()}", level=level) for level in levels))
    report = project.watch()
    assert {group["level"] for group in project.kept().values()} == {"ERROR", "CRITICAL"}
    assert {metric.name: metric.value for metric in report.metrics} == {
        "errors.critical": 1,
        "errors.error": 1,
        "errors.new_records": 2,
    }


def test_a_record_of_level_critical_is_critical(project: Project) -> None:
    project.log(line("alpha", level="CRITICAL"), line("bravo"))
    report = project.watch()
    assert {one.message.split()[1]: one.status for one in every(report, "errors.new")} == {
        "alpha": Status.CRITICAL,
        "bravo": Status.WARNING,
    }
    (alert,) = project.alerts()
    assert alert["severity"] == "critical"


@pytest.mark.parametrize(
    ("message", "pattern"),
    [
        ("API key is invalid", "API.*key.*invalid"),
        ("Invalid api KEY given", "API.*key.*invalid"),
        ("connection to host FAILED", "Connection.*failed"),
        ("Failed to make a connection", "Connection.*failed"),
        ("no space: disk /dev/vda is full", "Disk.*full"),
        ("out of memory error", "Memory.*error"),
        ("missing: the configuration", "Configuration.*missing"),
    ],
)
@pytest.mark.parametrize("level", ["WARNING", "ERROR"])
def test_a_critical_pattern_makes_a_group_critical(project: Project, message: str, pattern: str, level: str) -> None:
    project.log(line(message, level=level))
    finding = found(project.watch(), "errors.new")
    assert finding.status is Status.CRITICAL
    assert f'matches "{pattern}"' in finding.message
    assert [group["patterns"] for group in project.kept().values()] == [[pattern]]
    (alert,) = project.alerts()
    assert alert["severity"] == "critical"


def test_a_critical_pattern_in_the_traceback_counts(project: Project) -> None:
    project.log(line("it broke"), "OSError: [Errno 28] disk is full")
    assert found(project.watch(), "errors.new").status is Status.CRITICAL


def test_a_pattern_does_not_reach_from_one_line_to_another(project: Project) -> None:
    project.log(line("the disk"), "is full")
    assert found(project.watch(), "errors.new").status is Status.WARNING


def test_a_group_keeps_every_pattern_that_one_of_its_records_matches(project: Project) -> None:
    project.set_logs(critical_patterns=("alpha", "bravo"))
    trace = ["Traceback (most recent call last):", '  File "/srv/a.py", line 1, in run', "ValueError: x"]
    project.log(line("alpha"), *trace, line("bravo"), *trace, line("charlie"), *trace)
    project.log(line("bravo"), *trace, name="other.log")
    project.watch()
    (group,) = project.kept().values()
    assert (group["count"], group["patterns"]) == (4, ["alpha", "bravo"])


def test_a_critical_group_that_goes_on_stays_a_warning_without_another_alert(project: Project) -> None:
    project.log(line("Disk full"))
    assert project.watch().status is Status.CRITICAL
    project.log(line("Disk full"))
    report = project.watch(hours=1)
    assert report.status is Status.WARNING
    finding = found(report, "errors.ongoing")
    assert finding.message == 'Still going on: Disk full — 2 in the window, 2 in all, matches "Disk.*full".'
    assert finding.remedy
    assert finding.subject in finding.remedy
    assert len(project.alerts()) == 1


def test_what_goes_on_as_before_is_no_reason_to_call_again(project: Project) -> None:
    project.log(line("alpha"), line("bravo"))
    assert project.watch().status is Status.WARNING
    project.log(line("alpha"))
    report = project.watch(hours=1)
    assert report.status is Status.OK
    assert found(report, "errors.ongoing").message == "2 ongoing groups with 3 records in the last 24 h, told before."
    assert report.summary == "3 errors in the last 24 h, 0 groups to look at, 2 known"


def test_the_same_error_in_two_logs_is_one_group(project: Project) -> None:
    project.log(line("alpha", 100), name="a.log")
    project.log(line("alpha", 50), line("alpha", 200), name="b.log")
    report = project.watch()
    assert seen(report) == (3, 3)
    (group,) = project.kept().values()
    assert (group["count"], group["log"]) == (3, "logs/b.log")
    assert group["first_seen"] == at(200).replace(".000", "")
    assert group["last_seen"] == at(50).replace(".000", "")


# Times


def test_records_of_the_future_are_a_warning_and_taken_for_present(project: Project) -> None:
    project.log(line("alpha", -400), line("bravo", -299), line("charlie", 0))
    report = project.watch()
    finding = found(report, "logs.future")
    assert (finding.status, finding.subject, finding.value) == (Status.WARNING, "logs/app.log", 1)
    assert seen(report) == (3, 3)
    assert {title: group["last_seen"] for title, group in project.kept().items()} == {
        "alpha": NOW.isoformat(),
        "bravo": NOW.isoformat(),
        "charlie": NOW.isoformat(),
    }


def test_times_that_go_back_and_two_zones_are_all_read(project: Project) -> None:
    zone = (NOW - timedelta(hours=1)).astimezone(tz=None)
    elsewhere = "2025-06-02 16:30:00+05:30 - x - ERROR - bravo"  # 11:00 UTC
    too_old = "2025-06-01 07:59:59-04:00 - x - ERROR - charlie"  # a second before the window
    local = f"{zone:%Y-%m-%d %H:%M:%S},5 - x - ERROR - alpha"
    project.log(line("delta", 10), local, too_old, elsewhere, line("echo", DAY - 1))
    project.watch()
    assert sorted(project.kept()) == ["alpha", "bravo", "delta", "echo"]
    assert project.kept()["bravo"]["last_seen"] == "2025-06-02T11:00:00+00:00"


@pytest.mark.parametrize(("ago", "number"), [(DAY - 1, 2), (DAY + 1, 0)])
def test_where_no_time_is_written_the_files_time_decides(project: Project, ago: float, number: int) -> None:
    project.log("ERROR: alpha", "INFO: fine", "ERROR: bravo", ago=ago)
    assert seen(project.watch()) == (number, number)


def test_a_large_log_is_read_from_its_window_on(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.log(*(line(f"{'x' * 200} {number}", 10 * DAY - number, level="INFO") for number in range(12_000)))
    project.log(line("alpha", 10))
    starts = []
    real = records

    def noted(source: Any, find: Any, classifier: Any, start: int) -> Any:
        starts.append(start)
        return real(source, find, classifier, start)

    monkeypatch.setattr("tasks.logs.errors.error_scan.records", noted)
    assert seen(project.watch()) == (1, 1)
    size = (project.logs / "app.log").stat().st_size
    project.log(line("bravo", 0))
    assert seen(project.watch()) == (2, 1)
    assert starts[0] > size // 2
    assert project.counted() == 2


def test_what_was_written_since_is_read_even_before_the_window_begins(project: Project) -> None:
    project.log(line("alpha", 20 * DAY))
    project.watch(hours=-20 * 24)
    project.log(*(line(f"{'x' * 200} bravo", 19 * DAY - number) for number in range(12_000)))
    assert seen(project.watch()) == (0, 12_000)


# The last line


def test_a_line_that_is_still_written_is_left_for_the_next_visit(project: Project) -> None:
    project.log(line("alpha"), line("brav"), end="", ago=1)
    assert seen(project.watch()) == (1, 1)
    project.log("o", line("charlie"))
    assert seen(project.watch()) == (3, 2)
    assert sorted(project.kept()) == ["alpha", "bravo", "charlie"]


def test_the_only_line_of_a_log_is_left_while_it_is_still_written(project: Project) -> None:
    project.log(line("alph"), end="", ago=1)
    assert seen(project.watch()) == (0, 0)
    project.log("a")
    assert seen(project.watch()) == (1, 1)
    assert list(project.kept()) == ["alpha"]


@pytest.mark.parametrize(("ago", "number"), [(60, 1), (60.1, 2)])
def test_a_last_line_without_its_end_is_taken_when_nobody_writes_any_more(
    project: Project, ago: float, number: int
) -> None:
    project.log(line("alpha"), line("bravo"), end="", ago=ago)
    assert seen(project.watch()) == (number, number)


def test_a_long_last_line_is_left_as_well(project: Project) -> None:
    project.log(line("alpha"), line("bravo " + "x" * 100_000), end="", ago=1)
    assert seen(project.watch()) == (1, 1)
    project.log("")
    assert seen(project.watch()) == (2, 1)


def test_a_last_line_without_an_end_in_sight_is_taken(project: Project) -> None:
    project.log(line("alpha"), line("bravo " + "x" * 2_000_000), end="", ago=1)
    assert seen(project.watch()) == (2, 2)
    project.log("")
    assert seen(project.watch()) == (2, 0)


# Odd files


def test_a_log_that_is_a_link_is_not_read(project: Project, tmp_path: Path) -> None:
    (tmp_path / "outside.log").write_text(line("secret") + "\n")
    (project.logs / "link.log").symlink_to(tmp_path / "outside.log")
    os.mkfifo(project.logs / "pipe.log")
    project.log(line("alpha"))
    report = project.watch()
    finding = found(report, "logs.refused")
    assert (finding.status, finding.value) == (Status.WARNING, 2)
    assert "link.log (a symbolic link" in finding.message
    assert "pipe.log (not a regular file)" in finding.message
    assert list(project.kept()) == ["alpha"]


def test_binary_rubbish_harms_nothing(project: Project) -> None:
    (project.logs / "rubbish.log").write_bytes(bytes(range(256)) * 4000 + b"\nERROR \xff\xfe\x00 oh\n" + b"\0" * 5000)
    (project.logs / "empty.log").touch()
    project.log(line("alpha"))
    report = project.watch()
    assert "alpha" in project.kept()
    assert not every(report, "logs.unreadable")
    assert json.loads(project.tracking.read_text())


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_a_log_in_utf_16_is_read_once(project: Project, encoding: str) -> None:
    path = project.logs / "wide.log"
    path.write_bytes(f"\ufeff{line('grün')}\n".encode(encoding))
    project.age(path, 0)
    assert seen(project.watch()) == (1, 1)
    with path.open("ab") as file:
        file.write(f"{line('blau')}\n{line('half')}".encode(encoding))
    project.age(path, 0)
    assert seen(project.watch()) == (2, 1)
    project.age(path, 61)
    assert seen(project.watch()) == (3, 1)
    assert sorted(project.kept()) == ["blau", "grün", "half"]


def test_a_damaged_archive_is_unknown_and_the_rest_is_read(project: Project) -> None:
    import gzip

    month = project.logs / "archive/2025/06"
    month.mkdir(parents=True)
    packed = gzip.compress("\n".join(line(f"alpha {os.urandom(30).hex()}") for _ in range(5000)).encode())
    (month / "old_20250602.log.gz").write_bytes(packed[: len(packed) // 2])
    (month / "text_20250602.log.gz").write_text("no archive at all")
    project.log(line("bravo"))
    report = project.watch()
    assert report.status is Status.UNKNOWN
    assert {one.subject: one.message.partition("(")[0] for one in every(report, "logs.unreadable")} == {
        "logs/archive/2025/06/old_20250602.log.gz": "It is damaged ",
        "logs/archive/2025/06/text_20250602.log.gz": "It is damaged ",
    }
    assert not every(report, "errors.window")
    assert "bravo" in project.kept()
    assert project.counted() >= 1


def test_an_archive_folder_that_cannot_be_walked_is_unknown(project: Project, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (project.logs / "archive").symlink_to(tmp_path / "elsewhere")
    project.log(line("alpha"))
    report = project.watch()
    assert found(report, "logs.unreadable").subject == "logs/archive"
    assert list(project.kept()) == ["alpha"]


def test_while_the_archive_folder_cannot_be_walked_no_place_is_forgotten(project: Project, tmp_path: Path) -> None:
    import gzip

    month = project.logs / "archive/2025/06"
    month.mkdir(parents=True)
    (month / "gone_20250602.log.gz").write_bytes(gzip.compress(f"{line('alpha')}\n".encode()))
    project.watch()
    (project.logs / "archive").rename(tmp_path / "archive")
    (project.logs / "archive").symlink_to(tmp_path / "archive")
    project.watch()
    (project.logs / "archive").unlink()
    (tmp_path / "archive").rename(project.logs / "archive")
    assert seen(project.watch()) == (1, 0)


def test_an_archive_that_has_no_log_any_more_is_read_once(project: Project) -> None:
    import gzip

    month = project.logs / "archive/2025/06"
    month.mkdir(parents=True)
    (month / "gone_20250602.log.gz").write_bytes(gzip.compress(f"{line('alpha')}\n".encode()))
    assert seen(project.watch()) == (1, 1)
    assert seen(project.watch()) == (1, 0)
    project.log(line("bravo"), name="gone.log")
    assert seen(project.watch()) == (2, 1)


def test_a_log_that_cannot_be_read_keeps_its_place(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.log(line("alpha"), name="a.log")
    project.log(line("bravo"), name="b.log")
    project.watch()
    project.log(line("alpha"), name="a.log")
    project.log(line("bravo"), name="b.log")
    real = open_log

    def closed(root: Path, path: str) -> Any:
        if path == "logs/a.log":
            raise PermissionError(13, "Permission denied")
        return real(root, path)

    monkeypatch.setattr("tasks.logs.errors.error_scan.open_log", closed)
    report = project.watch()
    assert found(report, "logs.unreadable").message == "It cannot be read: Permission denied."
    assert (report.status, project.counted()) == (Status.UNKNOWN, 3)
    monkeypatch.undo()
    assert seen(project.watch()) == (4, 1)


def test_a_name_that_a_terminal_would_obey_is_escaped(project: Project) -> None:
    project.log(line("alpha\x1b[31m"), name="a\x1b[31m\n.log")
    report = project.watch()
    shown = [text for one in report.findings for text in (one.subject, one.message, one.remedy or "")]
    assert all(text.isprintable() for text in [report.summary, *shown, *report.files])
    assert all(text.isprintable() for row in report.data["groups"] for text in row.values() if isinstance(text, str))


def test_a_name_that_is_no_utf_8_survives(project: Project) -> None:
    name = os.fsdecode(b"\xff.log")
    project.log(line("alpha"), name=name)
    project.watch()
    project.log(line("alpha"), name=name)
    assert seen(project.watch()) == (2, 1)
    assert project.counted() == 2


@pytest.mark.slow
def test_ten_thousand_logs_take_no_age(project: Project) -> None:
    for number in range(10_000):
        (project.logs / f"worker-{number}.log").write_text(line(f"it broke in worker {number}") + "\n")
    started = time.process_time()
    assert seen(project.watch()) == (10_000, 10_000)
    assert seen(project.watch()) == (10_000, 0)
    assert time.process_time() - started < 60
    assert project.counted() == 10_000


# What is told


def test_an_alert_says_what_a_person_needs(project: Project) -> None:
    project.log(line("alpha", 100), line("alpha", 50), line("Disk full", 20, level="CRITICAL"))
    report = project.watch()
    path = "logs/alerts/alert_20250602_120000.json"
    assert report.files == [path, "logs/error_tracking.json"]
    assert [(one.verb, one.target, one.done) for one in report.actions] == [
        ("write", path, True),
        ("write", "logs/error_tracking.json", True),
    ]
    alert = json.loads((project.root / path).read_text())
    groups = {group["title"]: group for group in alert.pop("groups")}
    assert alert == {"schema": 1, "created": NOW.isoformat(), "window_hours": 24, "severity": "critical"}
    assert groups["alpha"] == {
        "group": project.kept()["alpha"]["key"],
        "state": "new",
        "level": "ERROR",
        "title": "alpha",
        "patterns": [],
        "in_window": 2,
        "count": 2,
        "first_seen": "2025-06-02T11:58:20+00:00",
        "last_seen": "2025-06-02T11:59:10+00:00",
        "log": "logs/app.log",
        "sample": "alpha",
    }
    assert groups["Disk full"]["patterns"] == ["Disk.*full"]


def test_a_storm_is_one_finding_and_one_alert_with_all_of_it(project: Project) -> None:
    project.log(*(line(word) for word in WORDS[:11]))
    report = project.watch()
    finding = found(report, "errors.new")
    assert (finding.status, finding.value, finding.unit) == (Status.WARNING, 11, "groups")
    assert finding.message.startswith('11 new groups: "')
    assert finding.message.endswith(" and 6 more.")
    (alert,) = project.alerts()
    assert {group["title"] for group in alert["groups"]} == set(WORDS[:11])


def test_ten_groups_are_no_storm_yet(project: Project) -> None:
    project.log(*(line(word) for word in WORDS[:10]))
    assert len(every(project.watch(), "errors.new")) == 10


def test_a_storm_with_something_critical_in_it_is_critical(project: Project) -> None:
    project.log(*(line(word) for word in WORDS), line("Disk full"))
    assert found(project.watch(), "errors.new").status is Status.CRITICAL


def test_two_alerts_within_a_second_are_two_files(project: Project) -> None:
    project.log(line("alpha"))
    project.watch()
    project.log(line("bravo"))
    project.watch()
    project.log(line("charlie"))
    project.watch()
    assert sorted(path.name for path in project.logs.glob("alerts/*")) == [
        "alert_20250602_120000.json",
        "alert_20250602_120000_2.json",
        "alert_20250602_120000_3.json",
    ]
    assert [alert["groups"][0]["title"] for alert in project.alerts()] == ["alpha", "bravo", "charlie"]


def test_what_was_told_and_forgotten_is_not_told_again(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(error_groups, "MOST", 2)
    project.log(line("alpha", 10), line("bravo", 20), line("charlie", 30))
    assert len(reported(project.watch())) == 3
    assert sorted(project.kept()) == ["alpha", "bravo"]
    report = project.watch(hours=1)
    assert (report.status, seen(report)) == (Status.OK, (3, 0))
    assert len(project.alerts()) == 1
    project.log(line("charlie", 0))
    assert reported(project.watch(hours=2)) == {"charlie": "new"}


def test_the_table_shows_what_is_new_first_and_is_cut(project: Project) -> None:
    project.log(*(line(word) for word in WORDS), *(line(f"{one} {two}") for one in WORDS for two in ("mike", "papa")))
    project.watch()
    project.log(*[line("november")] * 2)
    rows = project.watch().data["groups"]
    assert len(rows) == 20
    assert (rows[0]["title"], rows[0]["state"], rows[0]["window"]) == ("november", "new", 2)


# States, from visit to visit


def test_a_group_from_its_first_record_to_its_return(project: Project) -> None:
    def visited(hours: float, number: int) -> str | None:
        if number:
            now = NOW + timedelta(hours=hours)
            project.log(*(line("alpha", 60, now=now) for _ in range(number)), now=now)
        return reported(project.watch(hours)).get("alpha")

    assert visited(0, 1) == "new"
    assert visited(1, 1) is None
    assert visited(2, 7) is None  # nine in the window
    assert visited(3, 1) == "escalating"
    assert visited(4, 19) is None  # less than three times what was told
    assert visited(5, 1) == "escalating"
    assert visited(48, 0) is None
    assert project.kept()["alpha"]["state"] == "ongoing"
    assert visited(5 + 7 * 24, 0) is None
    assert project.kept()["alpha"]["state"] == "resolved"
    assert visited(6 + 7 * 24, 1) == "regressed"
    assert visited(7 + 7 * 24, 1) is None
    assert project.kept()["alpha"]["state"] == "ongoing"
    assert [alert["groups"][0]["state"] for alert in project.alerts()] == [
        "new",
        "escalating",
        "escalating",
        "regressed",
    ]
    assert project.counted() == 32


def test_a_group_that_somebody_resolved_comes_back_once(project: Project) -> None:
    project.log(line("alpha"))
    project.watch()
    key = project.kept()["alpha"]["key"]
    # written before somebody said so, and read only now
    project.log(line("alpha", 1))
    report = project.watch(hours=1, resolves=[key])
    assert report.status is Status.OK
    assert found(report, "errors.resolved").value == 1
    assert project.kept()["alpha"]["state"] == "resolved"
    project.log(line("alpha", -HOUR + 1))
    assert reported(project.watch(hours=2)) == {}
    assert project.kept()["alpha"]["state"] == "resolved"
    project.log(line("alpha", -HOUR - 1))
    report = project.watch(hours=3)
    assert reported(report) == {"alpha": "regressed"}
    assert found(report, "errors.regressed").message.startswith("Back again: alpha — 4 in the window, 4 in all")
    assert len(project.alerts()) == 2
    project.log(line("alpha", -3 * HOUR))
    assert reported(project.watch(hours=4)) == {}


def test_a_muted_group_is_counted_and_not_told_until_its_time_is_over(project: Project) -> None:
    project.log(line("Disk full"))
    project.watch()
    key = project.kept()["Disk full"]["key"]
    project.log(*[line("Disk full")] * 50)
    report = project.watch(hours=1, mutes=[key], until=NOW + timedelta(hours=10))
    assert report.status is Status.OK
    assert found(report, "errors.muted").message == "1 muted group with 51 records in the last 24 h, told before."
    kept = project.kept()["Disk full"]
    assert (kept["count"], kept["state"], kept["muted_until"]) == (51, "muted", "2025-06-02T22:00:00+00:00")
    assert project.watch(hours=9.9).status is Status.OK
    project.log(line("Disk full", -10 * HOUR))
    report = project.watch(hours=10)
    assert reported(report) == {"Disk full": "escalating"}
    assert len(project.alerts()) == 2


def test_a_muted_group_that_is_over_and_not_seen_is_ongoing(project: Project) -> None:
    project.log(line("alpha"))
    project.watch()
    project.watch(mutes=[project.kept()["alpha"]["key"]], until=NOW + timedelta(hours=1))
    project.watch(hours=2)
    assert project.kept()["alpha"]["state"] == "ongoing"


def test_a_resolved_group_can_be_muted_and_a_muted_one_resolved(project: Project) -> None:
    project.log(line("alpha"))
    project.watch()
    key = project.kept()["alpha"]["key"]
    project.watch(resolves=[key])
    project.watch(mutes=[key], until=NOW + timedelta(hours=1))
    assert (project.kept()["alpha"]["state"], project.kept()["alpha"]["resolved"]) == ("muted", None)
    project.watch(resolves=[key])
    assert (project.kept()["alpha"]["state"], project.kept()["alpha"]["muted_until"]) == ("resolved", None)


@pytest.mark.parametrize("part", [slice(0, 6), slice(2, 6), slice(0, None), slice(2, None)])
def test_the_beginning_of_a_name_is_enough(project: Project, part: slice) -> None:
    project.log(line("alpha"), line("bravo"))
    project.watch()
    key: str = project.kept()["alpha"]["key"]
    project.watch(resolves=[key[part]])
    assert {title: group["state"] for title, group in project.kept().items()} == {
        "alpha": "resolved",
        "bravo": "ongoing",
    }


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"mutes": ["1:"]}, "--mute GROUP needs --until DATE"),
        ({"until": NOW + timedelta(days=1)}, "name the group with --mute GROUP"),
        ({"mutes": ["1:"], "until": NOW}, "--until takes a date that is still to come; got 2025-06-02."),
        ({"mutes": ["1:"], "until": NOW - timedelta(days=1)}, "got 2025-06-01."),
        (
            {"mutes": ["nothing"], "until": NOW + timedelta(days=1)},
            "There is no group 'nothing' in error_tracking.json",
        ),
        ({"resolves": ["2:abc"]}, "There is no group '2:abc'"),
        ({"resolves": [""]}, "There is no group ''"),
        ({"resolves": ["1:"]}, "'1:' is the beginning of 2 groups: \""),
    ],
)
def test_what_cannot_be_meant_is_said_in_a_sentence_and_nothing_is_written(
    project: Project, arguments: dict[str, Any], complaint: str
) -> None:
    project.log(line("alpha"), line("bravo"))
    project.watch()
    project.log(line("charlie"))
    before = project.files()
    for dry_run in (False, True):
        with pytest.raises(UsageError) as caught:
            project.watch(**arguments, dry_run=dry_run)
        assert complaint in str(caught.value)
        assert "\n" not in str(caught.value)
        assert (before | {str(project.root): (0, b"")}) == (project.files() | {str(project.root): (0, b"")})


# Dry runs


def test_a_dry_run_tells_what_the_run_then_tells_and_writes_nothing(project: Project) -> None:
    project.log(line("alpha"), line("bravo"))
    project.watch()
    project.log(line("Disk full"), *[line("alpha")] * 20)
    resolved = project.kept()["bravo"]["key"]
    before = project.files()
    dry = project.watch(dry_run=True, resolves=[resolved])
    assert project.files() == before
    done = project.watch(resolves=[resolved])
    assert dry.findings == done.findings
    assert dry.metrics == done.metrics
    assert dry.data == done.data
    assert dry.summary == done.summary
    assert dry.dry_run
    assert not done.dry_run
    assert dry.files == []
    plan = [(one.verb, one.count, one.done) for one in dry.actions]
    assert plan == [("write", 1, False), ("write", 1, False)]
    assert dry.actions[0].target == "logs/alerts/alert_20250602_120000.json"


# What is kept


BROKEN: Sequence[tuple[str, bytes, str]] = (
    ("cut", b'{"schema": 1, "groups": {', "is no valid JSON"),
    ("list", b"[1, 2]", "Expected `object`, got `array`"),
    (
        "shape",
        b'{"schema": 1, "visited": "2025-06-01T00:00:00+00:00", "groups": 7}',
        "got `int` - at `$.groups`",
    ),
    ("newer", b'{"schema": 2, "visited": "2025-06-01T00:00:00+00:00"}', "Invalid enum value 2 - at `$.schema`"),
    ("never", b'{"schema": 1}', "missing required field `visited`"),
    ("binary", b"\xff\x00\x01", "is no valid JSON"),
)


@pytest.mark.parametrize(("content", "message"), [one[1:] for one in BROKEN], ids=[one[0] for one in BROKEN])
def test_tracking_that_cannot_be_used_is_kept_aside_and_begun_anew(
    project: Project, content: bytes, message: str
) -> None:
    project.log(line("alpha"))
    project.watch()
    project.tracking.write_bytes(content)
    dry = project.watch(hours=1, dry_run=True)
    assert message in found(dry, "errors.tracking").message
    assert project.tracking.read_bytes() == content
    report = project.watch(hours=1)
    finding = found(report, "errors.tracking")
    assert finding.status is Status.WARNING
    assert message in finding.message
    assert "It was kept as logs/error_tracking.json.broken-1 and a new one begun." in finding.message
    assert (project.logs / "error_tracking.json.broken-1").read_bytes() == content
    assert reported(report) == {"alpha": "new"}
    assert project.counted() == 1
    assert project.watch(hours=2).status is Status.OK


def test_an_empty_tracking_file_is_as_good_as_none(project: Project) -> None:
    project.tracking.touch()
    assert project.watch().status is Status.SKIPPED
    assert json.loads(project.tracking.read_text())["schema"] == 1


@pytest.mark.parametrize("sort", ["folder", "link", "large"])
def test_tracking_that_is_not_believed_is_kept_aside(project: Project, sort: str) -> None:
    if sort == "folder":
        project.tracking.mkdir()
    elif sort == "link":
        project.tracking.symlink_to("elsewhere.json")
    else:
        with project.tracking.open("wb") as file:
            file.truncate(10_000_001)
    project.log(line("alpha"))
    report = project.watch()
    assert "It was kept as logs/error_tracking.json.broken-1" in found(report, "errors.tracking").message
    assert project.watch(hours=1).status is Status.OK
    assert not (project.logs / "elsewhere.json").exists()


def test_tracking_that_must_not_be_replaced_is_unknown_and_told_again(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(state_files, "read_bytes", refuse)
    project.log(line("alpha"))
    dry = project.watch(dry_run=True)
    first, second = project.watch(), project.watch()
    assert found(dry, "errors.tracking") == found(first, "errors.tracking")
    assert [action.verb for action in dry.actions] == [action.verb for action in first.actions] == ["write"]
    for report in (first, second):
        finding = found(report, "errors.tracking")
        assert (report.status, finding.status) == (Status.UNKNOWN, Status.UNKNOWN)
        assert finding.message.endswith("What was told now will be told again.")
        assert reported(report) == {"alpha": "new"}
    assert len(project.alerts()) == 2
    assert not [path for path in project.logs.iterdir() if "broken" in path.name]


def test_a_run_that_ends_between_the_alert_and_the_tracking_tells_again(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.log(line("alpha"))

    def full(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(state_files, "write", full)
    report = project.watch()
    monkeypatch.undo()
    finding = found(report, "errors.tracking")
    assert finding.status is Status.UNKNOWN
    assert finding.message.startswith("logs/error_tracking.json cannot be written: No space left on device.")
    assert report.files == ["logs/alerts/alert_20250602_120000.json"]
    assert not project.tracking.exists()
    assert reported(project.watch(hours=1)) == {"alpha": "new"}
    assert len(project.alerts()) == 2
    assert project.counted() == 1


def test_an_alert_that_cannot_be_written_keeps_the_groups_untold(project: Project) -> None:
    (project.logs / "alerts").write_text("in the way")
    project.log(line("alpha"))
    report = project.watch()
    assert found(report, "errors.tracking").status is Status.UNKNOWN
    assert not project.tracking.exists()
    (project.logs / "alerts").unlink()
    assert reported(project.watch()) == {"alpha": "new"}
    assert len(project.alerts()) == 1


def test_a_folder_of_alerts_that_cannot_be_looked_into_is_unknown(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.log(line("alpha"))
    real = Path.stat

    def closed(path: Path, **keywords: Any) -> os.stat_result:
        if path.parent.name == "alerts":
            raise PermissionError(13, "Permission denied")
        return real(path, **keywords)

    monkeypatch.setattr(Path, "stat", closed)
    report = project.watch()
    finding = found(report, "errors.tracking")
    assert finding.status is Status.UNKNOWN
    assert finding.message.startswith("logs/alerts cannot be written: Permission denied.")


# Secrets

KEY = "zb-7f3a9c11d0e24b55b1aa"
SECRETS = (
    "sk-0123456789abcdef",
    "0a1b2c3d4e5f60718293a4b5",
    "hunter2hunter2",
    "MIIEpAIBAAKCAQEAx",
    "bGFzdGxpbmVvZnRoZWtleQ",
)


def secretive() -> list[str]:
    """Return records that hold secrets in every place that is kept or told."""
    pem = ["-----BEGIN RSA PRIVATE KEY-----", *["MIIEpAIBAAKCAQEAx" + "A1b2" * 11] * 30]
    return [
        line(f"refused: {KEY}"),
        line("key sk-0123456789abcdef rejected", level="WARNING") + " invalid API key",
        line("request failed"),
        "Traceback (most recent call last):",
        '  File "/srv/zbeam/api/client.py", line 12, in request',
        "    get(headers={'Authorization': 'Bearer 0a1b2c3d4e5f60718293a4b5'})",
        f"PermissionError: https://user:hunter2hunter2@host/?key={KEY}",
        *(line("x" * (600 - cut) + f" sk-0123456789abcdef{cut}") for cut in range(2, 30)),
        *(line("y" * (600 - cut) + f" {KEY}") for cut in range(2, 30)),
        line("the key file"),
        *pem,
        "bGFzdGxpbmVvZnRoZWtleQ==",
        "-----END RSA PRIVATE KEY-----",
    ]


def leaks(text: str) -> list[str]:
    """Return the secrets of which *text* shows a part."""
    parts = [secret[:8] for secret in (KEY, *SECRETS)]
    return [part for part in parts if part in text]


def test_secrets_appear_nowhere(project: Project) -> None:
    project.log(*secretive())
    report = project.watch(redact=redactor([KEY]))
    assert leaks(msgspec.json.encode(report).decode()) == []
    written = [path for path in project.logs.rglob("*.json") if path.is_file()]
    assert len(written) == 2
    for path in written:
        assert leaks(path.read_text()) == []
        assert "[redacted]" in path.read_text()


def test_a_sample_is_short(project: Project) -> None:
    project.log(line("x" * 5000), *(f"    line {number} {'y' * 700}" for number in range(80)))
    project.watch()
    (group,) = project.kept().values()
    lines = group["sample"].splitlines()
    assert len(lines) == 14
    assert max(map(len, lines)) <= 600
    assert lines[3] == "…"
    assert lines[-1].startswith("    line 79 ")


# Interruptions


def test_ctrl_c_reports_what_was_read_and_keeps_that(project: Project) -> None:
    for name in ("a.log", "b.log", "c.log"):
        project.log(*(line(name[0] * 4) for _ in range(600)), name=name)
    calls: list[int] = []

    def second_log(count: int) -> None:
        calls.append(count)
        if len(calls) == 3:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Interrupted) as caught:
        project.watch(advance=second_log)
    report = caught.value.report
    assert report.status is Status.UNKNOWN
    assert report.summary.startswith("interrupted: 600 errors")
    assert found(report, "errors.interrupted").remedy
    assert not every(report, "errors.window")
    assert report.metrics == []
    assert {title: group["count"] for title, group in project.kept().items()} == {"aaaa": 600}
    assert seen(project.watch()) == (1800, 1200)
    assert project.counted() == 1800


def test_a_wish_to_stop_before_a_log_begins_is_heard(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.log", "b.log"):
        project.log(line("alpha"), name=name)
    real: Callable[..., Any] = stream_segments

    def stopping(*arguments: Any, **keywords: Any) -> Any:
        yield from real(*arguments, **keywords)
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr("tasks.logs.errors.error_scan.stream_segments", stopping)
    with pytest.raises(Interrupted):
        project.watch()
    monkeypatch.undo()
    assert seen(project.watch()) == (2, 2)


def test_a_wish_to_stop_before_anything_is_read_is_heard(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.log(line("alpha"))
    project.watch()
    project.log(line("alpha"))

    def stopping(*arguments: Any) -> Any:
        os.kill(os.getpid(), signal.SIGTERM)
        return archives_by_log(*arguments)

    monkeypatch.setattr("tasks.logs.errors.error_scan.archives_by_log", stopping)
    with pytest.raises(Interrupted) as caught:
        project.watch()
    monkeypatch.undo()
    assert caught.value.report.summary.startswith("interrupted: 0 errors")
    assert seen(project.watch()) == (2, 1)


# Patterns that are too hard


@pytest.mark.parametrize("pattern", ["(?=disk)full", r"(disk) \1", "(?<!no )disk"])
def test_a_pattern_that_cannot_be_matched_is_unknown_and_names_the_setting(project: Project, pattern: str) -> None:
    project.set_logs(critical_patterns=("Disk.*full", pattern))
    project.log(line("alpha"))
    report = project.watch()
    finding = found(report, "logs.folder")
    assert finding.status is Status.UNKNOWN
    assert finding.message.startswith("maintenance.logs.critical_patterns: one of the patterns cannot be matched")
    assert not project.tracking.exists()


def test_without_patterns_errors_are_told_all_the_same(project: Project) -> None:
    project.set_logs(critical_patterns=())
    project.log(line("Disk full"))
    assert found(project.watch(), "errors.new").status is Status.WARNING

from __future__ import annotations

import gzip
import json
import os
import signal
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tasks.core.files import state_files
from tasks.core.report.model import Action, Finding, Interrupted, Report, Status
from tasks.core.secrets.redaction import redactor
from tasks.core.settings.model import LogSettings, Settings
from tasks.logs.reading.log_levels import Level
from tasks.logs.reading.log_source import open_log
from tasks.logs.review import log_review as reviewing
from tasks.logs.review.log_review import review
from tasks.logs.rotation.log_rotation import rotate

NOW = datetime(2025, 6, 2, 12, 0, 0, tzinfo=UTC)
HOUR = 3600.0
DAY = 24 * HOUR


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody pulls the plug here, and waiting until all is on the disk takes most of the time."""
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)


def line(message: str = "it broke", ago: float = 60, *, level: str = "ERROR") -> str:
    """Return a record that was written *ago* seconds before :data:`NOW`."""
    moment = (NOW - timedelta(seconds=ago)).isoformat(timespec="milliseconds")
    return f"{moment} - api.client - {level} - {message}"


class Project:
    """A project below *root* whose logs are reviewed at :data:`NOW`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.logs = root / "logs"
        self.logs.mkdir(parents=True)
        self.settings = Settings(root=str(root))

    def set_logs(self, **values: Any) -> None:
        """Give settings of the logs other values."""
        logs: LogSettings = msgspec.structs.replace(self.settings.logs, **values)
        self.settings = msgspec.structs.replace(self.settings, logs=logs)

    def log(self, *lines: str, name: str = "app.log", ago: float = 0, end: str = "\n") -> Path:
        """Append lines to a log that was last written *ago* seconds before :data:`NOW`."""
        path = self.logs / name
        with path.open("a", encoding="utf-8", newline="") as file:
            file.write("\n".join(lines) + end)
        moment = NOW.timestamp() - ago
        os.utime(path, (moment, moment))
        return path

    def review(self, hours: float = 0, **arguments: Any) -> Report:
        """Review the logs, so many hours after :data:`NOW`."""
        return review(self.settings, now=NOW + timedelta(hours=hours), **arguments)

    @property
    def history(self) -> Path:
        """The file of the sizes."""
        return self.logs / "log_review.json"

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


def numbers(report: Report) -> dict[str, float]:
    """Return the measured numbers."""
    return {metric.name.removeprefix("logs."): metric.value for metric in report.metrics if "pack" not in metric.name}


def levels(report: Report) -> tuple[float, float, float]:
    """Return the numbers of critical records, errors and warnings."""
    figures = numbers(report)
    return figures["critical"], figures["error"], figures["warning"]


def growth(report: Report) -> dict[str, str]:
    """Return how much each log grew."""
    return {row["log"].removeprefix("logs/"): row["growth"] for row in report.data["logs"]}


def recent(report: Report) -> list[str]:
    """Return the messages of the latest errors."""
    return [row["message"] for row in report.data.get("recent", ())]


# Folders


def test_without_a_log_folder_there_is_nothing_to_review(tmp_path: Path) -> None:
    for dry_run in (True, False):
        report = review(Settings(root=str(tmp_path)), now=NOW, dry_run=dry_run)
        assert (report.status, report.summary) == (Status.SKIPPED, "no log folder")
        assert (report.metrics, report.actions, report.files, report.data) == ([], [], [], {})
    assert list(tmp_path.iterdir()) == []


def test_an_empty_folder_is_all_right(project: Project) -> None:
    report = project.review()
    assert report.status is Status.SKIPPED
    assert report.summary == "no logs"
    assert found(report, "logs.folder").message.startswith("It holds no log.")
    assert "logs" not in report.data


def test_a_log_folder_that_is_a_file_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("")
    for dry_run in (True, False):
        report = review(Settings(root=str(tmp_path)), now=NOW, dry_run=dry_run)
        assert report.status is Status.UNKNOWN
        assert "is not a folder" in found(report, "logs.folder").message
        assert report.summary == "the logs could not be read"
        assert report.actions == []


# Counts


def test_levels_are_counted_per_log_and_in_all(project: Project) -> None:
    project.log(line(), line(), line(level="CRITICAL"), line(level="WARNING"), line(level="INFO"), name="a.log")
    project.log(line(level="WARNING"), line("errors=0, ERROR_COUNT=7", level="INFO"), name="b.log")
    project.log(line(level="DEBUG"), name="c.log")
    report = project.review()
    assert report.status is Status.WARNING
    assert levels(report) == (1, 2, 2)
    size = sum(path.stat().st_size for path in project.logs.glob("*.log"))
    assert numbers(report)["files"] == 3
    assert numbers(report)["bytes"] == size
    assert report.summary == f"3 errors and 2 warnings in 3 logs ({size} B)"
    finding = found(report, "logs.errors")
    assert (finding.subject, finding.value, finding.unit) == ("logs/a.log", 3, "errors")
    assert finding.message.startswith("1 critical record, 2 errors, 1 warning in ")
    assert finding.remedy
    clean = found(report, "logs.clean")
    assert clean.value == 2
    assert clean.message.startswith("2 logs without errors, 1 warning (")
    assert [{key: row[key] for key in ("log", "critical", "error", "warning")} for row in report.data["logs"]] == [
        {"log": "logs/a.log", "critical": 1, "error": 2, "warning": 1},
        {"log": "logs/b.log", "critical": 0, "error": 0, "warning": 1},
        {"log": "logs/c.log", "critical": 0, "error": 0, "warning": 0},
    ]


@pytest.mark.parametrize(
    ("lowest", "counted", "summary"),
    [
        (Level.WARNING, {"critical": 1, "error": 2, "warning": 3}, "3 errors and 3 warnings in 1 log"),
        (Level.ERROR, {"critical": 1, "error": 2}, "3 errors in 1 log"),
        (Level.CRITICAL, {"critical": 1}, "1 error in 1 log"),
    ],
)
def test_what_is_below_the_lowest_level_does_not_count(
    project: Project, lowest: Level, counted: dict[str, int], summary: str
) -> None:
    project.log(*[line(level="WARNING")] * 3, *[line("two")] * 2, line("one", level="CRITICAL"))
    report = project.review(lowest=lowest)
    assert {key: value for key, value in numbers(report).items() if key not in {"files", "bytes"}} == counted
    assert report.summary.startswith(summary)
    assert set(report.data["logs"][0]) - {"log", "size", "growth"} == set(counted)
    assert recent(report) == (["one"] if lowest is Level.CRITICAL else ["two", "two", "one"])
    assert ("warning" in found(report, "logs.errors").message) == (lowest is Level.WARNING)


def test_what_has_no_errors_is_clean_whatever_else_it_holds(project: Project) -> None:
    project.log(line(level="WARNING"))
    assert project.review(lowest=Level.ERROR).status is Status.OK
    assert found(project.review(lowest=Level.ERROR), "logs.clean").message == "1 log without errors (64 B)."


def test_only_what_was_written_since_counts(project: Project) -> None:
    project.log(line("old", 2 * HOUR + 1), line("edge", 2 * HOUR), line("new"), line("warned", level="WARNING"))
    report = project.review(since=NOW - timedelta(hours=2))
    assert levels(report) == (0, 2, 1)
    assert report.summary.startswith("2 errors and 1 warning since 2025-06-02 10:00 in 1 log (")
    assert recent(report) == ["edge", "new"]
    only = project.review(since=NOW - timedelta(hours=2), lowest=Level.ERROR)
    assert numbers(only)["error"] == 2
    assert "warning" not in numbers(only)


def test_since_a_moment_counts_all_of_free_text_by_the_files_time(project: Project) -> None:
    project.log("some ERROR happened", "and a WARNING too", name="fresh.log", ago=HOUR)
    project.log("some ERROR happened", name="old.log", ago=3 * HOUR)
    assert levels(project.review(since=NOW - timedelta(hours=2))) == (0, 1, 1)
    assert levels(project.review()) == (0, 2, 1)


def test_archives_count_when_they_are_asked_for(project: Project) -> None:
    project.log(line("packed"), line(level="WARNING"))
    rotate(project.settings, now=NOW - timedelta(hours=1))
    project.log(line("live", 1))
    assert levels(project.review()) == (0, 1, 0)
    report = project.review(archives=True)
    assert levels(report) == (0, 2, 1)
    assert recent(report) == ["packed", "live"]
    assert {row["log"]: row["growth"] for row in report.data["logs"]} == {
        "logs/archive/2025/06/app_20250602.log.gz": "unknown",
        "logs/app.log": "0 B",
    }
    since = project.review(archives=True, since=NOW - timedelta(seconds=30))
    assert levels(since) == (0, 1, 0)


def test_a_damaged_archive_is_unknown_and_the_rest_counts(project: Project) -> None:
    month = project.logs / "archive/2025/06"
    month.mkdir(parents=True)
    packed = gzip.compress("\n".join(line(os.urandom(400).hex()) for _ in range(5000)).encode())
    (month / "app_20250602.log.gz").write_bytes(packed[: len(packed) // 2])
    (month / "odd_20250602.log.gz").write_bytes(b"no archive")
    project.log(line())
    assert project.review().status is Status.WARNING
    report = project.review(archives=True)
    assert report.status is Status.UNKNOWN
    assert {one.subject.rpartition("/")[2] for one in every(report, "logs.unreadable")} == {
        "app_20250602.log.gz",
        "odd_20250602.log.gz",
    }
    assert all(one.message.startswith("It is damaged (") for one in every(report, "logs.unreadable"))
    assert numbers(report)["error"] > 1000


def test_an_archive_folder_that_cannot_be_walked_is_a_warning(project: Project, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (project.logs / "archive").symlink_to(tmp_path / "elsewhere")
    project.log(line())
    report = project.review()
    assert "archive (" in found(report, "logs.refused").message
    assert levels(report) == (0, 1, 0)


# The latest errors


def test_the_latest_errors_of_all_logs_are_shown_newest_last(project: Project) -> None:
    project.log(*(line(f"a{ago}", ago) for ago in (900, 500, 400, 100)), name="a.log")
    project.log(*(line(f"b{ago}", ago) for ago in (800, 450, 300)), name="b.log")
    project.log(line("c50", 50, level="CRITICAL"), line("w", 1, level="WARNING"), name="c.log")
    assert recent(project.review()) == ["b450", "a400", "b300", "a100", "c50"]
    project.set_logs(recent_errors=2)
    assert recent(project.review()) == ["a100", "c50"]
    assert recent(project.review(since=NOW - timedelta(hours=1))) == ["a100", "c50"]
    project.set_logs(recent_errors=0)
    assert "recent" not in project.review().data
    assert "recent" not in project.review(since=NOW - timedelta(hours=1)).data


def test_an_error_is_shown_with_the_last_line_of_its_traceback(project: Project) -> None:
    project.log(
        line("request failed", 90, level="CRITICAL"),
        "Traceback (most recent call last):",
        '  File "/srv/zbeam/api/client.py", line 12, in request',
        "TimeoutError: after 30 s",
        line("plain", 80),
    )
    rows = project.review().data["recent"]
    local = (NOW - timedelta(seconds=90)).astimezone()
    assert rows[0] == {
        "time": f"{local:%Y-%m-%d %H:%M:%S}",
        "log": "logs/app.log",
        "level": "CRITICAL",
        "message": "request failed",
        "raised": "TimeoutError: after 30 s",
    }
    assert (rows[1]["message"], rows[1]["raised"]) == ("plain", "")


def test_errors_of_a_large_log_are_found_at_its_end(project: Project) -> None:
    padding = [line("x" * 500, 3000, level="INFO")] * 3000
    project.log(line("first", 4000), *padding, line("second", 2000), *padding, line("third", 1000), *padding)
    assert recent(project.review()) == ["first", "second", "third"]


def test_secrets_are_not_shown(project: Project) -> None:
    key = "zb-7f3a9c11d0e24b55b1aa"
    messages = [
        f"refused {key}",
        "key sk-0123456789abcdef rejected",
        *("x" * (300 - cut) + f" {key}" for cut in range(2, 24)),
        *("x" * (300 - cut) + " sk-0123456789abcdef" for cut in range(2, 20)),
    ]
    for message in messages:
        project.log(line(message), f"ValueError: {message}")
    project.set_logs(recent_errors=100)
    report = project.review(redact=redactor([key]))
    text = msgspec.json.encode(report).decode()
    assert len(recent(report)) == len(messages)
    assert key[:8] not in text
    assert "sk-01234" not in text
    assert "[redacted]" in text
    assert max(map(len, recent(report))) == 300
    assert key[:8] not in project.history.read_text()


def test_an_error_whose_log_vanishes_meanwhile_is_left_out(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    path = project.log(line("a"), name="a.log")
    project.log(line("b"), name="b.log")
    real = reviewing._count_levels

    def vanishing(*arguments: Any) -> None:
        real(*arguments)
        path.unlink()

    monkeypatch.setattr(reviewing, "_count_levels", vanishing)
    assert recent(project.review()) == ["b"]


# Growth


def test_growth_is_told_since_the_last_review(project: Project) -> None:
    project.log(line())
    first = project.review()
    assert growth(first) == {"app.log": "unknown"}
    assert "more than" not in found(first, "logs.errors").message
    written = project.log(line("more")).stat().st_size
    before = json.loads(project.history.read_text())["logs"]["app.log"]["bytes"]
    report = project.review(1)
    assert growth(report) == {"app.log": f"{written - before} B"}
    assert found(report, "logs.errors").message.endswith(f", {written - before} B more than at the last review.")
    assert growth(project.review(2)) == {"app.log": "0 B"}
    project.log(line(), name="new.log")
    assert growth(project.review(3)) == {"app.log": "0 B", "new.log": "unknown"}


def test_growth_reaches_over_a_rotation(project: Project) -> None:
    project.log("x" * 99)
    project.review()
    project.log("y" * 49)
    rotate(project.settings, now=NOW + timedelta(hours=1))
    project.log("z" * 29)
    rotate(project.settings, now=NOW + timedelta(hours=2))
    project.log("z" * 9)
    assert growth(project.review(3)) == {"app.log": "90 B"}
    assert growth(project.review(4)) == {"app.log": "0 B"}


def test_growth_of_a_log_that_was_cut_or_replaced_is_unknown(project: Project) -> None:
    for name in ("cut.log", "replaced.log"):
        project.log("x" * 99, name=name)
    project.review()
    os.truncate(project.logs / "cut.log", 10)
    (project.logs / "replaced.log").rename(project.logs / "old")
    project.log("x" * 500, name="replaced.log")
    assert growth(project.review(1)) == {"cut.log": "unknown", "replaced.log": "unknown"}


def test_an_archive_with_an_odd_moment_tells_nothing(project: Project) -> None:
    from tasks.logs.log_archives import ArchiveOrigin, gzip_header

    project.log("x" * 99)
    project.review()
    month = project.logs / "archive/2025/06"
    month.mkdir(parents=True)
    for serial, rotated in enumerate(("soon", "2025-06-02T13:00:00"), 2):
        origin = ArchiveOrigin(log="app.log", device=1, inode=1, end=10, released=10, rotated=rotated)
        (month / f"app_20250602_{serial}.log.gz").write_bytes(gzip_header(origin, 0))
    assert growth(project.review(1)) == {"app.log": "0 B"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"schema": 1, "logs": {', "is no valid JSON"),
        (b"[]", "Expected `object`, got `array`"),
        (b'{"schema": 1}', "missing required field `reviewed`"),
        (b'{"schema": 2, "reviewed": "2025-06-01T00:00:00+00:00", "logs": {}}', "Invalid enum value 2"),
        (b'{"schema": 1, "reviewed": "2025-06-01T00:00:00", "logs": {}}', "with a timezone component"),
        (b'{"schema": 1, "reviewed": 7, "logs": {}}', "Expected `datetime`, got `int`"),
        (b'{"schema": 1, "reviewed": "2025-06-01T00:00:00+00:00", "logs": {"app.log": 7}}', "Expected `object`"),
        (b"\xff\x00", "is no valid JSON"),
    ],
)
def test_a_history_that_cannot_be_used_is_kept_aside_and_begun_anew(
    project: Project, content: bytes, message: str
) -> None:
    project.log(line(level="INFO"))
    project.history.write_bytes(content)
    dry = project.review(dry_run=True)
    assert message in found(dry, "logs.history").message
    report = project.review()
    finding = found(report, "logs.history")
    assert finding.status is Status.WARNING
    assert message in finding.message
    assert "It was kept as logs/log_review.json.broken-1 and a new one begun." in finding.message
    assert (project.logs / "log_review.json.broken-1").read_bytes() == content
    assert project.review(1).status is Status.OK


def test_a_history_that_must_not_be_replaced_is_left(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(state_files, "read_bytes", refuse)
    project.log(line(level="INFO"))
    report = project.review()
    assert found(report, "logs.history").status is Status.WARNING
    assert report.files == []
    assert growth(report) == {"app.log": "unknown"}
    dry = project.review(dry_run=True)
    assert found(dry, "logs.history") == found(report, "logs.history")
    assert (dry.actions, report.actions) == ([], [])


@pytest.mark.parametrize("refused", [True, False])
def test_a_history_that_cannot_be_written_is_a_warning(
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    refused: bool,  # noqa: FBT001 - a parameter
) -> None:
    from tasks.core.files.safe_files import Refused

    def failing(*_arguments: object) -> None:
        if refused:
            raise Refused("logs/log_review.json is something else.")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(state_files, "write", failing)
    report = project.review()
    reason = "is something else." if refused else "cannot be written: No space left on device."
    assert reason in found(report, "logs.history").message
    assert report.files == []


# Rotation


def test_a_log_over_the_limit_is_archived_and_a_smaller_one_is_not(project: Project) -> None:
    project.set_logs(rotate_over_mb=0.01)
    large = project.log(*[line()] * 170, name="large.log")
    edge = project.log("x" * 9_999, name="edge.log")
    size = large.stat().st_size
    assert edge.stat().st_size == 10_000
    before = project.files()
    dry = project.review(dry_run=True)
    assert project.files() == before
    report = project.review()
    assert [action for action in report.actions if action.verb == "archive"] == [
        Action(verb="archive", target="logs/large.log", bytes=size, done=True)
    ]
    assert [msgspec.structs.replace(action, done=False) for action in report.actions] == dry.actions
    assert found(dry, "logs.rotated").subject == found(report, "logs.rotated").subject == "logs/large.log"
    assert "would be archived" in found(dry, "logs.rotated").message
    assert large.stat().st_size == 0
    assert edge.stat().st_size == 10_000
    (archive,) = project.logs.glob("archive/2025/06/*")
    assert archive.name == "large_20250602.log.gz"
    assert len(gzip.decompress(archive.read_bytes())) == size
    assert levels(report) == levels(dry) == (0, 170, 0)
    after = project.review(1)
    assert levels(after) == (0, 0, 0)
    assert growth(after) == {"large.log": "0 B", "edge.log": "0 B"}


def test_a_dry_run_tells_what_the_run_then_tells(project: Project) -> None:
    project.log(line(), line(level="WARNING"))
    project.review()
    project.log(line("more"))
    before = project.files()
    dry = project.review(1, dry_run=True)
    assert project.files() == before
    done = project.review(1)
    assert dry.findings == done.findings
    assert dry.data == done.data
    assert dry.summary == done.summary
    assert numbers(dry) == numbers(done)
    assert [(one.verb, one.target, one.done) for one in dry.actions] == [("write", "logs/log_review.json", False)]
    assert (dry.files, done.files) == ([], ["logs/log_review.json"])


# Odd logs


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_a_log_in_utf_16_is_counted(project: Project, encoding: str) -> None:
    text = f"\ufeff{line('grün')}\r\n{line(level='WARNING')}\r\n{line('last')}"
    (project.logs / "wide.log").write_bytes(text.encode(encoding))
    report = project.review()
    assert levels(report) == (0, 2, 1)
    assert recent(report) == ["grün", "last"]
    assert levels(project.review(since=NOW - timedelta(hours=1))) == (0, 2, 1)


def test_free_text_is_counted_line_by_line(project: Project) -> None:
    project.log("starting", "some ERROR happened", "no error here", "a WARNING: careful", "ERROR_COUNT=3")
    assert levels(project.review()) == (0, 1, 1)


def test_binary_rubbish_and_an_endless_line_harm_nothing(project: Project) -> None:
    (project.logs / "rubbish.log").write_bytes(bytes(range(256)) * 10_000)
    (project.logs / "long.log").write_bytes(b"ERROR: " + b"x" * 3_000_000)
    (project.logs / "empty.log").touch()
    project.log(line("\udcff".encode("utf-8", "surrogateescape").decode("latin-1")))
    report = project.review()
    assert numbers(report)["files"] == 4
    assert numbers(report)["error"] == 2
    assert len(max(recent(report), key=len)) == 300


def test_a_log_that_is_a_link_is_not_read(project: Project, tmp_path: Path) -> None:
    (tmp_path / "outside.log").write_text(line() + "\n")
    (project.logs / "link.log").symlink_to(tmp_path / "outside.log")
    report = project.review()
    assert report.status is Status.WARNING
    assert "link.log (a symbolic link" in found(report, "logs.refused").message
    assert numbers(report)["files"] == 0


def test_a_log_that_cannot_be_read_is_unknown_and_the_rest_counts(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.log(line(), name="a.log")
    project.log(line(), name="b.log")
    real = open_log

    def closed(root: Path, path: str) -> Any:
        if path == "logs/a.log":
            raise PermissionError(13, "Permission denied")
        return real(root, path)

    monkeypatch.setattr("tasks.logs.review.level_counts.open_log", closed)
    report = project.review()
    finding = found(report, "logs.unreadable")
    assert (finding.subject, finding.status) == ("logs/a.log", Status.UNKNOWN)
    assert levels(report) == (0, 1, 0)
    assert not every(report, "logs.clean")


def test_a_name_that_a_terminal_would_obey_is_escaped(project: Project) -> None:
    project.log(line("\x1b[31mred"), "Value\x1b[2JError: y", name="a\x1b[31m\n.log")
    report = project.review()
    texts = [report.summary]
    texts += [text for one in report.findings for text in (one.subject, one.message, one.remedy or "")]
    texts += [str(value) for rows in report.data.values() for row in rows for value in row.values()]
    assert all(text.isprintable() for text in texts)


def test_of_many_logs_with_errors_the_worst_are_told_one_by_one(project: Project) -> None:
    for number in range(25):
        project.log(*[line()] * (number + 1), name=f"log-{number}.log")
    report = project.review()
    findings = every(report, "logs.errors")
    assert len(findings) == 21
    assert [one.value for one in findings[:20]] == list(range(25, 5, -1))
    assert findings[20].value == 15
    assert findings[20].subject == "logs"
    assert findings[20].message.startswith('5 further logs with 15 errors: "logs/log-4.log", ')
    assert len(report.data["logs"]) == 20
    assert sum(int(one.value or 0) for one in findings) == 325


def test_twenty_logs_with_errors_are_told_one_by_one(project: Project) -> None:
    for number in range(20):
        project.log(line(), name=f"log-{number}.log")
    assert {one.subject for one in every(project.review(), "logs.errors")} == {
        f"logs/log-{number}.log" for number in range(20)
    }


@pytest.mark.slow
def test_ten_thousand_logs_take_no_age(project: Project) -> None:
    for number in range(10_000):
        (project.logs / f"worker-{number}.log").write_text(line() + "\n")
    started = time.process_time()
    report = project.review()
    assert levels(report) == (0, 10_000, 0)
    assert levels(project.review(1)) == (0, 10_000, 0)
    assert time.process_time() - started < 60
    assert len(report.findings) == 21


# Interruptions


@pytest.mark.parametrize("since", [None, NOW - timedelta(hours=1)])
def test_ctrl_c_reports_what_was_counted_and_keeps_nothing(project: Project, since: datetime | None) -> None:
    for name in ("a.log", "b.log", "c.log"):
        project.log(line(name), name=name)
    calls: list[int] = []

    def second_log(count: int) -> None:
        calls.append(count)
        if len(calls) == 2:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Interrupted) as caught:
        project.review(since=since, advance=second_log)
    report = caught.value.report
    assert report.status is Status.UNKNOWN
    assert report.summary.startswith("interrupted: 2 errors and 0 warnings")
    assert report.summary.endswith("until then")
    assert found(report, "logs.interrupted").remedy
    assert report.metrics == []
    assert not project.history.exists()


@pytest.mark.parametrize("since", [None, NOW - timedelta(hours=1)])
def test_ctrl_c_in_the_middle_of_a_log_is_heard(project: Project, since: datetime | None) -> None:
    project.log(*[line("x" * 500)] * 6000)
    with pytest.raises(Interrupted) as caught:
        project.review(since=since, advance=lambda _count: os.kill(os.getpid(), signal.SIGINT))
    (row,) = caught.value.report.data["logs"]
    assert 0 < row["error"] < 6000

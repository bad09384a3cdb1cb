from __future__ import annotations

import gzip
import json
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import jsonschema
import pytest

from .conftest import INV, PATIENCE, REPOSITORY, Inv, Result, fingerprint, recorded
from .test_error_monitor import TRACEBACK, add, record

TASK = "daily.log-review"


@pytest.fixture
def logs(project: Path) -> Path:
    """A folder with a log that holds no errors."""
    logs = project / "logs"
    logs.mkdir()
    (logs / "zbeam.log").write_text(record("started", level="INFO") + record("slow", level="WARNING"))
    return logs


def numbers(result: Result) -> dict[str, float]:
    """Return the measured numbers by their names."""
    return {metric["name"].removeprefix("logs."): metric["value"] for metric in result.report["metrics"]}


def run_with(prefix: list[str], environment: Mapping[str, str]) -> Result:
    done = subprocess.run(
        [*prefix, INV, TASK],
        cwd=REPOSITORY,
        env={**environment, "INVOKE_MAINTENANCE_OUTPUT": "json"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return Result(done.returncode, done.stdout, done.stderr)


def test_logs_without_errors_are_all_right(logs: Path, inv: Inv) -> None:
    result = inv(TASK)
    assert result.status == 0, result.err
    assert result.report["task"] == TASK
    assert result.report["summary"].startswith("0 errors and 1 warning in 1 log (")
    assert result.report["files"] == ["logs/log_review.json"]
    assert set(json.loads((logs / "log_review.json").read_text())["logs"]) == {"zbeam.log"}


def test_errors_are_counted_and_the_latest_shown(logs: Path, inv: Inv) -> None:
    add(logs, *(record(f"failure {number}", hours=6 - number) for number in range(4)))
    add(logs, record("request failed", hours=1.5, level="CRITICAL"), TRACEBACK, record("late"), name="api.log")
    result = inv(TASK)
    assert result.status == 1
    figures = numbers(result)
    assert (figures["critical"], figures["error"], figures["warning"], figures["files"]) == (1, 5, 1, 2)
    assert {one["subject"]: one["value"] for one in result.findings("logs.errors")} == {
        "logs/zbeam.log": 4,
        "logs/api.log": 2,
    }
    recent = result.report["data"]["recent"]
    assert [row["message"] for row in recent] == ["failure 1", "failure 2", "failure 3", "request failed", "late"]
    assert recent[3]["raised"] == "TimeoutError: slow"


def test_the_latest_errors_show_no_secret(logs: Path, inv: Inv) -> None:
    key = "nvapi-" + "q7Rk2mPz9Xw4Lk3Vb6Ny8Tc5" * 3
    said = (
        f"asking with {key} failed",
        "curl -u ci:q7Rk2mPz9Xw4 https://x.zbeam.dev ended with 22",
        f"{'the request was long ' * 30}password=q7Rk2mPz9Xw4",
        "no answer from https://hooks.slack.com/services/T0AB/B0CD/q7Rk2mPz9Xw4Lk3Vb6Ny",
        "placeholder sk-your-key-here in use",
    )
    add(logs, *(record(text, hours=9 - number) for number, text in enumerate(said)))
    for result in (inv(TASK), inv(TASK, json=False)):
        assert "q7Rk2mPz9Xw4" not in result.out
        assert "sk-your-key-here" in result.out
        assert "asking with [redacted] failed" in result.out


@pytest.mark.parametrize("folder", [True, False])
def test_without_logs_there_is_nothing_to_tell(project: Path, inv: Inv, folder: bool) -> None:  # noqa: FBT001 - a parameter
    if folder:
        (project / "logs").mkdir()
    result = inv(TASK)
    assert result.status == 0
    assert result.report["status"] == "skipped"
    assert inv(TASK).report["status"] == "skipped"  # what the suite itself has written is no log
    written = {path.name for path in project.rglob("*") if path.is_file()}
    assert {run["task"] for run in recorded(project)} == {TASK}
    assert folder or len(written) == 2


def test_the_json_document_is_what_its_schema_says(logs: Path, inv: Inv) -> None:
    add(logs, record(), record("Disk full"))
    schema = json.loads(inv("report.schema", json=False).out)
    for arguments in ([TASK, "--dry-run"], [TASK], [TASK, "--archives", "--level=critical", "--since=7d"]):
        jsonschema.Draft202012Validator(schema).validate(inv(*arguments).document)


def test_a_dry_run_changes_nothing_and_tells_what_the_run_then_tells(logs: Path, project: Path, inv: Inv) -> None:
    add(logs, *[record("x" * 1000)] * 30)
    add(logs, record("small"), name="small.log")
    env = {"INVOKE_MAINTENANCE_LOGS_ROTATE_OVER_MB": "0.02"}
    before = fingerprint(project)
    plans = [inv(*arguments, env=env) for arguments in ([TASK, "--dry-run"], ["-R", TASK], ["--dry", TASK])]
    assert fingerprint(project) == before
    done = inv(TASK, env=env)

    for plan in plans:
        assert plan.status == done.status == 1
        assert [(one["check"], one["subject"], one["status"], one["value"]) for one in plan.report["findings"]] == [
            (one["check"], one["subject"], one["status"], one["value"]) for one in done.report["findings"]
        ]
        assert plan.report["data"] == done.report["data"]
        assert [(one["verb"], one["target"]) for one in plan.report["actions"]] == [
            ("archive", "logs/zbeam.log"),
            ("write", "logs/log_review.json"),
        ]
        assert plan.report["files"] == []
        assert not any(action["done"] for action in plan.report["actions"])
    (archive,) = logs.glob("archive/*/*/*.gz")
    assert gzip.decompress(archive.read_bytes()).count(b"ERROR") == 30
    assert (logs / "small.log").stat().st_size
    assert inv(TASK, env=env).findings("logs.rotated") == []


@pytest.mark.parametrize(
    ("arguments", "errors"),
    [
        (["--since", "24h"], 2),
        (["--since", "90min"], 1),
        (["--since=7d"], 3),
        (["--since", "2020-01-31"], 4),
        (["--since", "2020-01-31 12:00"], 4),
        (["--since", "2020-01-31T12:00:00+05:30"], 4),
        (["--since", "2999-01-31"], 0),
        ([], 4),
    ],
)
def test_only_what_was_written_since_counts(logs: Path, inv: Inv, arguments: list[str], errors: int) -> None:
    add(logs, *(record(hours=hours) for hours in (24 * 30, 48, 3, 0.5)))
    result = inv(TASK, *arguments)
    assert result.status == (1 if errors else 0)
    assert numbers(result)["error"] == errors


def test_a_level_and_the_archives_can_be_asked_for(logs: Path, inv: Inv) -> None:
    add(logs, record("alpha"), record("bravo", level="CRITICAL"))
    inv("weekly.log-rotation")
    add(logs, record("charlie"))
    assert numbers(inv(TASK))["error"] == 1
    every = numbers(inv(TASK, "--archives"))
    assert (every["critical"], every["error"], every["warning"]) == (1, 2, 1)
    critical = numbers(inv(TASK, "--archives", "--level", "Critical"))
    assert critical["critical"] == 1
    assert not {"error", "warning"} & set(critical)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--since", "yesterday"], "--since takes a time span or a moment"),
        (["--since=999999999d"], "got '999999999d'"),
        (["--since="], "got ''"),
        (["--level", "info"], "--level takes warning, error, critical; got 'info'."),
    ],
)
def test_an_argument_that_cannot_be_used_ends_the_run_before_anything_happens(
    logs: Path, project: Path, inv: Inv, arguments: list[str], complaint: str
) -> None:
    before = fingerprint(project)
    result = inv("daily.error-monitor", TASK, *arguments)
    assert result.status == 64
    assert complaint in result.err
    assert result.out == ""
    assert fingerprint(project) == before
    assert logs.exists()


def test_help_names_every_flag_and_file(inv: Inv) -> None:
    out = inv("--help", TASK, json=False).out
    for word in ("--archives", "--dry-run", "--level", "--since", "log_review.json", "weekly.log-rotation"):
        assert word in out
    assert "log-review" in inv("--list", "daily", json=False).out


def test_growth_is_told_over_a_rotation_and_unknown_after_a_cut(logs: Path, inv: Inv) -> None:
    inv(TASK)
    more = "x" * 99 + "\n"
    add(logs, more)
    inv("weekly.log-rotation")
    add(logs, more)
    second = inv(TASK)
    assert [row["growth"] for row in second.report["data"]["logs"]] == ["200 B"]
    (logs / "zbeam.log").write_text("")
    assert [row["growth"] for row in inv(TASK).report["data"]["logs"]] == ["unknown"]


@pytest.mark.slow
def test_a_log_that_cannot_be_read_is_unknown_and_the_rest_counts(
    logs: Path, environment: dict[str, str], without_privileges: list[str]
) -> None:
    add(logs, record("hidden"), name="closed.log").chmod(0)
    add(logs, record("alpha"))
    result = run_with(without_privileges, environment)
    assert result.status == 3
    assert result.findings("logs.unreadable")[0]["subject"] == "logs/closed.log"
    assert numbers(result)["error"] == 1


@pytest.mark.slow
def test_a_log_folder_that_cannot_be_read_is_unknown(
    logs: Path, environment: dict[str, str], without_privileges: list[str]
) -> None:
    logs.chmod(0)
    try:
        result = run_with(without_privileges, environment)
    finally:
        logs.chmod(0o755)
    assert result.status == 3
    assert "Permission denied" in result.findings("logs.folder")[0]["message"]


def test_odd_files_harm_nothing(logs: Path, tmp_path: Path, inv: Inv) -> None:
    (tmp_path / "outside.log").write_text(record())
    (logs / "link.log").symlink_to(tmp_path / "outside.log")
    (logs / "binary.log").write_bytes(bytes(range(256)) * 5000)
    (logs / "wide.log").write_bytes(f"\ufeff{record('grün')}".encode("utf-16-le"))
    (logs / "free.log").write_text("some ERROR happened\nno error here\n")
    month = logs / "archive/2025/06"
    month.mkdir(parents=True)
    (month / "cut_20250602.log.gz").write_bytes(gzip.compress(record().encode() * 100)[:-20])
    result = inv(TASK)
    assert result.status == 1
    assert numbers(result)["error"] == 2
    assert "link.log (a symbolic link" in result.findings("logs.refused")[0]["message"]
    archives = inv(TASK, "--archives")
    assert archives.status == 3
    assert archives.findings("logs.unreadable")[0]["subject"] == "logs/archive/2025/06/cut_20250602.log.gz"


@pytest.mark.parametrize("content", [b'{"schema": 1, "logs"', b"[]", b'{"schema": 99}', b"\xff\x00"])
def test_a_history_that_cannot_be_used_is_kept_aside(logs: Path, inv: Inv, content: bytes) -> None:
    (logs / "log_review.json").write_bytes(content)
    result = inv(TASK)
    assert result.status == 1
    assert "logs/log_review.json.broken-1" in result.findings("logs.history")[0]["message"]
    assert (logs / "log_review.json.broken-1").read_bytes() == content
    assert inv(TASK).status == 0


def test_text_shows_the_latest_errors_and_the_verdict(logs: Path, inv: Inv) -> None:
    add(logs, record("alpha \x1b[31mred"), TRACEBACK)
    result = inv(TASK, json=False)
    lines = result.out.splitlines()
    assert lines[0].startswith(f"{TASK}  warning  1 error and 1 warning in 1 log (")
    assert any("TimeoutError: slow" in text for text in lines)
    assert lines[-1].startswith("verdict: warning")
    assert "\x1b" not in result.out


@pytest.mark.slow
def test_a_second_changing_run_says_who_is_at_work_and_writes_nothing(logs: Path, project: Path, inv: Inv) -> None:
    (project / ".maintenance.lock").write_text("")
    script = "import fcntl,sys; f=open(sys.argv[1],'r+'); fcntl.flock(f,2); print(1,flush=True); input()"
    holder = subprocess.Popen(
        [sys.executable, "-c", script, str(project / ".maintenance.lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout
    with holder:
        holder.stdout.readline()
        before = fingerprint(logs)
        result, dry = inv(TASK), inv(TASK, "--dry-run")
        assert fingerprint(logs) == before
        holder.terminate()
    assert result.status == 3
    assert len(result.findings("run.lock")) == 1
    assert dry.status == 0


@pytest.mark.slow
def test_many_logs_take_no_age(logs: Path, inv: Inv) -> None:
    moment = datetime.now().astimezone() - timedelta(hours=1)
    for number in range(10_000):
        (logs / f"worker-{number}.log").write_text(f"{moment:%Y-%m-%d %H:%M:%S} - x - ERROR - it broke\n")
    started = time.process_time()
    result = inv(TASK)
    assert time.process_time() - started < 40
    assert numbers(result)["error"] == 10_000
    assert result.findings("logs.errors")[-1]["message"].startswith("9,980 further logs with 9,980 errors: ")

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from .conftest import HISTORY, HOUR, INV, PATIENCE, REPOSITORY, Inv, Result, fingerprint, handles, wait_until

TASK = "daily.error-monitor"


def record(message: str = "it broke", *, hours: float = 0.1, level: str = "ERROR") -> str:
    """Return a record that was written *hours* ago."""
    moment = datetime.now().astimezone() - timedelta(hours=hours)
    return f"{moment:%Y-%m-%d %H:%M:%S},{moment.microsecond // 1000:03} - api.client - {level} - {message}\n"


TRACEBACK = """Traceback (most recent call last):
  File "/srv/zbeam/api/client.py", line 12, in request
    raise TimeoutError("slow")
TimeoutError: slow
"""


@pytest.fixture
def logs(project: Path) -> Path:
    """A folder with a log that holds nothing to tell of."""
    logs = project / "logs"
    logs.mkdir()
    (logs / "zbeam.log").write_text(record("started", level="INFO") + record("slow", level="WARNING"))
    return logs


def add(logs: Path, *records: str, name: str = "zbeam.log") -> Path:
    path = logs / name
    with path.open("a") as file:
        file.write("".join(records))
    return path


def kept(logs: Path) -> dict[str, dict[str, Any]]:
    """Return the groups that are kept, by their titles."""
    groups = json.loads((logs / "error_tracking.json").read_text())["groups"]
    return {group["title"]: {"key": key, **group} for key, group in groups.items()}


def counted(logs: Path) -> int:
    return sum(group["count"] for group in kept(logs).values())


def alerts(logs: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted(logs.glob("alerts/*.json"))]


def run_with(prefix: list[str], environment: Mapping[str, str], *arguments: str) -> Result:
    done = subprocess.run(
        [*prefix, INV, *(arguments or (TASK,))],
        cwd=REPOSITORY,
        env={**environment, "INVOKE_MAINTENANCE_OUTPUT": "json"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return Result(done.returncode, done.stdout, done.stderr)


# The good case, and what is found


def test_logs_without_errors_are_all_right(logs: Path, inv: Inv) -> None:
    result = inv(TASK)
    assert result.status == 0, result.err
    assert result.report["task"] == TASK
    assert result.report["summary"] == "0 errors in the last 24 h, 0 groups to look at, 0 known"
    assert result.findings("errors.window")[0]["message"] == "1 log read: 0 records in the window, 0 not seen before."
    assert result.report["files"] == ["logs/error_tracking.json"]
    assert kept(logs) == {}
    assert not (logs / "alerts").exists()


def test_a_new_error_is_a_warning_once(logs: Path, inv: Inv) -> None:
    add(logs, record("request 17 failed"), TRACEBACK, record("old", hours=25))
    first, second = inv(TASK), inv(TASK)

    assert (first.status, second.status) == (1, 0)
    (finding,) = first.findings("errors.new")
    assert finding["message"] == "New: TimeoutError: slow — 1 in the window, 1 in all, last in logs/zbeam.log."
    assert second.findings("errors.ongoing")[0]["value"] == 1
    (alert,) = alerts(logs)
    assert alert["groups"][0]["sample"] == f"request 17 failed\n{TRACEBACK}".rstrip()
    assert (alert["severity"], alert["window_hours"]) == ("warning", 24)
    (path,) = (logs.parent / path for path in first.report["files"] if "alerts" in path)
    assert path.is_file()
    assert counted(logs) == 1


def test_a_critical_pattern_is_critical_and_stays_a_warning(logs: Path, inv: Inv) -> None:
    add(logs, record("Invalid API key given", level="WARNING"))
    first, second = inv(TASK), inv(TASK)

    assert (first.status, second.status) == (2, 1)
    assert first.findings("errors.new")[0]["status"] == "critical"
    assert second.findings("errors.ongoing")[0]["status"] == "warning"
    assert len(alerts(logs)) == 1


def test_a_storm_of_errors_is_one_finding_and_one_alert(logs: Path, inv: Inv) -> None:
    words = ("alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india", "juliet", "kilo")
    add(logs, *map(record, words))
    result = inv(TASK)
    assert result.status == 1
    (finding,) = result.findings("errors.new")
    assert (finding["value"], finding["unit"]) == (11, "groups")
    (alert,) = alerts(logs)
    assert {group["title"] for group in alert["groups"]} == set(words)


@pytest.mark.parametrize("folder", [True, False])
def test_without_logs_there_is_nothing_to_tell(project: Path, inv: Inv, folder: bool) -> None:  # noqa: FBT001 - a parameter
    if folder:
        (project / "logs").mkdir()
    result = inv(TASK)
    assert result.status == 0
    assert result.report["status"] == "skipped"
    assert inv(TASK).report["status"] == "skipped"  # what the suite itself has written is no log
    written = {path.name for path in project.rglob("*") if path.is_file()}
    assert Path(HISTORY).name in written
    assert folder or len(written) == 2


def test_the_json_document_is_what_its_schema_says(logs: Path, inv: Inv) -> None:
    add(logs, record(), record("Disk full"))
    schema = json.loads(inv("report.schema", json=False).out)
    for arguments in ([TASK, "--dry-run"], [TASK], [TASK], ["daily"], [TASK, "--resolve", "no such group"]):
        document = inv(*arguments).document
        jsonschema.Draft202012Validator(schema).validate(document)
        assert datetime.fromisoformat(document["started"]).tzinfo is not None


def test_a_dry_run_changes_nothing_and_tells_what_the_run_then_tells(logs: Path, project: Path, inv: Inv) -> None:
    add(logs, record("alpha"))
    inv(TASK)
    add(logs, record("bravo"), record("Disk full"))
    before = fingerprint(project)
    plans = [inv(TASK, "--dry-run"), inv("-R", TASK), inv("--dry", TASK)]
    assert fingerprint(project) == before
    done = inv(TASK)

    for plan in plans:
        assert plan.status == done.status == 2
        assert plan.report["findings"] == done.report["findings"]
        assert plan.report["metrics"] == done.report["metrics"]
        assert plan.report["data"] == done.report["data"]
        assert plan.report["files"] == []
        assert [action["verb"] for action in plan.report["actions"]] == ["write", "write"]
        assert not any(action["done"] for action in plan.report["actions"])
    assert len(alerts(logs)) == 2
    every = inv("--dry", "daily")
    assert [report["dry_run"] for report in every.document["reports"]] == [True, True, True]


def test_text_tells_the_problem_its_remedy_and_the_verdict(logs: Path, inv: Inv) -> None:
    add(logs, record("alpha \x1b[31mred"))
    result = inv(TASK, json=False)
    lines = result.out.splitlines()
    assert lines[0] == f"{TASK}  warning  1 error in the last 24 h, 1 group to look at, 0 known"
    assert lines[2].lstrip().startswith("→ Mend what causes it; then --resolve 1:")
    assert lines[-1].startswith("verdict: warning")
    assert "\x1b" not in result.out


def test_help_names_every_flag_and_file(inv: Inv) -> None:
    out = inv("--help", TASK, json=False).out
    words = ("--dry-run", "--mute", "--resolve", "--until", "error_tracking.json", "alerts/alert_YYYYMMDD_HHMMSS.json")
    for word in words:
        assert word in out
    assert "error-monitor" in inv("--list", "daily", json=False).out


def test_the_window_and_the_patterns_are_settings(logs: Path, inv: Inv) -> None:
    add(logs, record("laser misaligned", hours=2), record("old", hours=4))
    env = {"INVOKE_MAINTENANCE_LOGS_WINDOW_HOURS": "3", "INVOKE_MAINTENANCE_LOGS_CRITICAL_PATTERNS": "mis.*laser"}
    result = inv(TASK, env=env)
    assert result.status == 2
    assert list(kept(logs)) == ["laser misaligned"]


@pytest.mark.parametrize("pattern", ["(?=disk)full", r"(disk) \1"])
def test_a_pattern_that_cannot_be_matched_names_the_setting_before_anything_runs(
    logs: Path, inv: Inv, pattern: str
) -> None:
    before = fingerprint(logs)
    result = inv(TASK, env={"INVOKE_MAINTENANCE_LOGS_CRITICAL_PATTERNS": pattern})
    assert result.status == 78
    assert "maintenance.logs.critical_patterns" in result.err
    assert fingerprint(logs) == before


# What people say of the groups


def test_a_group_is_resolved_comes_back_and_is_muted(logs: Path, inv: Inv) -> None:
    add(logs, record("alpha"), record("bravo"))
    inv(TASK)
    key = kept(logs)["alpha"]["key"]
    assert inv(TASK, "--resolve", key[2:8]).status == 0
    assert kept(logs)["alpha"]["state"] == "resolved"
    time.sleep(0.01)  # a record tells its time in whole milliseconds
    add(logs, record("alpha", hours=0))
    back = inv(TASK)
    assert back.status == 1
    assert back.findings("errors.regressed")[0]["subject"] == key
    assert len(alerts(logs)) == 2
    add(logs, *[record("alpha")] * 50)
    tomorrow = f"{datetime.now().astimezone() + timedelta(days=1):%Y-%m-%d}"
    muted = inv(TASK, "--mute", key, "--mute", kept(logs)["bravo"]["key"], "--until", tomorrow)
    assert muted.status == 0
    assert {group["state"] for group in kept(logs).values()} == {"muted"}
    assert kept(logs)["alpha"]["muted_until"].startswith(f"{tomorrow}T23:59:59")
    assert kept(logs)["alpha"]["count"] == 52
    assert len(alerts(logs)) == 2


@pytest.mark.parametrize(
    ("arguments", "status", "complaint"),
    [
        (["--mute", "1:"], 2, "--mute GROUP needs --until DATE"),
        (["--until", "2999-01-01"], 2, "name the group with --mute GROUP"),
        (["--mute", "1:", "--until", "2020-01-31"], 2, "--until takes a date that is still to come; got 2020-01-31."),
        (["--mute", "x", "--until", "2999-01-31"], 2, "There is no group 'x' in error_tracking.json"),
        (["--resolve", "1:"], 2, "'1:' is the beginning of 2 groups: "),
        (["--mute", "1:", "--until", "tomorrow"], 64, "--until takes a date, as in --until=2030-01-31; got 'tomorrow'"),
        (["--resolve", ""], 2, "There is no group ''"),
    ],
)
def test_what_cannot_be_meant_is_one_sentence_and_nothing_is_written(
    logs: Path, inv: Inv, arguments: list[str], status: int, complaint: str
) -> None:
    project = logs.parent
    add(logs, record("alpha"), record("bravo"))
    inv(TASK)
    add(logs, record("charlie"))
    before = {path: seen for path, seen in fingerprint(project).items() if path not in {".", "logs", HISTORY}}
    result = inv(TASK, *arguments)

    assert result.status == status
    message = result.err if status == 64 else result.findings("run.error")[0]["message"]
    assert complaint in message
    assert "Traceback" not in result.err
    assert {path: seen for path, seen in fingerprint(project).items() if path not in {".", "logs", HISTORY}} == before


# Secrets


def test_secrets_appear_nowhere(logs: Path, inv: Inv) -> None:
    key, grok = "zb-7f3a9c11d0e24b55b1aa", "plain but private"
    secrets = (key, grok, "sk-0123456789abcdef", "0a1b2c3d4e5f60718293a4b5")
    add(
        logs,
        record(f"refused {key} by the server"),
        record("refused sk-0123456789abcdef, invalid API key", level="WARNING"),
        record("failed with header Authorization: Bearer 0a1b2c3d4e5f60718293a4b5"),
        record("request failed"),
        TRACEBACK.replace("slow", f"https://host/?key={key}"),
        *(record("x" * (600 - cut) + f" {key}") for cut in range(2, 24)),
        record(f"cannot say {grok}"),
    )
    env = {"DEEPSEEK_API_KEY": key, "GROK_API_KEY": grok}
    before = {path for path in logs.rglob("*") if path.is_file()}
    results = [
        inv(TASK, "--dry-run", env=env),
        inv(TASK, json=False, env=env),
        inv(TASK, env=env),
        inv("daily.log-review", env=env),
    ]
    written = [path for path in logs.rglob("*") if path.is_file() and path not in before]
    assert len(written) == 4
    texts = [*(result.out + result.err for result in results), *(path.read_text() for path in written)]
    for text in texts:
        assert not [secret for secret in secrets if secret[:10] in text]
    assert "[redacted]" in results[0].out


# What may stand in the way


@pytest.mark.slow
def test_a_log_that_cannot_be_read_is_unknown_and_the_rest_is_told(
    logs: Path, environment: dict[str, str], without_privileges: list[str]
) -> None:
    closed = add(logs, record("hidden"), name="closed.log")
    add(logs, record("alpha"))
    closed.chmod(0)
    result = run_with(without_privileges, environment)
    assert result.status == 3
    (finding,) = result.findings("logs.unreadable")
    assert (finding["subject"], finding["message"]) == ("logs/closed.log", "It cannot be read: Permission denied.")
    assert list(kept(logs)) == ["alpha"]
    closed.chmod(0o644)
    assert run_with([], environment).findings("errors.new")[0]["message"].startswith("New: hidden")


@pytest.mark.slow
@pytest.mark.parametrize("what", ["logs", "logs/alerts", "logs/error_tracking.json"])
def test_what_cannot_be_opened_is_unknown(
    logs: Path, project: Path, environment: dict[str, str], without_privileges: list[str], what: str
) -> None:
    add(logs, record("alpha"))
    run_with([], environment)
    add(logs, record("bravo"))
    (project / what).chmod(0)
    try:
        result = run_with(without_privileges, environment)
    finally:
        (project / what).chmod(0o755)
    assert result.status == 3
    assert "Traceback" not in result.err
    unknown = [one for one in result.report["findings"] if one["status"] == "unknown"]
    assert len(unknown) == 1
    assert "Permission denied" in unknown[0]["message"]
    again = run_with([], environment)
    assert again.findings("errors.new")[0]["message"].startswith("New: bravo")


def test_odd_files_harm_nothing(logs: Path, tmp_path: Path, inv: Inv) -> None:
    outside = tmp_path / "outside.log"
    outside.write_text(record("outside"))
    (logs / "link.log").symlink_to(outside)
    (logs / "binary.log").write_bytes(bytes(range(256)) * 5000)
    month = logs / "archive" / f"{datetime.now().astimezone():%Y/%m}"
    month.mkdir(parents=True)
    (month / f"cut_{datetime.now().astimezone():%Y%m%d}.log.gz").write_bytes(b"\x1f\x8b\x08\x00")
    add(logs, record("alpha"))
    result = inv(TASK)
    assert result.status == 3
    assert "link.log (a symbolic link" in result.findings("logs.refused")[0]["message"]
    assert result.findings("logs.unreadable")[0]["message"].startswith("It is damaged (")
    assert "alpha" in kept(logs)
    assert "outside" not in kept(logs)


def test_a_link_in_the_place_of_a_log_is_a_warning(logs: Path, inv: Inv) -> None:
    (logs / "link.log").symlink_to("zbeam.log")
    assert inv(TASK).status == 1


@pytest.mark.parametrize(
    "content",
    [b'{"schema": 1, "groups"', b"[]", b'{"schema": 99, "visited": "2025-06-01T00:00:00+00:00"}', b"\xff\x00"],
    ids=["cut", "list", "newer", "binary"],
)
def test_tracking_that_cannot_be_used_is_kept_aside(logs: Path, inv: Inv, content: bytes) -> None:
    add(logs, record("alpha"))
    (logs / "error_tracking.json").write_bytes(content)
    result = inv(TASK)
    assert result.status == 1
    (finding,) = result.findings("errors.tracking")
    assert "It was kept as logs/error_tracking.json.broken-1 and a new one begun." in finding["message"]
    assert (logs / "error_tracking.json.broken-1").read_bytes() == content
    assert counted(logs) == 1
    assert inv(TASK).status == 0


def test_a_folder_in_the_place_of_the_tracking_is_kept_aside(logs: Path, inv: Inv) -> None:
    add(logs, record("alpha"))
    (logs / "error_tracking.json").mkdir()
    assert inv(TASK, "--dry-run").findings("errors.tracking")[0]["status"] == "warning"
    assert (logs / "error_tracking.json").is_dir()
    result = inv(TASK)
    assert len(result.findings("errors.new")) == 1
    assert "is not a regular file" in result.findings("errors.tracking")[0]["message"]
    assert (logs / "error_tracking.json.broken-1").is_dir()
    assert inv(TASK).findings("errors.tracking") == []


@pytest.mark.slow
def test_a_second_changing_run_says_who_is_at_work_and_writes_nothing(logs: Path, project: Path, inv: Inv) -> None:
    add(logs, record("alpha"))
    (project / ".maintenance.lock").write_text("")
    script = (
        "import fcntl,json,os,sys,socket; f=open(sys.argv[1],'r+'); fcntl.flock(f,2);"
        "json.dump({'task':'weekly.log-rotation','process':os.getpid(),'host':socket.gethostname(),'since':'12:00'},f);"
        "f.flush(); print(1,flush=True); input()"
    )
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
    assert f"weekly.log-rotation (process {holder.pid}" in result.findings("run.lock")[0]["message"]
    assert dry.status == 1


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_wish_to_stop_is_heard_and_what_was_read_is_kept(
    logs: Path, project: Path, environment: dict[str, str], inv: Inv, number: signal.Signals
) -> None:
    for each in range(6000):
        add(logs, record("alpha"), name=f"worker-{each:04}.log")
    env = {**environment, "INVOKE_MAINTENANCE_OUTPUT": "json"}
    run = subprocess.Popen([INV, TASK], cwd=REPOSITORY, env=env, stdout=subprocess.PIPE, text=True)
    wait_until(lambda: handles(run, number), run)
    run.send_signal(number)
    out, _ = run.communicate(timeout=PATIENCE)
    assert run.returncode == 130
    (report,) = json.loads(out)["reports"]
    assert report["summary"].startswith("interrupted: ")
    assert report["status"] == "unknown"
    before = counted(logs) if (logs / "error_tracking.json").exists() else 0
    assert before < 6000
    assert inv(TASK).status in {0, 1}
    assert counted(logs) == 6000
    assert not (project / ".maintenance.lock").exists()


# Rotation in between


_WRITE = """
import os, sys
file = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND)
print("ready", flush=True)
for text in sys.stdin:
    os.write(file, text.encode())
    print("done", flush=True)
"""


@contextmanager
def writing(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Let another process have a log open for appending."""
    process = subprocess.Popen(
        [sys.executable, "-c", _WRITE, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


def write(process: subprocess.Popen[str], *records: str) -> None:
    assert process.stdin
    assert process.stdout
    for text in records:
        process.stdin.write(text)
        process.stdin.flush()
        assert process.stdout.readline() == "done\n"


def test_what_was_rotated_between_two_visits_counts_once(logs: Path, inv: Inv) -> None:
    add(logs, *[record("alpha")] * 3)
    inv(TASK)
    add(logs, *[record("alpha")] * 4, record("bravo"))
    assert inv("weekly.log-rotation").status == 0
    add(logs, *[record("alpha")] * 5)
    result = inv(TASK)
    assert {title: group["count"] for title, group in kept(logs).items()} == {"alpha": 12, "bravo": 1}
    assert result.findings("errors.window")[0]["value"] == 13
    inv(TASK)
    assert counted(logs) == 13


@pytest.mark.slow
def test_with_a_live_writer_every_record_counts_once(logs: Path, inv: Inv) -> None:
    wide = "x" * 200
    with writing(logs / "zbeam.log") as process:
        write(process, *[record(f"alpha {wide}")] * 50)
        inv(TASK)
        write(process, *[record(f"alpha {wide}")] * 60)
        rotated = inv("weekly.log-rotation")
        write(process, *[record(f"bravo {wide}")] * 70)
        assert inv("weekly.log-rotation", TASK).status in {0, 1, 2}
        write(process, record("charlie"))
        inv(TASK)
    assert [action["verb"] for action in rotated.report["actions"]] in (["archive"], [])
    assert counted(logs) == 181
    assert inv(TASK).findings("errors.window")[0]["value"] == 181


def test_a_chain_of_all_that_is_daily_and_the_rotation(logs: Path, inv: Inv) -> None:
    def statuses(*tasks: str) -> dict[str, str]:
        reports = inv(*tasks).document["reports"]
        return {report["task"]: report["status"] for report in reports if report["task"] != "daily.health-check"}

    add(logs, record("alpha"))
    assert statuses("daily", "weekly.log-rotation") == {
        "daily.log-review": "warning",
        "daily.error-monitor": "warning",
        "weekly.log-rotation": "ok",
    }
    assert set(statuses("weekly.log-rotation", "daily").values()) == {"ok"}
    assert counted(logs) == 1


def test_records_of_the_future_are_a_warning(logs: Path, inv: Inv) -> None:
    add(logs, record("alpha", hours=-3))
    result = inv(TASK)
    assert result.status == 1
    assert result.findings("logs.future")[0]["value"] == 1
    assert datetime.fromisoformat(kept(logs)["alpha"]["last_seen"]) <= datetime.now().astimezone()


def test_a_last_line_waits_until_it_is_whole(logs: Path, inv: Inv) -> None:
    path = add(logs, record("alpha"), record("bravo")[:-1])
    inv(TASK)
    assert list(kept(logs)) == ["alpha"]
    moment = time.time() - HOUR / 10
    os.utime(path, (moment, moment))
    inv(TASK)
    assert sorted(kept(logs)) == ["alpha", "bravo"]

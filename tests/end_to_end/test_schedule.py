"""The schedule, with stand-ins for crontab and systemctl: nothing here touches those of whoever runs the tests."""

from __future__ import annotations

import json
import os
import plistlib
import shlex
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tasks.core.files import state_files
from tasks.core.files.lock import LOCK_FILE

from .conftest import HISTORY, INV, PATIENCE, REPOSITORY, Inv, Result, entry, fingerprint, recorded, wait_until

STAMPS = "logs/schedule"

CRONTAB = """#!/bin/sh
# Keeps the table in one file, as the real one does.
table="$HOME/table"
[ ! -e "$HOME/refusing" ] || { echo "You ($USER) are not allowed to use this program (crontab)" >&2; exit 1; }
if [ "$1" = -l ]; then
    [ -e "$table" ] || { echo "no crontab for you" >&2; exit 1; }
    exec cat "$table"
fi
cat "$1" > "$table"
"""

SYSTEMCTL = """#!/bin/sh
# Notes what it is told; is active once it was restarted.
echo "$*" >> "$HOME/told"
case "$*" in
    *is-active*) [ -e "$HOME/active" ] ;;
    *restart*) touch "$HOME/active" ;;
    *disable*) rm -f "$HOME/active" ;;
esac
"""

LOGINCTL = """#!/bin/sh
echo "${LINGER-yes}"
"""

NO_BUS = """#!/bin/sh
echo "Failed to connect to bus: No medium found" >&2
exit 1
"""


@pytest.fixture(autouse=True)
def home(environment: dict[str, str], tmp_path: Path) -> Path:
    """A user without providers, keys or an XDG folder, whose programs are stand-ins."""
    settings = tmp_path / "home" / ".invoke.yaml"
    settings.write_text("maintenance: {providers: {deepseek: null, grok: null}}\n")
    environment.pop("XDG_CONFIG_HOME", None)
    programs = tmp_path / "programs"
    programs.mkdir()
    environment["PATH"] = f"{programs}:/usr/bin:/bin"
    for name, text in (
        ("crontab", CRONTAB),
        ("systemctl", SYSTEMCTL),
        ("loginctl", LOGINCTL),
        ("launchctl", SYSTEMCTL),
    ):
        replace(programs, name, text)
    return tmp_path / "home"


def replace(programs: Path, name: str, text: str) -> None:
    (programs / name).write_text(text)
    (programs / name).chmod(0o755)


@pytest.fixture
def units(home: Path) -> Path:
    return home / ".config/systemd/user"


@pytest.fixture
def only(tmp_path: Path) -> Path:
    """Settings under which two quick procedures are scheduled and nothing else."""
    chosen = ("daily.log-review", "weekly.cache-cleanup")
    others = ["daily.health-check", "daily.error-monitor", "weekly.log-rotation", "weekly.api-health"]
    others += ["monthly.performance-analysis", "monthly.config-review", "monthly.dependency-update"]
    others += [f"quarterly.{name}" for name in ("capacity-planning", "backup-verification", "system-audit")]
    assert not {*chosen} & {*others}
    path = tmp_path / "only.yaml"
    path.write_text(json.dumps({"maintenance": {"schedule": {"cadence": dict.fromkeys(others, "never")}}}))
    return path


def stamp(project: Path, task: str, days: float, **changes: Any) -> Path:
    """Leave the stamp of a run so many days ago, as earlier versions did, and forget what the history has of it."""
    history = project / HISTORY
    if history.exists():
        lines = history.read_text().splitlines(keepends=True)
        history.write_text("".join(line for line in lines if f'"task":"{task}"' not in line))
    began = (datetime.now().astimezone() - timedelta(days=days)).isoformat()
    completed = {"began": began, "ended": began, "status": "ok", "duration_seconds": 1.5}
    path = project / STAMPS / f"{task}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"schema": 1, "task": task, "completed": completed, "attempt": None, **changes}))
    return path


@contextmanager
def started(environment: dict[str, str], *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Start the real ``inv``, and end it with the test."""
    pipe = subprocess.PIPE
    process = subprocess.Popen([INV, *arguments], cwd=REPOSITORY, env=environment, stdout=pipe, stderr=pipe, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def rows(result: Result) -> dict[str, dict[str, Any]]:
    return {row["procedure"]: row for row in result.report["data"]["schedule"]}


def ran(result: Result) -> list[str]:
    return [report["task"] for report in result.report["data"]["reports"]]


# Stamps


def test_a_run_goes_to_the_history_and_status_tells_of_it(inv: Inv, project: Path) -> None:
    (project / "cache").mkdir()
    assert inv("weekly.cache-cleanup").status == 0
    (run,) = recorded(project)
    assert (run["task"], run["status"]) == ("weekly.cache-cleanup", "ok")
    assert not (project / STAMPS).exists()
    row = rows(inv("schedule.status"))["weekly.cache-cleanup"]
    due = (datetime.now().astimezone() + timedelta(days=7)).date().isoformat()
    assert (row["result"], row["next due"], row["overdue by"]) == ("ok", due, None)


@pytest.mark.parametrize(
    "arguments",
    [
        ("weekly.cache-cleanup", "--dry-run"),
        ("--dry", "weekly.cache-cleanup"),
        ("weekly.cache-cleanup", "--kind=temp"),
        ("weekly.cache-cleanup", "--older-than=3"),
        ("daily.log-review", "--since=2d"),
        ("monthly.dependency-update", "--security", "--check"),
        ("backup.create",),
        ("settings.check",),
    ],
    ids=" ".join,
)
def test_what_is_not_the_whole_run_does_not_count(inv: Inv, project: Path, arguments: tuple[str, ...]) -> None:
    inv(*arguments)
    assert all(run["whole"] is False for run in recorded(project))
    assert inv("schedule.status").report["findings"][0]["message"].startswith("None of 12 procedures ever ran: ")
    if {"--dry-run", "--dry", "backup.create", "settings.check"} & {*arguments}:
        assert [*project.iterdir()] == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("monthly.config-review", "--accept", "--diff"),
        ("monthly.dependency-update", "--check"),
        ("daily.log-review", "--archives"),
    ],
    ids=" ".join,
)
def test_a_flag_that_takes_nothing_away_makes_no_difference(
    inv: Inv, project: Path, arguments: tuple[str, ...]
) -> None:
    inv(*arguments)
    assert "whole" not in recorded(project, arguments[0])[0]
    assert rows(inv("schedule.status"))[arguments[0]]["last run"]


@pytest.mark.slow
def test_a_run_that_is_interrupted_is_an_attempt_and_the_next_one_clears_it(
    inv: Inv, project: Path, environment: dict[str, str]
) -> None:
    stamp(project, "daily.health-check", 0)
    with started(environment, "daily.health-check") as run:
        wait_until((project / LOCK_FILE).exists, run)
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=PATIENCE)
    assert run.returncode == 130
    (attempt,) = recorded(project)
    assert attempt["reason"].endswith(".")
    status = inv("schedule.status")
    (finding,) = status.findings("schedule.attempt")
    assert (finding["subject"], finding["status"]) == ("daily.health-check", "warning")
    assert rows(status)["daily.health-check"]["took"] == "1.5 s"
    inv("daily.health-check")
    assert inv("schedule.status").findings("schedule.attempt") == []


def test_a_history_that_is_a_link_is_kept_aside_and_the_run_is_written_down(inv: Inv, project: Path) -> None:
    (project / "logs").mkdir()
    (project / HISTORY).symlink_to(project)
    (finding,) = (each for each in inv("schedule.status").findings("schedule.stamp") if "cleanup" in each["subject"])
    assert "symbolic link" in finding["message"]
    result = inv("weekly.cache-cleanup")
    assert result.status == 1, result.out
    (finding,) = result.findings("run.stamp")
    link = f"{HISTORY} is a symbolic link, so it is not read or written."
    assert finding["message"] == f"{link} It was kept aside as {HISTORY}.broken-1."
    assert [each["task"] for each in recorded(project)] == ["weekly.cache-cleanup"]
    assert inv("weekly.cache-cleanup").findings("run.stamp") == []


def test_a_run_that_cannot_be_written_down_is_a_warning_and_a_run(
    inv: Inv, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> int:
        raise OSError(28, "No space left on device")

    (project / "cache").mkdir()
    monkeypatch.setattr(state_files, "append", full)
    result = inv("weekly.cache-cleanup")
    assert result.status == 1, result.out
    (finding,) = result.findings("run.stamp")
    assert finding["message"] == (
        "That it has run could not be written down, so it is due again. "
        f"{HISTORY} cannot be written: No space left on device."
    )
    assert (project / "cache/stats.json").exists()


# status


def test_a_project_that_has_just_adopted_the_suite_is_told_once(inv: Inv, project: Path) -> None:
    before = fingerprint(project)
    result = inv("schedule.status")
    assert (result.status, result.report["status"], result.err) == (1, "warning", ""), result.out
    jsonschema.validate(result.document, json.loads(inv("report.schema", json=False).out))
    (finding,) = result.report["findings"]
    assert finding["message"].startswith("None of 12 procedures ever ran: ")
    assert {row["next due"] for row in rows(result).values()} == {"today"}
    assert fingerprint(project) == before


def test_what_is_overdue_is_a_warning_and_by_a_further_period_critical(inv: Inv, project: Path, only: Path) -> None:
    stamp(project, "daily.log-review", 1)
    stamp(project, "weekly.cache-cleanup", 8)
    result = inv("-f", str(only), "schedule.status")
    assert (result.status, result.report["summary"]) == (1, "2 procedures, 2 due, 1 overdue")
    (finding,) = result.report["findings"]
    assert (finding["subject"], finding["status"], finding["value"]) == ("weekly.cache-cleanup", "warning", 1)
    stamp(project, "weekly.cache-cleanup", 15)
    result = inv("-f", str(only), "schedule.status")
    assert (result.status, rows(result)["weekly.cache-cleanup"]["overdue by"]) == (2, "8 days")


@pytest.mark.slow
def test_status_works_where_nothing_can_be_written(
    project: Path, environment: dict[str, str], without_privileges: list[str]
) -> None:
    stamp(project, "daily.log-review", 0)
    for folder in (project / STAMPS, project / "logs", project):
        folder.chmod(0o555)
    try:
        command = [*without_privileges, INV, "schedule.status"]
        done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
    finally:
        for folder in (project, project / "logs", project / STAMPS):
            folder.chmod(0o755)
    assert (done.returncode, done.stderr) == (1, "")
    assert "11 of 12 procedures never ran" in done.stdout


@pytest.mark.parametrize(
    "content",
    [b'{"schema": 1, "comp', b"\x00\xff", b"[]", b'{"schema": 2}', b'{"completed": {"began": "yesterday"}}'],
    ids=["cut", "binary", "list", "schema", "shape"],
)
def test_a_stamp_that_cannot_be_used_means_due_and_is_kept(inv: Inv, project: Path, only: Path, content: bytes) -> None:
    stamp(project, "daily.log-review", 0)
    path = stamp(project, "weekly.cache-cleanup", 1)
    path.write_bytes(content)
    status = inv("-f", str(only), "schedule.status")
    assert (status.status, status.err) == (1, "")
    assert [(each["check"], each["subject"]) for each in status.report["findings"]] == [
        ("schedule.stamp", "weekly.cache-cleanup")
    ]
    result = inv("-f", str(only), "schedule.due")
    assert (result.status, ran(result)) == (1, ["weekly.cache-cleanup"])
    assert len(result.findings("schedule.stamp")) == 1
    assert path.read_bytes() == content
    assert inv("-f", str(only), "schedule.due").status == 0


def test_a_stamp_of_a_clock_that_was_wrong_counts_as_none(inv: Inv, project: Path, only: Path) -> None:
    stamp(project, "daily.log-review", 0)
    stamp(project, "weekly.cache-cleanup", -400)
    (finding,) = inv("-f", str(only), "schedule.status").report["findings"]
    assert "which is to come: a clock was wrong" in finding["message"]
    assert ran(inv("-f", str(only), "schedule.due")) == ["weekly.cache-cleanup"]
    assert inv("-f", str(only), "schedule.status").status == 0


def test_a_cadence_for_no_procedure_is_refused_before_anything_runs(inv: Inv, project: Path, tmp_path: Path) -> None:
    settings = tmp_path / "settings.yaml"
    settings.write_text("maintenance: {schedule: {cadence: {weekly.cache-clean: daily}}}\n")
    for task in ("schedule.status", "schedule.due", "schedule.install"):
        result = inv("-f", str(settings), task)
        assert (result.status, result.out, result.err.count("\n")) == (78, "", 1)
        assert "names 'weekly.cache-clean'" in result.err
        assert "Did you mean weekly.cache-cleanup?" in result.err
    settings.write_text("maintenance: {schedule: {cadence: {backup.create: yearly}}}\n")
    result = inv("-f", str(settings), "schedule.status")
    assert result.status == 78
    assert "'yearly' cannot be used; expected one of daily, weekly, monthly, quarterly, never" in result.err
    assert [*project.iterdir()] == []


# due


def test_what_is_due_runs_once_in_a_safe_order_and_all_is_told(inv: Inv, project: Path, tmp_path: Path) -> None:
    entry(project / "cache/temp/old.json", hours=100)
    entry(project / "data/materials.yaml", content=b"a: 1\n")
    settings = tmp_path / "settings.yaml"
    settings.write_text("maintenance: {schedule: {cadence: {backup.create: weekly}}}\n")
    result = inv("-f", str(settings), "schedule.due")
    assert result.err == ""
    jsonschema.validate(result.document, json.loads(inv("report.schema", json=False).out))
    order = ran(result)
    assert len({*order}) == len(order) == 13
    assert order[:3] == ["daily.health-check", "daily.error-monitor", "daily.log-review"]
    assert order[-1] == "quarterly.system-audit"
    for before, after in (
        ("monthly.performance-analysis", "weekly.cache-cleanup"),
        ("daily.error-monitor", "weekly.log-rotation"),
        ("backup.create", "quarterly.backup-verification"),
        ("backup.create", "weekly.cache-cleanup"),
    ):
        assert order.index(before) < order.index(after)
    found = {each["subject"]: each["status"] for each in result.findings("schedule.run")}
    assert found == {report["task"]: report["status"] for report in result.report["data"]["reports"]}
    assert not (project / "cache/temp/old.json").exists()
    again = inv("-f", str(settings), "schedule.due")
    assert (again.status, ran(again)) == (0, [])
    assert again.report["summary"] == "nothing is due, no procedure ran"


def test_only_what_is_due_runs_and_goes_on_whatever_one_finds(inv: Inv, project: Path, only: Path) -> None:
    stamp(project, "daily.log-review", 3)
    stamp(project, "weekly.cache-cleanup", 6)
    assert ran(inv("-f", str(only), "schedule.due")) == ["daily.log-review"]
    stamp(project, "daily.log-review", 1)
    stamp(project, "weekly.cache-cleanup", 7)
    shutil.rmtree(project / "cache", ignore_errors=True)
    (project / "logs/log_review.json").write_text("{broken")
    result = inv("-f", str(only), "schedule.due")
    assert (result.status, ran(result)) == (1, ["daily.log-review", "weekly.cache-cleanup"])


@pytest.mark.parametrize("arguments", [("schedule.due", "--dry-run"), ("--dry", "schedule.due")])
def test_a_dry_run_of_due_says_what_would_run(inv: Inv, project: Path, arguments: tuple[str, ...]) -> None:
    entry(project / "cache/temp/old.json", hours=100)
    stamp(project, "daily.log-review", 0)
    before = fingerprint(project)
    result = inv(*arguments)
    assert (result.status, fingerprint(project)) == (0, before), result.out
    assert (result.report["dry_run"], result.report["summary"]) == (True, "11 procedures would run")
    assert "daily.log-review" not in {each["subject"] for each in result.findings("schedule.run")}


@pytest.mark.parametrize("json", [False, True])
def test_quiet_is_silent_where_all_is_well_and_tells_everything_where_it_is_not(
    inv: Inv, project: Path, only: Path, *, json: bool
) -> None:
    (project / "cache").mkdir()
    result = inv("-f", str(only), "schedule.due", "--quiet", json=json)
    assert (result.status, result.out, result.err) == (0, "", "")
    assert recorded(project, "weekly.cache-cleanup")
    stamp(project, "weekly.cache-cleanup", 9)
    (project / "cache/stats.json").write_text("{broken")
    loud = inv("-f", str(only), "schedule.due", "--quiet", json=json)
    assert loud.status == 1
    assert "stats.json" in loud.out
    assert ("schedule.run" if json else "verdict: warning") in loud.out


def test_quiet_hides_nothing_that_does_not_count(inv: Inv, project: Path, only: Path) -> None:
    (project / "cache").symlink_to(project / "elsewhere")
    result = inv("-f", str(only), "schedule.due", "--quiet", env={"INVOKE_MAINTENANCE_FAIL_ON": "never"})
    assert (result.status, result.report["status"]) == (0, "unknown")


@pytest.mark.slow
def test_two_at_once_the_second_says_who_is_at_work(inv: Inv, project: Path, environment: dict[str, str]) -> None:
    with started(environment, "schedule.due") as first:
        lock = project / LOCK_FILE
        wait_until(lambda: lock.exists() and b"schedule.due" in lock.read_bytes(), first)
        first.send_signal(signal.SIGSTOP)
        second = inv("schedule.due", json=False)
        first.send_signal(signal.SIGCONT)
        out, err = first.communicate(timeout=PATIENCE)
    assert second.status == 3, second.out
    assert f"schedule.due (process {first.pid} on " in second.out
    assert "Traceback" not in second.out + second.err + err
    assert "12 procedures ran" in out


@pytest.mark.slow
def test_a_root_that_cannot_be_written_is_said_and_nothing_runs(
    project: Path, environment: dict[str, str], without_privileges: list[str]
) -> None:
    project.chmod(0o555)
    try:
        for flags in ([], ["--dry-run"]):
            command = [*without_privileges, INV, "schedule.due", "--quiet", *flags]
            done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
            assert (done.returncode, done.stderr) == (3, "")
            assert "Nothing was changed. Run it as the project's owner" in done.stdout
    finally:
        project.chmod(0o755)


@pytest.mark.slow
def test_ctrl_c_reports_what_has_run_and_what_has_not_is_due_again(
    inv: Inv, project: Path, environment: dict[str, str]
) -> None:
    with started(environment, "schedule.due") as run:
        wait_until(lambda: bool(recorded(project, "daily.health-check")), run)
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=PATIENCE)
    assert (run.returncode, "Traceback" in err) == (130, False), out
    assert "daily.health-check" in out
    assert "what has not run to its end is due again" in out
    assert rows(inv("schedule.status"))["quarterly.system-audit"]["last run"] is None


# install and uninstall


def service_of(units: Path) -> Path:
    (path,) = units.glob("*.service")
    return path


def command_of(service: Path) -> tuple[list[str], dict[str, str]]:
    """Return the command and the variables of a service that holds no escapes."""
    lines = service.read_text().splitlines()
    (start,) = (line.partition("=:")[2] for line in lines if line.startswith("ExecStart=:"))
    variables = dict(shlex.split(line.partition("=")[2])[0].split("=", 1) for line in lines if "Environment=" in line)
    return shlex.split(start), variables


def test_systemd_units_are_written_taken_and_taken_away(inv: Inv, units: Path, home: Path) -> None:
    result = inv("schedule.install", "--systemd")
    assert (result.status, result.report["status"]) == (0, "ok"), result.out
    jsonschema.validate(result.document, json.loads(inv("report.schema", json=False).out))
    name = service_of(units).stem
    assert sorted(path.name for path in units.iterdir()) == [f"{name}.service", f"{name}.timer"]
    calls = (home / "told").read_text().splitlines()
    assert calls == ["--user daemon-reload", f"--user enable {name}.timer", f"--user restart {name}.timer"]
    before = fingerprint(units)
    again = inv("schedule.install", "--systemd")
    assert (again.status, again.report["actions"], fingerprint(units)) == (0, [], before)
    asked = ["--user daemon-reload", f"--user is-active --quiet {name}.timer"]
    assert (home / "told").read_text().splitlines() == [*calls, *asked]
    removed = inv("schedule.uninstall")
    assert (removed.status, len(removed.report["actions"]), [*units.iterdir()]) == (0, 2, []), removed.out
    assert (home / "told").read_text().splitlines()[-2:] == [
        f"--user disable --now {name}.timer",
        "--user daemon-reload",
    ]
    nothing = inv("schedule.uninstall")
    assert (nothing.status, nothing.report["summary"]) == (0, "nothing was installed, so nothing is removed")


def test_another_time_changes_the_timer_and_nothing_else(inv: Inv, units: Path) -> None:
    inv("schedule.install", "--systemd")
    before = fingerprint(units)
    result = inv("schedule.install", "--systemd", env={"INVOKE_MAINTENANCE_SCHEDULE_AT": "22:30"})
    (timer,) = (path.name for path in units.glob("*.timer"))
    assert result.targets("write") == [str(units / timer)]
    after = fingerprint(units)
    assert {name for name in after if after[name][2] != before[name][2]} == {timer}
    assert "OnCalendar=*-*-* 22:30:00\n" in (units / timer).read_text()
    (finding,) = result.findings("schedule.outside")
    assert "maintenance.schedule.at" in finding["message"]


@pytest.mark.slow
def test_the_command_runs_in_an_empty_environment(inv: Inv, units: Path, project: Path, home: Path) -> None:
    inv("schedule.install", "--systemd")
    command, variables = command_of(service_of(units))
    done = subprocess.run(
        command, cwd="/", env={**variables, "HOME": str(home)}, capture_output=True, text=True, check=False
    )
    assert "12 procedures ran" in done.stdout, done.stderr
    assert recorded(project, "daily.log-review")


@pytest.mark.needs("systemd-analyze")
def test_systemd_finds_no_fault_in_the_units(inv: Inv, units: Path, tmp_path: Path) -> None:
    strange = tmp_path / 'a b%h$HOME"\\c'
    strange.mkdir()
    inv("schedule.install", "--systemd", env={"INVOKE_MAINTENANCE_ROOT": str(strange)})
    (timer,) = units.glob("*.timer")

    def faults() -> list[str]:
        verify = ["systemd-analyze", "verify", "--man=no", str(service_of(units)), str(timer)]
        errors = subprocess.run(verify, capture_output=True, text=True, check=False).stderr
        return [line for line in errors.splitlines() if timer.stem in line]  # others are of the machine's own units

    assert faults() == []
    service_of(units).write_text(service_of(units).read_text().replace("Type=oneshot", "Type=nonsense"))
    assert any("nonsense" in line for line in faults())


def test_without_a_user_bus_it_says_what_to_run(inv: Inv, units: Path, tmp_path: Path) -> None:
    replace(tmp_path / "programs", "systemctl", NO_BUS)
    result = inv("schedule.install", "--systemd")
    assert result.status == 1
    (finding,) = result.findings("schedule.manager")
    assert "Failed to connect to bus: No medium found" in finding["message"]
    assert "systemctl --user daemon-reload && systemctl --user enable" in finding["remedy"]
    (units / "timers.target.wants").mkdir()
    (timer,) = units.glob("*.timer")
    (units / "timers.target.wants" / timer.name).symlink_to(timer)
    removed = inv("schedule.uninstall")
    assert (removed.status, [*units.rglob("maintenance-*")]) == (1, [])


def test_timers_that_end_with_the_session_are_told(inv: Inv, environment: dict[str, str]) -> None:
    environment["LINGER"] = "no"
    result = inv("schedule.install", "--systemd")
    assert result.status == 1
    assert "loginctl enable-linger" in result.findings("schedule.lasting")[0]["remedy"]


def test_a_systemctl_that_is_missing_is_a_sentence(inv: Inv, tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / "programs/systemctl").unlink()
    environment["PATH"] = str(tmp_path / "programs")
    result = inv("schedule.install", "--systemd")
    assert "systemctl cannot be started: No such file or directory" in result.findings("schedule.manager")[0]["message"]


FOREIGN = b"MAILTO=me\n\n# mine \xff\xfe\n*/5 * * * * echo 100\\% \t \r\n@daily run"


@pytest.mark.parametrize("before", [None, b"", FOREIGN + b"\n", FOREIGN], ids=["none", "empty", "foreign", "no end"])
def test_a_crontab_gets_one_block_and_loses_it_again(inv: Inv, home: Path, before: bytes | None) -> None:
    table = home / "table"
    if before is not None:
        table.write_bytes(before)
    kept = (before or b"") + b"\n" * bool(before and not before.endswith(b"\n"))
    assert inv("schedule.install", "--cron").status == 0
    installed = table.read_bytes()
    assert installed.startswith(kept + b"# BEGIN maintenance-project-")
    lines = installed[len(kept) :].splitlines()
    assert (len(lines), lines[3]) == (4, lines[0].replace(b"BEGIN", b"END"))
    again = inv("schedule.install", "--cron")
    assert (again.status, again.report["actions"], table.read_bytes()) == (0, [], installed)
    moved = inv("schedule.install", "--cron", env={"INVOKE_MAINTENANCE_SCHEDULE_AT": "12:00"})
    assert moved.targets("write") == ["crontab"]
    assert table.read_bytes().count(b"# BEGIN") == 1
    assert inv("schedule.uninstall").targets("write") == ["crontab"]
    assert table.read_bytes() == kept


@pytest.mark.slow
def test_the_line_of_the_crontab_runs_as_cron_runs_it(inv: Inv, home: Path, tmp_path: Path) -> None:
    project = tmp_path / "100% mine"
    project.mkdir()
    assert inv("schedule.install", "--cron", env={"INVOKE_MAINTENANCE_ROOT": str(project)}).status == 0
    (line,) = (line for line in (home / "table").read_text().splitlines() if not line.startswith("#"))
    minute, hour, *rest = line.split(" ", 5)
    assert rest[:3] == ["*", "*", "*"]
    assert 3 * 60 + 17 <= int(hour) * 60 + int(minute) <= 3 * 60 + 37
    command = rest[3].replace("\\%", "%")
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=home,
        env={"HOME": str(home), "SHELL": "/bin/sh", "PATH": "/usr/bin:/bin", "LOGNAME": "me"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "12 procedures ran" in done.stdout, done.stderr
    assert len(recorded(project)) >= 12


@pytest.mark.slow
def test_what_is_installed_carries_the_settings_file_and_starts(
    inv: Inv, home: Path, project: Path, tmp_path: Path
) -> None:
    (tmp_path / "more.yaml").write_text("maintenance: {logs: {directory: other}}\n")
    result = inv("-f", str(tmp_path / "more.yaml"), "schedule.install", "--cron")
    assert (result.status, result.findings("schedule.outside")) == (0, [])
    assert f" -f {tmp_path / 'more.yaml'} schedule.due --quiet" in (home / "table").read_text()
    assert list(project.iterdir()) == []


def test_two_projects_do_not_overwrite_each_other(inv: Inv, home: Path, units: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "project"
    other.mkdir(parents=True)
    there = {"INVOKE_MAINTENANCE_ROOT": str(other)}
    for way in ("--cron", "--systemd"):
        inv("schedule.install", way)
    alone = ((home / "table").read_bytes(), fingerprint(units))
    for way in ("--cron", "--systemd"):
        inv("schedule.install", way, env=there)
    assert (home / "table").read_bytes().count(b"# BEGIN") == 2
    assert len([*units.glob("*.timer")]) == 2
    inv("schedule.uninstall", env=there)
    assert (home / "table").read_bytes() == alone[0]
    assert {name: each[2] for name, each in fingerprint(units).items()} == {n: e[2] for n, e in alone[1].items()}


def test_a_crontab_that_cannot_be_read_is_not_written(inv: Inv, home: Path) -> None:
    (home / "table").write_bytes(FOREIGN)
    (home / "refusing").touch()
    result = inv("schedule.install", "--cron")
    assert result.status == 2
    assert "not allowed to use this program" in result.report["findings"][0]["message"]
    assert (home / "table").read_bytes() == FOREIGN


def test_half_a_block_is_left_to_its_owner(inv: Inv, home: Path) -> None:
    inv("schedule.install", "--cron")
    table = (
        b"\n".join(line for line in (home / "table").read_bytes().splitlines() if b"# END" not in line)
        + b"\n0 1 * * * mine\n"
    )
    (home / "table").write_bytes(table)
    for task in ("schedule.install", "schedule.uninstall"):
        result = inv(task, *(["--cron"] if task.endswith(".install") else []))
        assert (result.status, (home / "table").read_bytes()) == (2, table)
        assert "crontab -e" in result.report["findings"][0]["message"]


def test_without_a_crontab_program_it_is_one_sentence(inv: Inv, tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / "programs/crontab").unlink()
    environment["PATH"] = str(tmp_path / "programs")
    result = inv("schedule.install", "--cron")
    assert (result.status, len(result.report["findings"])) == (2, 1)
    assert (
        "crontab cannot be started: No such file or directory. Install cron" in result.report["findings"][0]["message"]
    )
    assert inv("schedule.uninstall").status == 0


def test_an_agent_of_launchd_is_a_property_list(inv: Inv, home: Path, project: Path) -> None:
    result = inv("schedule.install", "--launchd")
    assert result.status == 0, result.out
    (path,) = (home / "Library/LaunchAgents").iterdir()
    agent = plistlib.loads(path.read_bytes())
    assert (agent["Label"], agent["ProgramArguments"][1:4]) == (path.stem, ["-P", "-m", "invoke"])
    assert agent["EnvironmentVariables"]["INVOKE_MAINTENANCE_ROOT"] == str(project)
    assert {*agent["StartCalendarInterval"]} == {"Hour", "Minute"}
    calls = (home / "told").read_text().splitlines()
    assert calls == [f"bootout gui/{os.getuid()}/{path.stem}", f"bootstrap gui/{os.getuid()} {path}"]
    assert inv("schedule.uninstall").targets("delete") == [str(path)]
    assert not path.exists()


@pytest.mark.parametrize("way", ["--systemd", "--cron", "--launchd"])
@pytest.mark.parametrize("flag", ["--print", "--dry-run"])
def test_print_and_dry_run_install_nothing(inv: Inv, home: Path, project: Path, way: str, flag: str) -> None:
    before = fingerprint(home)
    result = inv("schedule.install", way, flag)
    assert (result.status, fingerprint(home), [*project.iterdir()]) == (0, before, []), result.out
    assert [action["done"] for action in result.report["actions"]] == [False] * len(result.targets("write"))
    shown = [finding["excerpt"] for finding in result.findings("schedule.file")]
    assert bool(shown) == (flag == "--print")
    assert all(str(project) in text or "OnCalendar" in text for text in shown)


def test_a_dry_run_of_uninstall_removes_nothing(inv: Inv, home: Path) -> None:
    inv("schedule.install", "--cron")
    inv("schedule.install", "--systemd")
    before = fingerprint(home / ".config"), (home / "table").read_bytes()
    result = inv("schedule.uninstall", "--dry-run")
    assert (result.status, len(result.report["actions"])) == (0, 3)
    assert (fingerprint(home / ".config"), (home / "table").read_bytes()) == before


def test_what_is_installed_twice_is_told(inv: Inv) -> None:
    assert inv("schedule.install", "--cron").status == 0
    result = inv("schedule.install", "--systemd")
    assert (result.status, "with cron as well" in result.findings("schedule.twice")[0]["message"]) == (1, True)


def test_two_ways_at_once_are_refused(inv: Inv, home: Path) -> None:
    result = inv("schedule.install", "--cron", "--systemd")
    assert (result.status, result.out, (home / "table").exists()) == (64, "", False)
    assert result.err.startswith("--systemd and --cron are several ways")


def test_what_only_this_shell_has_is_told(inv: Inv, project: Path) -> None:
    keys = {"DEEPSEEK_API_KEY": "sk-one-0123456789", "GROK_API_KEY": "sk-two-0123456789"}
    (project / ".env").write_text("GROK_API_KEY=sk-two-0123456789\n")
    result = inv(
        "schedule.install", "--cron", "--print", env={**keys, "INVOKE_MAINTENANCE_LOGS_DIRECTORY": "elsewhere"}
    )
    assert result.status == 1
    messages = {each["subject"]: each["message"] for each in result.findings("schedule.outside")}
    assert messages["settings"].endswith(": maintenance.logs.directory.")
    assert messages["keys"].endswith(": DEEPSEEK_API_KEY.")
    assert "sk-one" not in result.out


def test_a_name_that_no_schedule_can_hold_is_refused(inv: Inv, tmp_path: Path, home: Path) -> None:
    strange = tmp_path / "two\nlines"
    strange.mkdir()
    result = inv("schedule.install", "--cron", env={"INVOKE_MAINTENANCE_ROOT": str(strange)})
    assert (result.status, (home / "table").exists()) == (2, False)
    assert "two\\nlines" in result.report["findings"][0]["message"]

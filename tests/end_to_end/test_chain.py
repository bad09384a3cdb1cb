"""Chains, in a project that has tasks of its own and adopts the suite in its own tasks.py."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from .conftest import INV, PATIENCE, Inv, Result, entry

pytestmark = pytest.mark.invoke

TASKS = '''
from invoke import Collection, Exit, call, task
from zbeam_maintenance import Finding, Report, Status, namespace, procedure


def _report(status):
    finding = Finding(check="own.check", subject="own", status=Status(status), message=f"is {status}")
    return Report(summary=status, findings=[finding])


@procedure(checks=["own.check"])
def judged(run, status="ok"):
    """A procedure of the project's own."""
    return _report(status)


@procedure()
def crash(run):
    """Fails as no procedure should."""
    raise ValueError("no such\\nthing")


@procedure()
def slow(run):
    """Works until it is stopped."""
    import time
    print("at work", flush=True)
    time.sleep(600)


@procedure(checks=["own.check"])
def talks(run):
    """Writes a file while a program of its own complains."""
    import subprocess, sys
    with open("kept", "w") as file:
        subprocess.run([sys.executable, "-c", "import os; os.write(2, b'theirs')"])
        file.write("ours")
    return _report("ok")


@task
def plain(c):
    """A task that is no procedure."""
    print("plain sees", c.config.maintenance.cache.directory)


@task
def stop(c):
    """A task that ends the run."""
    raise Exit("stopped", code=42)


@procedure(checks=["own.check"], pre=[judged])
def after(run):
    """Needs judged."""
    return _report("ok")


namespace.add_collection(Collection("own", judged, crash, slow, talks, plain, stop, after))
'''

EXECUTOR = "tasks: {executor_class: zbeam_maintenance.MaintenanceExecutor}\n"
NO_PROVIDERS = "maintenance: {providers: {deepseek: null, grok: null}}\n"


@pytest.fixture
def adopted(project: Path, environment: dict[str, str], library: Path) -> Path:
    """A project with its own tasks.py that adopts the suite, and with the executor set."""
    (project / "tasks.py").write_text(TASKS)
    (project / "invoke.yaml").write_text(EXECUTOR + NO_PROVIDERS)
    del environment["INVOKE_MAINTENANCE_ROOT"]
    environment["PYTHONPATH"] = os.pathsep.join([str(library), *filter(None, [environment.get("PYTHONPATH")])])
    return project


def statuses(result: Result) -> list[tuple[str, str]]:
    return [(report["task"], report["status"]) for report in result.document["reports"]]


def test_a_chain_goes_on_after_every_finding_and_ends_with_the_worst(adopted: Path, inv_process: Inv) -> None:
    result = inv_process(
        *("own.judged", "--status", "warning", "own.crash", "own.judged", "--status", "unknown", "own.judged"),
        cwd=adopted,
    )
    assert result.status == 2
    assert statuses(result) == [
        ("own.judged", "warning"),
        ("own.crash", "critical"),
        ("own.judged", "unknown"),
        ("own.judged", "ok"),
    ]
    (finding,) = result.document["reports"][1]["findings"]
    assert finding["message"] == "ValueError: no such"
    assert "Traceback" not in result.err


@pytest.mark.parametrize(
    ("status", "code"), [("ok", 0), ("skipped", 0), ("warning", 1), ("critical", 2), ("unknown", 3)]
)
def test_the_exit_status_is_that_of_the_monitoring_plugins(
    adopted: Path, inv_process: Inv, status: str, code: int
) -> None:
    assert inv_process("own.judged", "--status", status, cwd=adopted).status == code


def test_the_traceback_of_a_crash_is_shown_with_debug(adopted: Path, inv_process: Inv) -> None:
    result = inv_process("--debug", "own.crash", cwd=adopted)
    assert result.status == 2
    assert 'raise ValueError("no such\\nthing")' in result.err


def test_what_is_both_named_and_required_runs_once(adopted: Path, inv_process: Inv) -> None:
    assert statuses(inv_process("own.judged", "own.after", "own.judged", cwd=adopted)) == [
        ("own.judged", "ok"),
        ("own.after", "ok"),
    ]
    assert len(statuses(inv_process("--no-dedupe", "own.judged", "own.after", cwd=adopted))) == 3
    assert len(statuses(inv_process("own.judged", "--status", "warning", "own.after", cwd=adopted))) == 3


def test_a_collection_by_its_bare_name_runs_all_of_it_once(adopted: Path, inv_process: Inv) -> None:
    names = ("weekly.api-health", "weekly.cache-cleanup", "weekly.log-rotation")
    once = [(name, "skipped") for name in names]  # there is neither a provider nor a cache nor a log
    assert statuses(inv_process("weekly", cwd=adopted)) == once
    assert statuses(inv_process("weekly.api-health", "weekly", "weekly.all", cwd=adopted)) == once


def test_other_tasks_in_a_chain_see_the_settings_and_work_as_ever(adopted: Path, inv_process: Inv) -> None:
    env = {"INVOKE_MAINTENANCE_CACHE_DIRECTORY": "elsewhere"}
    alone = inv_process("own.plain", cwd=adopted, env=env, json=False)
    chained = inv_process("own.judged", "own.plain", "own.judged", "--status=warning", cwd=adopted, env=env, json=False)

    assert (alone.status, alone.out) == (0, "plain sees elsewhere\n")
    assert chained.status == 1
    assert "plain sees elsewhere\n" in chained.out
    assert chained.out.splitlines()[-1].startswith("verdict: warning")


def test_a_task_that_ends_the_run_does_so_after_the_verdict_on_what_was_done(adopted: Path, inv_process: Inv) -> None:
    result = inv_process("own.judged", "own.stop", "own.crash", "weekly", cwd=adopted)
    assert result.status == 42
    assert statuses(result) == [("own.judged", "ok"), ("own.stop", "critical")]
    message = result.document["reports"][1]["findings"][0]["message"]
    assert (
        message == "It ended the run: stopped. Not run: own.crash, weekly.api-health, weekly.cache-cleanup, "
        "weekly.log-rotation, weekly.all."
    )
    assert "stopped" in result.err


def test_other_tasks_do_not_fail_for_our_settings(adopted: Path, inv_process: Inv) -> None:
    result = inv_process("own.stop", cwd=adopted, env={"INVOKE_MAINTENANCE_FAIL_ON": "nonsense"})
    assert result.status == 42
    assert "settings" not in result.err


@pytest.mark.parametrize(("word", "dry"), [("1", True), ("yes", True), ("false", False), ("0", False)])
def test_invokes_own_variable_for_a_dry_run_means_what_it_says(
    adopted: Path,
    inv_process: Inv,
    word: str,
    dry: bool,  # noqa: FBT001
) -> None:
    reports = inv_process("weekly", cwd=adopted, env={"INVOKE_RUN_DRY": word}).document["reports"]
    assert [report["dry_run"] for report in reports] == [dry, dry, dry]
    assert inv_process("weekly", cwd=adopted, env={"INVOKE_RUN_DRY": "maybe"}).status == 78


@pytest.mark.slow
def test_ctrl_c_reports_what_is_done_and_leaves_the_rest(adopted: Path, environment: dict[str, str]) -> None:
    run = subprocess.Popen(
        [INV, "own.judged", "own.slow", "own.after"],
        cwd=adopted,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert run.stdout
    while run.stdout.readline() != "at work\n":
        assert run.poll() is None
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=PATIENCE)

    assert run.returncode == 130
    assert "Ctrl-C ended it" in out
    assert "own.after" not in out
    assert "Traceback" not in err


@pytest.mark.slow
def test_an_interrupted_reader_of_the_output_is_no_error(adopted: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(
        ["/bin/bash", "-c", '"$0" own.judged --status=warning own.judged own.after | true; exit ${PIPESTATUS[0]}', INV],
        cwd=adopted,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == ""


def test_settings_init_writes_a_file_that_makes_no_difference_until_it_is_edited(
    adopted: Path, inv_process: Inv
) -> None:
    (adopted / "invoke.yaml").unlink()
    before = inv_process("settings.show", cwd=adopted).report["data"]["settings"]
    dry = inv_process("settings.init", "--dry-run", cwd=adopted)
    assert not (adopted / "invoke.yaml").exists()
    written = inv_process("settings.init", cwd=adopted)
    after = inv_process("settings.show", cwd=adopted)

    assert (dry.status, written.status, after.status) == (0, 0, 0)
    assert dry.report["actions"] == [{**written.report["actions"][0], "done": False}]
    assert (adopted / "invoke.yaml").read_text().count("zbeam_maintenance.MaintenanceExecutor") == 1
    assert after.report["data"]["settings"] == before
    assert inv_process("own.crash", "own.judged", cwd=adopted).document["reports"][1]["task"] == "own.judged"


def test_the_suite_can_be_a_collection_among_others(adopted: Path, inv_process: Inv) -> None:
    (adopted / "tasks.py").write_text(
        "from invoke import Collection, task\n"
        "import zbeam_maintenance\n"
        "@task\ndef build(c):\n    print('built')\n"
        "ns = Collection(build)\n"
        "ns.add_collection(zbeam_maintenance.namespace, 'maintenance')\n"
    )
    names = [name for name, _ in statuses(inv_process("maintenance.weekly", cwd=adopted))]
    assert names == [
        "maintenance.weekly.api-health",
        "maintenance.weekly.cache-cleanup",
        "maintenance.weekly.log-rotation",
    ]
    assert inv_process("build", cwd=adopted).out == "built\n"


def test_the_file_of_settings_init_goes_with_other_settings_files(
    adopted: Path, inv_process: Inv, tmp_path: Path
) -> None:
    (adopted / "invoke.yaml").unlink()
    inv_process("settings.init", cwd=adopted)
    more = tmp_path / "more.yaml"
    more.write_text("maintenance: {logs: {window_hours: 12}, cache: {expiry_hours: {temp: 1}}}")
    shown = inv_process("-f", str(more), "settings.show", "--changed", cwd=adopted)
    assert shown.status == 0, shown.err
    assert {record["value"] for record in shown.report["data"]["settings"]} == {12, 1, "json"}


@pytest.mark.parametrize(
    "name", ["zbeam_maintenance.core.runner.Mainten", "tasks.core.run.runner.MaintenanceExecutor", "x"]
)
def test_an_executor_that_cannot_be_imported_is_named_with_the_right_ones(
    adopted: Path, inv_process: Inv, name: str
) -> None:
    (adopted / "invoke.yaml").write_text(f"tasks: {{executor_class: {name}}}\n")
    result = inv_process("settings.check", cwd=adopted)
    assert result.status == 78
    assert "Traceback" not in result.err
    assert f"tasks.executor_class is {name!r}" in result.err
    assert "zbeam_maintenance.MaintenanceExecutor where the suite is installed" in result.err


@pytest.mark.slow
def test_a_report_that_cannot_be_printed_is_no_success(adopted: Path, environment: dict[str, str]) -> None:
    for output in ("text", "json"):
        with Path("/dev/full").open("w") as full:
            done = subprocess.run(
                [INV, "own.judged", "own.after"],
                cwd=adopted,
                env={**environment, "INVOKE_MAINTENANCE_OUTPUT": output},
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
            )
        assert done.returncode == 74
        assert done.stderr.startswith("The report cannot be printed: No space left on device.")
        assert done.stderr.count("\n") == 1


@pytest.mark.slow
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_standard_streams_are_no_error(adopted: Path, environment: dict[str, str], closed: str) -> None:
    command = ["/bin/bash", "-c", f'exec "$0" own.judged --status=warning own.talks {closed}', INV]
    done = subprocess.run(command, cwd=adopted, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "" if "2>&-" in closed else "theirs")
    assert ("verdict: warning" in done.stdout) is (">&-" not in closed.replace("2>&-", ""))
    assert (adopted / "kept").read_text() == "ours"


@pytest.mark.slow
@pytest.mark.parametrize("output", ["text", "json"])
def test_where_no_stream_can_be_written_the_status_says_so(
    adopted: Path, environment: dict[str, str], output: str
) -> None:
    command = ["/bin/bash", "-c", 'exec "$0" own.judged >/dev/full 2>&1', INV]
    env = {**environment, "INVOKE_MAINTENANCE_OUTPUT": output}
    assert subprocess.run(command, cwd=adopted, env=env, check=False).returncode == 74
    command[2] = 'exec "$0" -f missing.yaml own.judged >/dev/full 2>&1'
    assert subprocess.run(command, cwd=adopted, env=env, check=False).returncode == 78


# A project that does not set the executor


@pytest.fixture
def plainly_adopted(adopted: Path) -> Path:
    (adopted / "invoke.yaml").unlink()
    return adopted


def test_without_the_executor_a_task_still_ends_with_its_own_status(plainly_adopted: Path, inv_process: Inv) -> None:
    for status, code in (("ok", 0), ("warning", 1), ("critical", 2), ("unknown", 3)):
        result = inv_process("own.judged", "--status", status, cwd=plainly_adopted)
        assert result.status == code
        assert statuses(result) == [("own.judged", status)]
    crashed = inv_process("own.crash", cwd=plainly_adopted)
    assert crashed.status == 2
    assert "Traceback" not in crashed.err


def test_without_the_executor_a_chain_goes_on_while_all_is_well(plainly_adopted: Path, inv_process: Inv) -> None:
    entry(plainly_adopted / "cache" / "temp" / "old.json", hours=100)
    (plainly_adopted / "invoke.yaml").write_text(NO_PROVIDERS)
    result = inv_process("weekly", "own.judged", "--status=warning", "own.after", cwd=plainly_adopted)

    assert result.status == 1
    documents = [json.loads(line) for line in result.out.splitlines()]
    tasks = [document["reports"][0]["task"] for document in documents]
    assert tasks == ["weekly.api-health", "weekly.cache-cleanup", "weekly.log-rotation", "own.judged"]
    assert not (plainly_adopted / "cache" / "temp" / "old.json").exists()


def test_without_the_executor_settings_arguments_and_dry_run_hold_as_well(
    plainly_adopted: Path, inv_process: Inv
) -> None:
    old = entry(plainly_adopted / "cache" / "temp" / "old.json", hours=100)
    env = {"INVOKE_MAINTENANCE_LOGS_CRITICAL_PATTERNS": "a,b", "INVOKE_MAINTENANCE_LOGS_ALLOW_COPYTRUNCATE": "false"}
    shown = {
        r["setting"]: r["value"]
        for r in inv_process("settings.show", cwd=plainly_adopted, env=env).report["data"]["settings"]
    }

    assert shown["maintenance.logs.critical_patterns"] == ["a", "b"]
    assert shown["maintenance.logs.allow_copytruncate"] is False
    assert inv_process("weekly.cache-cleanup", "--kind=tmp", cwd=plainly_adopted).status == 64
    assert inv_process("settings.show", cwd=plainly_adopted, env={"INVOKE_MAINTENANCE_FAIL_ON": "x"}).status == 78
    assert inv_process("-R", "weekly.cache-cleanup", cwd=plainly_adopted).report["dry_run"] is True
    assert old.exists()


def test_without_the_executor_a_key_that_is_no_text_is_named(plainly_adopted: Path, inv_process: Inv) -> None:
    (plainly_adopted / "invoke.yaml").write_text("maintenance: {cache: {expiry_hours: {404: 12}}}\n")
    result = inv_process("settings.check", cwd=plainly_adopted)
    assert result.status == 78
    assert "The setting maintenance.cache.expiry_hours.404 has a name that is no text" in result.err


@pytest.mark.parametrize("name", ["invoke.yml", "invoke.json", "invoke.py"])
def test_settings_init_does_not_switch_off_a_settings_file_of_another_sort(
    plainly_adopted: Path, inv_process: Inv, name: str
) -> None:
    (plainly_adopted / name).write_text("{}")
    result = inv_process("settings.init", cwd=plainly_adopted)
    assert result.status == 1
    assert name in result.report["findings"][0]["message"]
    assert not (plainly_adopted / "invoke.yaml").exists()


@pytest.mark.slow
@pytest.mark.parametrize("task", ["settings.example", "settings.schema", "report.schema"])
def test_a_text_that_cannot_be_printed_ends_with_a_sentence(
    adopted: Path, environment: dict[str, str], task: str
) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [INV, task], cwd=adopted, env=environment, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 74
    assert done.stderr.count("\n") == 1


def test_the_bare_variable_is_no_setting(adopted: Path, inv_process: Inv) -> None:
    result = inv_process("settings.check", cwd=adopted, env={"INVOKE_MAINTENANCE": "x"})
    assert result.status == 78
    assert "environment INVOKE_MAINTENANCE: there is no setting of this name" in result.err


def test_a_settings_file_that_is_a_list_or_refers_to_itself_is_said_to_be_so(adopted: Path, inv_process: Inv) -> None:
    (adopted / "more.yaml").write_text("- x\n")
    assert "it holds no mapping of settings" in inv_process("-f", "more.yaml", "settings.check", cwd=adopted).err
    (adopted / "more.yaml").write_text("maintenance: &a {cache: *a}\n")
    assert "it refers to itself" in inv_process("-f", "more.yaml", "settings.check", cwd=adopted).err


@pytest.mark.slow
def test_a_time_zone_that_the_system_does_not_know_is_one_warning(adopted: Path, inv_process: Inv) -> None:
    result = inv_process("own.judged", "own.after", cwd=adopted, env={"TZ": "Nowhere/Land"})
    found = [finding["check"] for report in result.document["reports"] for finding in report["findings"]]
    assert (result.status, found) == (1, ["own.check", "run.timezone", "own.check"])

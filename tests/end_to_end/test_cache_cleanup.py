from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import jsonschema
import pytest

from .conftest import INV, PATIENCE, REPOSITORY, Inv, Result, entry, fingerprint, wait_until

TASK = "weekly.cache-cleanup"


@pytest.fixture
def cache(project: Path) -> Path:
    """A cache with one fresh and one expired entry of each kind, a loose file and the project's statistics."""
    cache = project / "cache"
    for kind, hours in (("api_responses", 24), ("material_data", 168), ("component_cache", 6), ("temp", 24)):
        entry(cache / kind / "fresh.json", hours=hours - 0.1)
        entry(cache / kind / "expired.json", hours=hours + 0.1, content=b"x" * 100)
    entry(cache / "material_loose.json", hours=1)
    (cache / "stats.json").write_text('{"hit_rate": 0.5, "cache_size": 7}')
    return cache


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


def test_expired_entries_go_fresh_ones_stay_and_the_project_keeps_its_statistics(cache: Path, inv: Inv) -> None:
    result = inv(TASK)

    assert result.status == 0, result.err
    assert names(cache) == [
        "api_responses/fresh.json",
        "component_cache/fresh.json",
        "material_data/fresh.json",
        "material_data/material_loose.json",
        "stats.json",
        "temp/fresh.json",
    ]
    statistics = json.loads((cache / "stats.json").read_text())
    assert statistics["hit_rate"] == 0.5
    assert statistics["cache_size"] == 7
    assert statistics["maintenance"]["entries"] == 5
    report = result.report
    assert report["task"] == TASK
    assert {(a["verb"], a["target"], a["count"], a["bytes"]) for a in report["actions"]} >= {
        ("delete", "cache/api_responses", 1, 100),
        ("move", "cache/material_data", 1, 2),
    }
    for path in report["files"]:
        assert (cache.parent / path).is_file()


def test_the_json_document_is_what_its_schema_says(cache: Path, inv: Inv) -> None:
    schema = json.loads(inv("report.schema", json=False).out)
    for arguments in ([TASK], [TASK, "--dry-run"], ["weekly"], ["settings.show"]):
        document = inv(*arguments).document
        jsonschema.Draft202012Validator(schema).validate(document)
        assert datetime.fromisoformat(document["started"]).tzinfo is not None
    assert cache.exists()


def test_a_dry_run_changes_nothing_and_shows_what_the_run_then_does(cache: Path, project: Path, inv: Inv) -> None:
    before = fingerprint(project)
    plans = [inv(TASK, "--dry-run"), inv("-R", TASK), inv("--dry", "weekly.cache-cleanup")]
    assert fingerprint(project) == before
    done = inv(TASK)

    def actions(result: Result) -> list[dict[str, object]]:
        return [{key: value for key, value in action.items() if key != "done"} for action in result.report["actions"]]

    for plan in plans:
        assert plan.report["dry_run"] is True
        assert actions(plan) == actions(done)
        assert not any(action["done"] for action in plan.report["actions"])
        assert plan.report["files"] == []
    assert all(action["done"] for action in done.report["actions"])
    assert cache.exists()


def test_a_second_run_finds_nothing_left_to_do_and_keeps_the_days_history(cache: Path, inv: Inv) -> None:
    first, second = inv(TASK), inv(TASK)

    assert second.status == 0
    assert [action["verb"] for action in second.report["actions"]] == ["write", "write"]
    (path,) = (path for path in first.report["files"] if "cache_report" in path)
    report = json.loads((cache.parent / path).read_text())
    assert [run["deleted"] for run in report["runs"]] == [4, 0]
    assert report["totals"] == {"deleted": 4, "deleted_bytes": 400, "moved": 1}
    assert report["runs"][0]["entries_before"] == 9
    assert report["entries"] == 5


def test_a_project_without_a_cache_gets_none_on_the_first_day_and_on_the_second(project: Path, inv: Inv) -> None:
    for _ in range(2):
        for arguments in ((TASK, "--dry-run"), (TASK,)):
            result = inv(*arguments)
            assert (result.status, result.report["status"], result.report["actions"]) == (0, "skipped", [])
            (finding,) = result.findings("cache.folder")
            assert "There is no folder cache" in finding["message"]
            assert "folders named cache or .cache" in finding["message"]
        assert not (project / "cache").exists()


def test_a_cache_elsewhere_is_named_and_none_is_made(project: Path, inv: Inv) -> None:
    (project / ".cache").mkdir()
    result = inv(TASK)
    message = result.findings("cache.folder")[0]["message"]
    assert "The project keeps .cache; name one in maintenance.cache.directory." in message
    assert [path.name for path in project.iterdir() if path.is_dir() and path.name != "logs"] == [".cache"]


def test_where_a_setting_is_about_the_cache_its_structure_is_made(
    project: Path, inv: Inv, environment: dict[str, str]
) -> None:
    environment["INVOKE_MAINTENANCE_CACHE_DIRECTORY"] = "cache"
    plan, done = inv(TASK, "--dry-run"), inv(TASK)

    assert (plan.status, done.status) == (0, 0)
    created = [action["target"] for action in done.report["actions"] if action["verb"] == "create"]
    assert created == ["cache", *(f"cache/{k}" for k in ("api_responses", "material_data", "component_cache", "temp"))]
    assert [action["target"] for action in plan.report["actions"] if action["verb"] == "create"] == created
    assert all((project / path).is_dir() for path in created)


def test_only_the_kinds_asked_for_are_cleaned(cache: Path, inv: Inv) -> None:
    result = inv(TASK, "--kind", "temp", "--kind", "api_responses")

    assert result.status == 0
    assert "material_data/expired.json" in names(cache)
    assert "material_loose.json" in names(cache)
    assert not {"temp/expired.json", "api_responses/expired.json"} & set(names(cache))


def test_older_than_overrides_every_expiry(cache: Path, inv: Inv) -> None:
    inv(TASK, "--older-than", "0.5")

    assert names(cache) == ["stats.json"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--older-than", "soon"], "--older-than takes a number of hours from 0 to 1000000"),
        (["--older-than=-1"], "got '-1'"),
        (["--older-than", "nan"], "got 'nan'"),
        (["--kind", "tmp"], "Did you mean temp?"),
    ],
)
def test_an_argument_that_cannot_be_used_ends_the_run_before_anything_happens(
    cache: Path, inv: Inv, arguments: list[str], complaint: str
) -> None:
    before = fingerprint(cache.parent)
    result = inv("weekly.cache-cleanup", "settings.check", TASK, *arguments)

    assert result.status == 64
    assert complaint in result.err
    assert "Traceback" not in result.err
    assert result.out == ""
    assert fingerprint(cache.parent) == before


def test_a_kind_that_is_not_named_is_not_every_kind(cache: Path, inv: Inv) -> None:
    before = fingerprint(cache.parent)
    assert inv(TASK, "-k").status == 1  # Invoke's own complaint about a flag without its value
    assert inv(TASK, "--kind", "").status == 64
    assert fingerprint(cache.parent) == before


@pytest.mark.slow
def test_a_project_that_cannot_be_written_is_unknown_and_says_by_whom(
    cache: Path, environment: dict[str, str], without_privileges: list[str]
) -> None:
    cache.parent.chmod(0o555)
    try:
        result = run_with(without_privileges, environment)
    finally:
        cache.parent.chmod(0o755)
    assert result.status == 3
    (finding,) = result.findings("run.lock")
    assert "cannot be written by user" in finding["message"]


@pytest.mark.slow
def test_a_request_to_terminate_ends_the_run_with_a_report(cache: Path, environment: dict[str, str]) -> None:
    for number in range(20000):
        entry(cache / "temp" / f"old{number}.json", hours=100)
    full = (cache / "temp").stat().st_mtime_ns
    run = subprocess.Popen([INV, TASK], cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, text=True)
    wait_until(lambda: (cache / "temp").stat().st_mtime_ns != full, run)
    run.terminate()
    out, _ = run.communicate(timeout=PATIENCE)
    assert run.returncode == 130
    assert "interrupted: " in out
    (report,) = (cache.parent / "logs" / "cache_reports").glob("*.json")
    assert json.loads(report.read_text())["runs"][0]["interrupted"] is True
    assert not (cache.parent / ".maintenance.lock").exists()


def test_it_works_from_a_subfolder(cache: Path, inv: Inv) -> None:
    assert inv(TASK, cwd=REPOSITORY / "tests" / "end_to_end").status == 0
    assert "temp/expired.json" not in names(cache)


def test_a_relative_root_starts_at_the_folder_of_tasks_py(inv: Inv) -> None:
    shown = inv("settings.show", cwd=REPOSITORY / "tests", env={"INVOKE_MAINTENANCE_ROOT": "."})
    assert shown.document["root"] == str(REPOSITORY)


@pytest.mark.parametrize(("fail_on", "status"), [("warning", 1), ("unknown", 0), ("critical", 0), ("never", 0)])
def test_a_warning_ends_with_1_unless_fail_on_lets_it_pass(cache: Path, inv: Inv, fail_on: str, status: int) -> None:
    entry(cache / "temp" / "ahead.json", hours=-48)
    result = inv(TASK, env={"INVOKE_MAINTENANCE_FAIL_ON": fail_on})

    assert result.status == status
    assert result.document["status"] == "warning"
    (finding,) = result.findings("cache.future")
    assert finding["subject"] == "cache/temp"
    assert finding["remedy"]


def test_text_tells_the_problem_its_remedy_and_the_verdict(cache: Path, inv: Inv) -> None:
    entry(cache / "temp" / "ahead.json", hours=-48)
    result = inv(TASK, json=False)

    lines = result.out.splitlines()
    assert lines[0].startswith("weekly.cache-cleanup  warning  4 expired entries deleted (400 B)")
    assert lines[1].strip().startswith("warning")
    assert "→" in lines[2]
    assert lines[-1].startswith("verdict: warning")
    assert "\x1b" not in result.out


@pytest.mark.slow
def test_on_a_terminal_the_text_has_colour_unless_no_color_is_set(cache: Path, environment: dict[str, str]) -> None:
    def on_a_terminal(**env: str) -> str:
        ours, theirs = os.openpty()
        try:
            subprocess.run(
                [INV, TASK], cwd=REPOSITORY, env={**environment, "TERM": "xterm", **env}, stdout=theirs, check=True
            )
            return os.read(ours, 100_000).decode()
        finally:
            os.close(ours)
            os.close(theirs)

    colour = re.compile(r"\x1b\[[\d;]*3\dm")
    assert colour.search(on_a_terminal())
    assert not colour.search(on_a_terminal(NO_COLOR="1"))
    assert cache.exists()


# What may stand in the way


@pytest.mark.parametrize("kind", ["file", "link", "dangling link", "git"])
def test_a_cache_that_must_not_be_touched_is_left_alone_and_unknown(
    project: Path, tmp_path: Path, inv: Inv, kind: str
) -> None:
    elsewhere = tmp_path / "elsewhere"
    entry(elsewhere / "temp" / "precious.json", hours=1000)
    cache = project / "cache"
    if kind == "file":
        cache.write_text("not a folder")
    elif kind == "git":
        entry(cache / "temp" / "old.json", hours=1000)
        (cache / ".git").mkdir()
    else:
        cache.symlink_to(elsewhere if kind == "link" else tmp_path / "nowhere")
    before = fingerprint(project), fingerprint(elsewhere)
    result = inv(TASK)

    assert result.status == 3
    (finding,) = result.findings("cache.folder")
    assert finding["status"] == "unknown"
    assert finding["remedy"]
    assert (fingerprint(project)["cache"], fingerprint(elsewhere)) == (before[0]["cache"], before[1])
    assert "Traceback" not in result.err


@pytest.mark.slow
def test_an_unreadable_cache_is_unknown(
    cache: Path, environment: dict[str, str], without_privileges: list[str]
) -> None:
    cache.chmod(0)
    try:
        result = run_with(without_privileges, environment)
    finally:
        cache.chmod(0o755)
    assert result.status == 3
    assert "Permission denied" in result.findings("cache.folder")[0]["message"]


@pytest.mark.slow
def test_an_unreadable_folder_in_the_cache_does_not_keep_the_others_from_being_cleaned(
    cache: Path, environment: dict[str, str], without_privileges: list[str]
) -> None:
    (cache / "temp").chmod(0)
    try:
        result = run_with(without_privileges, environment)
    finally:
        (cache / "temp").chmod(0o755)
    assert result.status == 3
    assert result.findings("cache.folder")[0]["subject"] == "cache/temp"
    assert "temp/expired.json" in names(cache)
    assert "api_responses/expired.json" not in names(cache)


def test_entries_that_are_no_plain_files_are_never_touched(cache: Path, tmp_path: Path, inv: Inv) -> None:
    outside = entry(tmp_path / "outside.json", hours=1000)
    folder = cache / "temp"
    (folder / "link.json").symlink_to(outside)
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(folder)
        try:
            listener.bind("socket")
        finally:
            os.chdir(here)
    result = inv(TASK)

    assert result.status == 0
    (finding,) = result.findings("cache.special")
    assert finding["value"] == 3
    assert {"link.json", "pipe", "socket"} <= {path.name for path in folder.iterdir()}
    assert outside.exists()


@pytest.mark.slow
def test_an_entry_that_a_process_has_locked_waits_for_the_next_run(cache: Path, inv: Inv) -> None:
    script = "import fcntl,sys; f=open(sys.argv[1]); fcntl.flock(f,2); print(1,flush=True); input()"
    holder = subprocess.Popen(
        [sys.executable, "-c", script, str(cache / "temp" / "expired.json")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout
    with holder:
        holder.stdout.readline()
        result = inv(TASK)
        holder.terminate()
    assert result.findings("cache.locked")[0]["value"] == 1
    assert "temp/expired.json" in names(cache)
    inv(TASK)
    assert "temp/expired.json" not in names(cache)


def test_a_loose_file_never_replaces_one_at_home(cache: Path, inv: Inv) -> None:
    entry(cache / "material_data" / "material_loose.json", hours=2, content=b"at home")
    result = inv(TASK)

    assert result.status == 1
    assert (cache / "material_data" / "material_loose.json").read_bytes() == b"at home"
    assert (cache / "material_loose.json").read_bytes() == b"{}"
    assert '"material_loose.json"' in result.findings("cache.misplaced")[0]["message"]


def test_odd_names_are_deleted_and_told_of_without_harm(cache: Path, inv: Inv) -> None:
    odd = [b"new\nline", b"\xff\xfe", b"\x1b[31mred", "\u202eevil".encode(), b"-rf"]
    for name in odd:
        entry(Path(os.fsdecode(os.fsencode(cache / "temp") + b"/" + name)), hours=100)
        entry(Path(os.fsdecode(os.fsencode(cache / "temp") + b"/ahead" + name)), hours=-100)
    text = inv(TASK, "--dry-run", json=False)
    result = inv(TASK)

    assert result.status == 1
    assert result.findings("cache.expired")[-1]["value"] == 6
    assert "\x1b" not in text.out
    assert "\u202e" not in text.out
    assert r"aheadnew\nline" in text.out


@pytest.mark.parametrize(
    "content", [b"", b'{"hit_rate": 0.', b"[1, 2]", b"\xff\x00"], ids=["empty", "cut", "list", "binary"]
)
def test_statistics_that_cannot_be_used_are_kept_aside(cache: Path, inv: Inv, content: bytes) -> None:
    (cache / "stats.json").write_bytes(content)
    result = inv(TASK)

    assert json.loads((cache / "stats.json").read_text())["maintenance"]["entries"] == 5
    if content:
        assert result.status == 1
        assert (cache / "stats.json.broken-1").read_bytes() == content
        assert "cache/stats.json.broken-1" in result.findings("cache.statistics")[0]["message"]
    else:
        assert result.status == 0


def test_statistics_of_50_megabytes_are_left_as_they_are(cache: Path, inv: Inv) -> None:
    with (cache / "stats.json").open("wb") as file:
        file.truncate(50_000_000)
    result = inv(TASK)

    assert result.status == 1
    assert (cache / "stats.json").stat().st_size == 50_000_000
    assert "temp/expired.json" not in names(cache)


@pytest.mark.slow
def test_a_report_folder_that_cannot_be_written_is_a_warning(
    cache: Path, environment: dict[str, str], without_privileges: list[str]
) -> None:
    reports = cache.parent / "logs" / "cache_reports"
    reports.mkdir(parents=True)
    reports.chmod(0o555)
    result = run_with(without_privileges, environment)

    assert result.status == 1
    assert "Permission denied" in result.findings("cache.report")[0]["message"]
    assert result.report["files"] == ["cache/stats.json"]
    assert list(reports.iterdir()) == []
    assert "temp/expired.json" not in names(cache)


@pytest.mark.slow
def test_a_full_disk_costs_the_reports_and_leaves_no_temporary_file(cache: Path, environment: dict[str, str]) -> None:
    statistics = (cache / "stats.json").read_bytes()
    result = run_with(["bash", "-c", 'ulimit -f 0; exec "$0" "$@"'], environment)

    assert result.status == 1
    assert {finding["check"] for finding in result.report["findings"] if finding["status"] == "warning"} == {
        "cache.statistics",
        "cache.report",
        "run.stamp",
    }
    assert result.report["files"] == []
    assert (cache / "stats.json").read_bytes() == statistics
    assert not [path for path in cache.parent.rglob("*") if "tmp" in path.name]
    assert "temp/expired.json" not in names(cache)


# More than one run


@pytest.mark.slow
def test_a_second_changing_run_says_who_is_at_work_and_changes_nothing(cache: Path, project: Path, inv: Inv) -> None:
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
        result, dry = inv(TASK, "settings.check"), inv(TASK, "--dry-run")
        holder.terminate()

    assert result.status == 3
    locked, checked = result.document["reports"]
    assert f"weekly.log-rotation (process {holder.pid}" in locked["findings"][0]["message"]
    assert checked["status"] == "ok"
    assert "temp/expired.json" in names(cache)
    assert dry.status == 0


@pytest.mark.slow
def test_two_runs_at_once_delete_everything_once(cache: Path, environment: dict[str, str]) -> None:
    for number in range(3000):
        entry(cache / "temp" / f"old{number}.json", hours=100)
    env = {**environment, "INVOKE_MAINTENANCE_OUTPUT": "json"}
    runs = [subprocess.Popen([INV, TASK], cwd=REPOSITORY, env=env, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    documents = [json.loads(run.communicate(timeout=PATIENCE)[0]) for run in runs]

    deleted = sum(a["count"] for d in documents for r in d["reports"] for a in r["actions"] if a["verb"] == "delete")
    assert deleted == 3004
    assert {run.returncode for run in runs} <= {0, 3}
    assert not (cache.parent / ".maintenance.lock").exists()


@pytest.mark.slow
def test_a_run_killed_in_the_middle_is_finished_by_the_next(cache: Path, environment: dict[str, str], inv: Inv) -> None:
    for number in range(6000):
        entry(cache / "temp" / f"old{number}.json", hours=100)
    full = (cache / "temp").stat().st_mtime_ns
    victim = subprocess.Popen([INV, TASK], cwd=REPOSITORY, env=environment, stdout=subprocess.DEVNULL)
    wait_until(lambda: (cache / "temp").stat().st_mtime_ns != full, victim)
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    result = inv(TASK)

    assert result.status == 0
    assert [name for name in names(cache) if name.startswith("temp/")] == ["temp/fresh.json"]
    assert not list(cache.parent.rglob(".*"))


@pytest.mark.slow
def test_ctrl_c_stops_the_run_with_what_was_done_reported(cache: Path, environment: dict[str, str]) -> None:
    for number in range(20000):
        entry(cache / "temp" / f"old{number}.json", hours=100)
    env = {**environment, "INVOKE_MAINTENANCE_OUTPUT": "json"}
    full = (cache / "temp").stat().st_mtime_ns
    run = subprocess.Popen([INV, TASK, "settings.check"], cwd=REPOSITORY, env=env, stdout=subprocess.PIPE, text=True)
    wait_until(lambda: (cache / "temp").stat().st_mtime_ns != full, run)
    run.send_signal(signal.SIGINT)
    out, _ = run.communicate(timeout=PATIENCE)

    assert run.returncode == 130
    (report,) = json.loads(out)["reports"]
    assert report["status"] == "unknown"
    assert report["summary"].startswith("interrupted")
    (action,) = (action for action in report["actions"] if action["target"] == "cache/temp")
    assert action["count"] == 20002 - len(list((cache / "temp").iterdir()))
    assert json.loads((cache / "stats.json").read_text()) == {"hit_rate": 0.5, "cache_size": 7}


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

from __future__ import annotations

import json
import os
import pty
import resource
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tasks.core.files.lock import project_lock
from tasks.demo_site.provider_stand_in import Behaviour, stand_in

from .conftest import INV, PATIENCE, REPOSITORY, Inv, Result, entry, fingerprint, handles, wait_until

TASK = "emergency.recover"
NO_PROVIDERS = "maintenance: {providers: {deepseek: null, grok: null}}\n"
LINE = "2026-11-23 11:59:59,707 - api.client - INFO - an article was written\n"
ROTATING = {"INVOKE_MAINTENANCE_LOGS_EMERGENCY_TOTAL_MB": "0"}
"""With which any log is too large."""


@pytest.fixture(autouse=True)
def _machine(environment: dict[str, str]) -> None:
    """Leave the machine's own disk and memory out of account unless they are full to the last byte."""
    environment["INVOKE_MAINTENANCE_HEALTH_DISK_PERCENT"] = "100"
    environment["INVOKE_MAINTENANCE_HEALTH_MEMORY_PERCENT"] = "100"


@pytest.fixture
def settings(tmp_path: Path) -> str:
    """A settings file without providers."""
    file = tmp_path / "no-providers.yaml"
    file.write_text(NO_PROVIDERS)
    return str(file)


@pytest.fixture
def recover(inv: Inv, settings: str) -> Callable[..., Result]:
    """Calls the recovery, without a provider to ask."""

    def call(*arguments: str, json: bool = True, env: Mapping[str, str] | None = None) -> Result:
        return inv("-f", settings, TASK, *arguments, json=json, env=env)

    return call


@pytest.fixture
def running(project: Path) -> Path:
    """A project that works: each kind of entry, fresh and expired, a log, data, statistics of the project's own."""
    for kind in ("api_responses", "material_data", "component_cache", "temp"):
        entry(project / f"cache/{kind}/fresh.json")
        entry(project / f"cache/{kind}/expired.json", hours=1000, content=b"[1]")
    (project / "cache/stats.json").write_text('{"hit_rate": 0.5, "cache_size": 7}')
    entry(project / "logs/app.log", content=LINE.encode() * 100)
    entry(project / "data/materials.yaml", content=b"materials: {}\n")
    return project


def entries(project: Path) -> list[str]:
    return sorted(str(path.relative_to(project)) for path in project.glob("cache/*/*.json"))


def outside(project: Path) -> dict[str, Any]:
    """Return the tree without cache and logs; the root itself changes its time with the lock."""
    return {
        path: value
        for path, value in fingerprint(project).items()
        if path != "." and Path(path).parts[0] not in {"cache", "logs"}
    }


def part(result: Result, task: str) -> dict[str, Any]:
    """Return the report of a procedure that recovery performed."""
    (found,) = (each for each in result.report["data"]["reports"] if each["task"] == task)
    return dict(found)


def reported(result: Result, check: str, subject: str | None = None) -> dict[str, Any]:
    (found,) = (each for each in result.findings(check) if subject in {None, each["subject"]})
    return dict(found)


# What it does


def test_the_cache_is_cleared_and_its_structure_rebuilt(recover: Callable[..., Result], running: Path) -> None:
    before = outside(running)
    shutil.rmtree(running / "cache/component_cache")
    result = recover("--yes")
    assert (result.status, result.report["status"], result.err) == (0, "ok", ""), result.out
    assert entries(running) == []
    assert {path.name for path in (running / "cache").iterdir()} == {
        *("api_responses", "material_data", "component_cache", "temp", "stats.json")
    }
    statistics = json.loads((running / "cache/stats.json").read_text())
    assert (statistics["hit_rate"], statistics["cache_size"], statistics["maintenance"]["entries"]) == (0.5, 7, 0)
    assert reported(result, "recovery.recovered")["message"].endswith('1 folder is missing: "cache/component_cache".')
    assert outside(running) == before
    assert (running / "logs/app.log").read_text() == LINE * 100
    (stored,) = (running / "logs/emergency_reports").iterdir()
    assert json.loads(stored.read_text())["data"]["reports"][0]["task"] == "weekly.cache-cleanup"
    assert f"logs/emergency_reports/{stored.name}" in result.report["files"]


def test_the_document_is_what_its_schema_says(recover: Callable[..., Result], inv: Inv, running: Path) -> None:
    schema = json.loads(inv("report.schema", json=False).out)
    for arguments in (["--dry-run"], ["--yes"], ["--yes"]):
        jsonschema.validate(recover(*arguments).document, schema)
    assert running.exists()


@pytest.mark.parametrize("dry", [(), ("--yes",)])
def test_a_dry_run_changes_nothing_and_shows_what_the_run_then_does(
    inv: Inv, settings: str, running: Path, dry: tuple[str, ...]
) -> None:
    (running / "logs/.maintenance-tmp").write_bytes(b"x" * 1000)
    shutil.rmtree(running / "cache/temp")
    before = fingerprint(running)
    plans = [
        inv("-f", settings, TASK, "--dry-run", *dry, env=ROTATING),
        inv("-f", settings, "--dry", TASK, *dry, env=ROTATING),
    ]
    assert fingerprint(running) == before
    done = inv("-f", settings, TASK, "--yes", env={"INVOKE_MAINTENANCE_LOGS_EMERGENCY_TOTAL_MB": "0.001"})

    def actions(result: Result) -> list[tuple[str, str]]:
        reports = [result.report, *result.report["data"]["reports"]]
        return [(each["verb"], each["target"]) for report in reports for each in report["actions"] if each["bytes"]]

    for plan in plans:
        assert plan.report["dry_run"]
        assert plan.status == 1  # a folder is missing
        assert actions(plan) == actions(done)
        assert plan.report["files"] == []
    assert actions(done)[0] == ("delete", "logs/.maintenance-tmp")
    assert ("archive", "logs/app.log") in actions(done)
    assert "A run asks before it clears" in plans[0].out or dry


def test_a_second_run_finds_nothing_to_do(recover: Callable[..., Result], running: Path) -> None:
    recover("--yes")
    result = recover("--yes")
    assert (result.status, result.findings("recovery.recovered")) == (0, [])
    assert [each["verb"] for each in part(result, "weekly.cache-cleanup")["actions"]] == ["write", "write"]
    assert running.exists()


def test_an_empty_project_gets_no_cache(recover: Callable[..., Result], project: Path) -> None:
    assert recover("--yes").status == 0
    assert {path.name for path in project.iterdir()} == {"logs"}


def test_a_project_that_sets_a_cache_gets_its_folders(
    recover: Callable[..., Result], project: Path, environment: dict[str, str]
) -> None:
    environment["INVOKE_MAINTENANCE_CACHE_DIRECTORY"] = "cache"
    assert recover("--dry-run").status == 1
    result = recover("--yes")
    assert result.status == 0, result.out
    assert {path.name for path in project.iterdir()} == {"cache", "logs"}
    assert set(result.targets("create")) >= {"logs"} or (project / "logs").is_dir()


def test_where_nobody_can_be_asked_only_what_has_expired_goes(recover: Callable[..., Result], running: Path) -> None:
    result = recover()
    assert result.status == 1, result.out
    finding = reported(result, "recovery.clearing")
    assert finding["message"].startswith("Not cleared, for nobody can be asked here: 8 entries (20 B)")
    assert "--yes" in finding["remedy"]
    assert [Path(path).name for path in entries(running)] == ["fresh.json"] * 4


@pytest.mark.slow
@pytest.mark.parametrize(("answer", "left"), [("y", 0), ("n", 4)])
def test_at_a_terminal_it_is_asked_for(
    running: Path, settings: str, environment: dict[str, str], answer: str, left: int
) -> None:
    shown, status = at_terminal([INV, "-f", settings, TASK], environment, answer)
    assert status == 0, shown
    assert "cache/api_responses  2 files  5 B" in shown
    assert "Clear these 8 entries (20 B)? [y/N]" in shown
    assert len(entries(running)) == left
    assert ("as you answered" in shown) == bool(left)


def at_terminal(command: list[str], environment: Mapping[str, str], answer: str) -> tuple[str, int]:
    """Run a command with a terminal, give an answer to the question, and return what was shown and its exit status."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    while True:
        try:
            read = os.read(ours, 65536)
        except OSError:  # how Linux says that the other end is closed
            read = b""
        if not read:
            break
        if b"[y/N]" in read and b"[y/N]" not in shown:
            os.write(ours, f"{answer}\n".encode())
        shown += read
    os.close(ours)
    return shown.decode().replace("\r\n", "\n"), process.wait(30)


def test_only_and_skip_choose_the_steps(recover: Callable[..., Result], running: Path) -> None:
    before = fingerprint(running / "cache")
    result = recover("--only", "structure", "--only", "leftovers")
    assert result.status == 0, result.out
    assert [row["step"] for row in result.report["data"]["steps"]] == ["leftovers", "structure"]
    result = recover("--skip", "cache", "--skip", "providers", "--yes")
    assert [row["step"] for row in result.report["data"]["steps"]] == ["leftovers", "logs", "structure"]
    assert fingerprint(running / "cache") == before
    result = recover("--only", "cache", "--skip", "cache", "--yes")
    assert (result.status, result.out, fingerprint(running / "cache")) == (64, "", before)
    assert result.err == "--only and --skip leave no step to take. Nothing was done.\n"


@pytest.mark.parametrize("flag", ["--only", "--skip"])
def test_a_step_that_there_is_none_of_is_refused_before_anything_happens(
    recover: Callable[..., Result], running: Path, flag: str
) -> None:
    before = fingerprint(running)
    result = recover("--yes", flag, "caches")
    assert result.status == 64
    assert result.err == (
        f"{flag} takes a step (leftovers, cache, logs, structure, providers); got 'caches'. Did you mean cache?\n"
    )
    assert fingerprint(running) == before


def test_leftovers_of_killed_runs_go_first(recover: Callable[..., Result], running: Path) -> None:
    left = [running / folder / ".maintenance-tmp" for folder in ("logs", "logs/archive/2026/11", "cache")]
    for path in left:
        entry(path, content=b"half" * 1000)
    (running / "data/.maintenance-tmp").write_text("not ours to delete")
    result = recover("--yes")
    assert result.status == 0, result.out
    assert reported(result, "recovery.leftovers")["message"] == "3 leftover temporary files deleted (12.0 kB)."
    assert not any(path.exists() for path in left)
    assert (running / "data/.maintenance-tmp").exists()


def test_people_read_what_was_done_and_what_is_left(recover: Callable[..., Result], running: Path) -> None:
    (running / "cache/temp/half.json").write_text('{"answer": "')
    result = recover("--yes", json=False)
    assert (result.status, result.err) == (0, "")
    lines = result.out.splitlines()
    assert lines[0].startswith(f"{TASK}  ok  disk ")
    assert lines[0].endswith("1 problem found, 1 put right")
    assert any(line.strip().startswith("weekly.cache-cleanup  ok  9 expired entries deleted") for line in lines)
    assert "  step       freed " in result.out
    assert lines[-1].startswith("verdict: ok")
    assert running.exists()


# Rotation, and chains


def archives(project: Path) -> list[Path]:
    return sorted(project.glob("logs/archive/*/*/*.gz"))


def test_logs_within_the_limit_are_left(recover: Callable[..., Result], running: Path) -> None:
    result = recover("--yes")
    assert reported(result, "recovery.log-size")["message"].startswith("Not rotated: the disk is not short, and ")
    assert archives(running) == []


def test_logs_beyond_the_limit_are_rotated(recover: Callable[..., Result], running: Path) -> None:
    result = recover("--yes", env={"INVOKE_MAINTENANCE_LOGS_EMERGENCY_TOTAL_MB": "0.005"})
    assert (result.status, len(archives(running))) == (0, 1), result.out
    assert reported(result, "recovery.logs")["message"].startswith("weekly.log-rotation: 1 log archived (")
    assert (running / "logs/app.log").read_text() == ""


def test_what_is_still_too_large_after_the_rotation_is_told(recover: Callable[..., Result], running: Path) -> None:
    result = recover("--yes", env=ROTATING)
    assert (result.status, len(archives(running))) == (1, 1), result.out
    finding = reported(result, "recovery.log-size")
    assert finding["message"].startswith("The log folder still holds ")
    assert "--older-than-days" in finding["remedy"]


@pytest.mark.parametrize("chain", [(TASK, "--yes", "weekly.log-rotation"), ("weekly.log-rotation", TASK, "--yes")])
@pytest.mark.parametrize("more", [(), ("--no-dedupe",)])
def test_a_chain_with_the_rotation_rotates_once(
    inv: Inv, settings: str, running: Path, chain: tuple[str, ...], more: tuple[str, ...]
) -> None:
    result = inv(*more, "-f", settings, *chain, env=ROTATING)
    reports = {each["task"]: each for each in result.document["reports"]}
    assert (result.status, len(archives(running))) == (1, 1), result.out
    rotation = reports["weekly.log-rotation"]["summary"]
    (within,) = (each for each in reports[TASK]["data"]["reports"] if each["task"] == "weekly.log-rotation")
    if more:
        assert {rotation[:6], within["summary"][:6]} == {"1 log ", "0 logs"}
        return
    reuse_note = " (already run by emergency.recover in this run)" if chain[0] == TASK else ""
    assert rotation == f"{within['summary']}{reuse_note}"
    assert rotation.startswith("1 log archived")


# What may be broken


def test_a_cache_that_is_a_link_to_a_home_is_not_touched(
    recover: Callable[..., Result], project: Path, tmp_path: Path
) -> None:
    precious = entry(tmp_path / "home/temp/letter.json", hours=1000, content=b"dear")
    (project / "cache").symlink_to(tmp_path / "home")
    before = fingerprint(tmp_path / "home")
    result = recover("--yes")
    assert (result.status, result.err) == (2, ""), result.out
    assert "symbolic link" in reported(result, "recovery.folder", "cache")["message"]
    assert reported(result, "recovery.cache")["status"] == "unknown"
    assert (fingerprint(tmp_path / "home"), precious.read_bytes()) == (before, b"dear")


def test_a_cache_that_is_a_home_is_not_touched(
    recover: Callable[..., Result], project: Path, environment: dict[str, str]
) -> None:
    precious = entry(project / "cache/temp/letter.json", hours=1000)
    leftover = entry(project / "cache/.maintenance-tmp", hours=1000)
    result = recover("--yes", env={"HOME": str(project / "cache")})
    assert environment["HOME"] != str(project / "cache")
    assert (result.status, result.err) == (3, ""), result.out
    assert precious.exists()
    assert leftover.exists()


def test_logs_that_are_a_file_are_told_and_the_rest_goes_on(recover: Callable[..., Result], running: Path) -> None:
    shutil.rmtree(running / "logs")
    (running / "logs").write_text("not a folder")
    result = recover("--yes")
    assert (result.status, result.err) == (2, ""), result.out
    assert "is not a folder" in reported(result, "recovery.folder", "logs")["message"]
    assert reported(result, "recovery.report")["status"] == "warning"
    assert entries(running) == []
    assert (running / "logs").read_text() == "not a folder"


def as_ordinary_user(command: list[str], prefix: list[str], environment: Mapping[str, str]) -> Result:
    env = {**environment, "INVOKE_MAINTENANCE_OUTPUT": "json"}
    done = subprocess.run([*prefix, *command], cwd=REPOSITORY, env=env, capture_output=True, text=True, check=False)
    return Result(done.returncode, done.stdout, done.stderr)


@pytest.mark.slow
def test_logs_that_cannot_be_read_are_told_and_the_rest_goes_on(
    running: Path, settings: str, environment: dict[str, str], without_privileges: list[str]
) -> None:
    entry(running / "logs/other.log", content=LINE.encode() * 10)
    (running / "logs/app.log").chmod(0)
    result = as_ordinary_user([INV, "-f", settings, TASK, "--yes"], without_privileges, {**environment, **ROTATING})
    assert (result.status, result.err) == (3, ""), result.out
    assert reported(result, "recovery.logs")["status"] == "unknown"
    (unreadable,) = (each for each in part(result, "weekly.log-rotation")["findings"] if each["status"] == "unknown")
    assert unreadable["subject"] == "logs/app.log"
    assert [path.name.partition("_")[0] for path in archives(running)] == ["other"]
    assert entries(running) == []


@pytest.mark.slow
def test_folders_that_cannot_be_written_are_told_with_what_to_do(
    running: Path, settings: str, environment: dict[str, str], without_privileges: list[str]
) -> None:
    (running / "cache/temp").chmod(0o555)
    try:
        result = as_ordinary_user([INV, "-f", settings, TASK, "--yes"], without_privileges, environment)
    finally:
        (running / "cache/temp").chmod(0o755)
    assert (result.status, result.err) == (2, ""), result.out
    finding = reported(result, "recovery.folder", "cache/temp")
    assert (finding["message"], "chmod" in finding["remedy"]) == (
        "Nothing can be written there: Permission denied.",
        True,
    )
    assert entries(running) == ["cache/temp/expired.json", "cache/temp/fresh.json"]


@pytest.mark.slow
def test_a_root_that_cannot_be_written_is_told_and_nothing_is_changed(
    running: Path, settings: str, environment: dict[str, str], without_privileges: list[str]
) -> None:
    before = fingerprint(running)
    running.chmod(0o555)
    try:
        result = as_ordinary_user([INV, "-f", settings, TASK, "--yes"], without_privileges, environment)
    finally:
        running.chmod(0o755)
    assert (result.status, result.err) == (2, ""), result.out
    assert reported(result, "recovery.folder", ".")["status"] == "critical"
    assert "No report file was written" in reported(result, "recovery.report")["message"]
    assert {path: value[2] for path, value in fingerprint(running).items()} == {
        path: value[2] for path, value in before.items()
    }


@pytest.mark.parametrize("content", [b'{"groups": [', b"\x00\xff\x00\xfe", b"[" * 100_000])
def test_broken_records_of_the_suite_are_told_and_the_rest_goes_on(
    recover: Callable[..., Result], running: Path, content: bytes
) -> None:
    broken = ["error_tracking.json", "log_review.json", "api_performance.json", "config_baseline.json"]
    for name in broken:
        entry(running / "logs" / name, content=content)
    (running / "cache/stats.json").write_bytes(content)
    result = recover("--yes")
    assert (result.status, result.err) == (1, ""), result.out
    assert {each["subject"] for each in result.findings("recovery.record")} == {f"logs/{name}" for name in broken}
    assert reported(result, "recovery.recovered")["subject"] == "cache/stats.json"
    assert (running / "cache/stats.json.broken-1").read_bytes() == content
    assert {(running / "logs" / name).read_bytes() for name in broken} == {content}
    assert entries(running) == []


def test_broken_entries_are_told_where_they_stay(recover: Callable[..., Result], running: Path) -> None:
    entry(running / "cache/api_responses/half.json", content=b'{"answer": "')
    entry(running / "cache/temp/below/empty.json", content=b"")
    result = recover("--skip", "cache")
    finding = reported(result, "recovery.entries")
    assert (result.status, finding["value"]) == (1, 2), result.out
    assert '"cache/api_responses/half.json", "cache/temp/below/empty.json"' in finding["message"]
    assert recover("--yes").status == 0


def test_a_broken_configuration_is_left_and_told(recover: Callable[..., Result], running: Path) -> None:
    (running / "config").mkdir()
    (running / "config/settings.py").write_text("TIMEOUT = (\n")
    (running / "data/Categories.yaml").write_text("a: [1,\n")
    result = recover("--yes")
    assert (result.status, result.err) == (2, ""), result.out
    found = {each["subject"]: each["status"] for each in result.findings("configuration.readable")}
    assert found == {"config/settings.py": "critical", "data/Categories.yaml": "critical"}


def test_without_a_network_the_providers_are_told_and_the_rest_is_done(inv: Inv, running: Path) -> None:
    with closing(socket.socket()) as reserved:
        reserved.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{reserved.getsockname()[1]}"
        env = {
            "INVOKE_MAINTENANCE_PROVIDERS_DEEPSEEK_BASE_URL": closed,
            "INVOKE_MAINTENANCE_PROVIDERS_GROK_BASE_URL": closed,
            "DEEPSEEK_API_KEY": "sk-of-deepseek-0123456789",
            "GROK_API_KEY": "xai-of-grok-0123456789abcdef",
        }
        result = inv(TASK, "--yes", env=env)
        dry = inv(TASK, "--dry-run", env=env)
    assert (result.status, result.err) == (2, ""), result.out
    assert {each["subject"] for each in result.findings("providers.answer")} == {"deepseek", "grok"}
    assert entries(running) == []
    assert {each["status"] for each in dry.findings("providers.answer")} == {"skipped"}


def test_providers_that_answer_are_well(inv: Inv, running: Path) -> None:
    with stand_in(Behaviour(models=("deepseek-chat", "grok-4"))) as server:
        env = {
            "INVOKE_MAINTENANCE_PROVIDERS_DEEPSEEK_BASE_URL": server.url,
            "INVOKE_MAINTENANCE_PROVIDERS_GROK_BASE_URL": server.url,
            "DEEPSEEK_API_KEY": "sk-of-deepseek-0123456789",
            "GROK_API_KEY": "xai-of-grok-0123456789abcdef",
        }
        result = inv(TASK, "--yes", env=env)
    assert (result.status, result.err) == (0, ""), result.out
    (measured,) = json.loads((running / "logs/api_performance.json").read_text())
    assert measured["source"] == TASK
    assert "0123456789" not in result.out


def test_beside_another_run_nothing_is_done_and_told_who_that_is(
    inv_process: Inv, settings: str, running: Path
) -> None:
    before = outside(running), entries(running)
    with project_lock(running, "weekly.log-rotation", datetime.now().astimezone()):
        result = inv_process("-f", settings, TASK, "--yes")
        assert inv_process("-f", settings, TASK, "--dry-run").status == 0
    assert result.status == 3
    (finding,) = result.report["findings"]
    assert finding["message"].startswith(f"weekly.log-rotation (process {os.getpid()} on ")
    assert (outside(running), entries(running)) == before


@pytest.mark.slow
def test_stopped_between_steps_it_says_what_was_done(running: Path, environment: dict[str, str]) -> None:
    with stand_in(Behaviour(delay_seconds=50)) as never:
        env = {
            **environment,
            "INVOKE_MAINTENANCE_OUTPUT": "json",
            "INVOKE_MAINTENANCE_PROVIDERS_DEEPSEEK_BASE_URL": never.url,
            "INVOKE_MAINTENANCE_PROVIDERS_DEEPSEEK_MODEL": "stand-in",
            "DEEPSEEK_API_KEY": "sk-of-deepseek-0123456789",
            "GROK_API_KEY": "",
        }
        run = subprocess.Popen([INV, TASK, "--yes"], cwd=REPOSITORY, env=env, stdout=subprocess.PIPE, text=True)
        wait_until(lambda: handles(run, signal.SIGINT) and never.count("completions") > 0, run)
        run.send_signal(signal.SIGINT)
        out, _ = run.communicate(timeout=PATIENCE)
    result = Result(run.returncode, out, "")
    assert run.returncode == 130
    assert reported(result, "run.interrupted")["status"] == "unknown"
    assert part(result, "weekly.cache-cleanup")["summary"].startswith("8 expired entries deleted")
    assert [row["step"] for row in result.report["data"]["steps"]][:2] == ["leftovers", "cache"]
    assert entries(running) == []


# The full disk


def namespace(place: Path) -> list[str]:
    """Return what to put before a command that mounts a file system of its own; skips where that is not allowed."""
    prefix = ["unshare", "-m" if os.geteuid() == 0 else "-rm"]
    if shutil.which("unshare") is None:
        pytest.skip("there is no unshare here, so that no file system can be mounted for this test alone")
    tried = subprocess.run([*prefix, "mount", "-t", "tmpfs", "tmpfs", str(place)], capture_output=True, check=False)
    if tried.returncode:
        pytest.skip("no file system may be mounted here")
    return prefix


def on_full_disk(
    project: Path, environment: Mapping[str, str], kind: str, *command: str, options: str = "size=20m"
) -> dict[str, Any]:
    script = str(Path(__file__).with_name("full_disk.py"))
    env = {**environment, "INVOKE_MAINTENANCE_OUTPUT": "json", "INVOKE_MAINTENANCE_HEALTH_DISK_PERCENT": "90"}
    done = subprocess.run(
        [*namespace(project), sys.executable, script, str(project), options, kind, *command],
        cwd=REPOSITORY,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert "Traceback" not in found["err"]
    assert found["outside"], "something outside cache and logs has changed"
    return found


@pytest.mark.slow
def test_on_a_full_disk_the_cache_makes_room(project: Path, environment: dict[str, str], settings: str) -> None:
    found = on_full_disk(project, environment, "cache", INV, "-f", settings, TASK, "--yes")
    result = Result(found["status"], found["out"], found["err"])
    assert (result.status, result.err) == (0, ""), result.out
    assert found["free_before"][0] < 50_000
    assert found["free_after"][0] > 18_000_000
    assert (found["entries"], found["reports"]) == (0, 1)
    assert json.loads(found["statistics"])["hit_rate"] == 0.5
    freed = reported(result, "recovery.freed")
    assert freed["value"] > 18_000_000
    assert "the disk was 100 % full" in freed["message"]
    recovered = {each["subject"] for each in result.findings("recovery.recovered")}
    assert recovered >= {".", "structure"}


@pytest.mark.slow
def test_on_a_full_disk_without_consent_it_says_what_is_left(
    project: Path, environment: dict[str, str], settings: str
) -> None:
    found = on_full_disk(project, environment, "cache", INV, "-f", settings, TASK)
    result = Result(found["status"], found["out"], found["err"])
    assert (result.status, result.err) == (2, ""), result.out
    assert found["entries"] > 300
    assert reported(result, "system.disk")["remedy"].startswith(
        "Delete or move what is not needed. The largest below the root: cache ("
    )
    assert reported(result, "recovery.clearing")["status"] == "warning"
    assert reported(result, "recovery.report")["status"] == "warning"


@pytest.mark.slow
def test_a_dry_run_on_a_full_disk_changes_nothing(project: Path, environment: dict[str, str], settings: str) -> None:
    found = on_full_disk(project, environment, "cache", INV, "-f", settings, TASK, "--dry-run")
    assert (found["status"], found["err"]) == (2, "")
    assert found["free_before"] == found["free_after"]


@pytest.mark.slow
def test_where_there_are_no_inodes_left_not_even_for_a_lock(
    project: Path, environment: dict[str, str], settings: str
) -> None:
    command = (INV, "-f", settings, TASK, "--yes")
    found = on_full_disk(project, environment, "inodes", *command, options="size=20m,nr_inodes=300")
    result = Result(found["status"], found["out"], found["err"])
    assert (result.status, result.err) == (0, ""), result.out
    assert (found["free_before"][1], found["entries"], found["reports"]) == (0, 0, 1)
    assert reported(result, "recovery.freed")["message"].startswith("28")
    recovered = [each["message"] for each in result.findings("recovery.recovered")]
    assert any("100.0 % of the inodes are in use" in message for message in recovered)


@pytest.mark.slow
def test_logs_are_rotated_where_the_cache_does_not_make_enough_room(
    project: Path, environment: dict[str, str], settings: str
) -> None:
    found = on_full_disk(project, environment, "logs", INV, "-f", settings, TASK, "--yes")
    result = Result(found["status"], found["out"], found["err"])
    assert len(found["archives"]) == 1, result.out
    assert reported(result, "recovery.logs")["status"] == "ok"
    assert found["free_after"][0] > found["free_before"][0] + 5_000_000


@pytest.mark.slow
def test_what_the_project_itself_fills_is_left_and_told(
    project: Path, environment: dict[str, str], settings: str
) -> None:
    found = on_full_disk(project, environment, "data", INV, "-f", settings, TASK, "--yes")
    result = Result(found["status"], found["out"], found["err"])
    assert (result.status, result.err) == (2, ""), result.out
    remedy = reported(result, "system.disk")["remedy"]
    assert "The largest below the root: data (" in remedy
    assert f"du -ah {project} | sort -rh | head -20" in remedy


@pytest.mark.slow
def test_where_not_a_byte_can_be_written_the_cache_is_cleared_all_the_same(
    running: Path, settings: str, unmeasured: dict[str, str]
) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))

    before = outside(running)
    done = subprocess.run(
        [INV, "-f", settings, TASK, "--yes"],
        cwd=REPOSITORY,
        env={**unmeasured, "INVOKE_MAINTENANCE_OUTPUT": "json"},
        capture_output=True,
        text=True,
        preexec_fn=limit,
        check=False,
    )
    result = Result(done.returncode, done.stdout, done.stderr)
    assert (result.status, result.err) == (2 if sys.platform == "linux" else 1, ""), result.out
    assert reported(result, "recovery.report")["message"].endswith("cannot be written: File too large.")
    assert (entries(running), outside(running)) == ([], before)
    assert (running / "cache/stats.json").read_text() == '{"hit_rate": 0.5, "cache_size": 7}'

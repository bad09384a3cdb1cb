from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tasks.core.files.lock import project_lock

from .conftest import HISTORY, INV, REPOSITORY, Inv, Result, entry, fingerprint

TASK = "quarterly.capacity-planning"
MB = 1_000_000


@pytest.fixture(autouse=True)
def _machine(environment: dict[str, str]) -> None:
    """Leave the machine's disk out of account unless it is full to the last byte."""
    environment["INVOKE_MAINTENANCE_HEALTH_DISK_PERCENT"] = "100"


@pytest.fixture
def limited(inv: Inv, tmp_path: Path) -> Callable[..., Result]:
    """Calls the planning with a limit of 100 MB for the cache and for the backups."""
    settings = tmp_path / "limits.yaml"
    settings.write_text("maintenance: {capacity: {limits_mb: {cache: 100, backups: 100}}}\n")
    return lambda *arguments: inv("-f", str(settings), TASK, *arguments)


def moment(ago: float) -> str:
    return (datetime.now().astimezone() - timedelta(days=ago)).isoformat()


def report_path(project: Path) -> Path:
    now = datetime.now().astimezone()
    return project / f"logs/capacity_reports/capacity_{now.year}Q{(now.month + 2) // 3}.json"


def write(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def hold(project: Path, name: str, megabytes: float) -> None:
    """Let a folder hold so much; the file has a hole, and takes no room."""
    (project / name).mkdir(exist_ok=True)
    with (project / name / "large").open("wb") as file:
        file.truncate(round(megabytes * MB))


def planned_before(project: Path, name: str, *megabytes: float) -> None:
    """Write the measurements of earlier plannings, one a day until yesterday, as if made in this quarter."""
    days = range(len(megabytes), 0, -1)
    runs = [
        {"started": moment(ago), "status": "ok", "figures": {f"capacity.used {name}": round(held * MB)}}
        for ago, held in zip(days, megabytes, strict=True)
    ]
    write(report_path(project), {"schema": 1, "runs": runs})


def reported(project: Path, folder: str, ago: int, run: Mapping[str, object]) -> Path:
    """Write the report of a day with one run."""
    day = datetime.now().astimezone() - timedelta(days=ago)
    path = project / f"logs/{folder}/{folder.removesuffix('s')}_{day:%Y%m%d}.json"
    write(path, {"schema": 1, "runs": [{"started": day.isoformat(), **run}]})
    return path


def forecast(result: Result, name: str) -> dict[str, Any]:
    (finding,) = (each for each in result.findings("capacity.forecast") if each["subject"] == name)
    return dict(finding)


def measurements(result: Result) -> dict[str, int]:
    return {row["series"]: row["measurements"] for row in result.report["data"]["capacity"]}


def growing(days: int = 30, end: float = 80.0) -> list[float]:
    """Return a megabyte more each day, up to *end* today."""
    return [end - ago for ago in range(days, 0, -1)]


def test_an_empty_project_has_not_enough_history(inv: Inv, project: Path) -> None:
    result = inv(TASK)
    assert (result.status, result.report["status"], result.err) == (0, "ok", ""), result.out
    jsonschema.validate(result.document, json.loads(inv("report.schema", json=False).out))
    finding = forecast(result, "disk")
    assert "there is not enough history for a forecast: 1 measurement over 0 days" in finding["message"]
    assert {"logs", "cache", "backups"}.isdisjoint(measurements(result))
    path = report_path(project)
    assert result.report["files"] == [str(path.relative_to(project))]
    assert [*project.iterdir()] == [project / "logs"]
    assert json.loads(path.read_text())["runs"][0]["figures"]["capacity.used disk"] > 0


def test_the_second_run_has_the_measurements_of_the_first(inv: Inv, project: Path) -> None:
    hold(project, "cache", 3)
    assert measurements(inv(TASK))["cache"] == 1
    hold(project, "cache", 5)
    result = inv(TASK)
    assert (result.status, measurements(result)["cache"], measurements(result)["disk"]) == (0, 2, 2)
    held = [run["figures"]["capacity.used cache"] for run in json.loads(report_path(project).read_text())["runs"]]
    assert held == [3 * MB, 5 * MB]


def test_every_source_of_sizes_is_read(inv: Inv, project: Path) -> None:
    hold(project, "cache", 1)
    for ago in range(1, 21):
        reported(project, "health_reports", ago, {"figures": {"disk.used_bytes .": 1}})
    reported(project, "cache_reports", 3, {"bytes_before": 5})
    write(project / "logs/log_review.json", {"schema": 1, "totals": [{"reviewed": moment(2), "bytes": 7}]})
    result = inv(TASK)
    figures = measurements(result)
    assert (figures["disk"], figures["cache"], figures["logs"]) == (21, 2, 2)
    assert (result.status, "not enough history" in forecast(result, "disk")["message"]) == (0, False), result.out


def test_what_the_other_procedures_write_is_read(inv: Inv, project: Path) -> None:
    entry(project / "cache/temp/one", content=b"12345")
    (project / "logs").mkdir()
    (project / "logs/app.log").write_text("2025-06-02 11:00:00 INFO started\n")
    environment = {"INVOKE_MAINTENANCE_FAIL_ON": "never"}
    entry(project / "data/materials.yaml", content=b"a: 1\n")
    others = ("daily.log-review", "weekly.cache-cleanup", "daily.health-check", "backup.create")
    result = inv(*others, TASK, env=environment)
    assert result.status == 0, result.out
    rows = {row["series"]: row["measurements"] for row in result.document["reports"][-1]["data"]["capacity"]}
    assert {name: rows[name] for name in ("disk", "logs", "cache", "backups")} == dict.fromkeys(
        ("disk", "logs", "cache", "backups"), 2
    )


def test_a_limit_that_is_reached_is_critical(limited: Callable[..., Result], project: Path) -> None:
    hold(project, "cache", 100)
    result = limited()
    assert (result.status, result.report["status"]) == (2, "critical"), result.out
    finding = forecast(result, "cache")
    assert finding["message"] == "100 % used, 100.0 MB of 100.0 MB; the limit is reached."
    assert finding["remedy"].startswith("Let entries expire earlier")
    assert result.report["summary"].endswith("at the limit: cache")


def test_growth_towards_the_limit_is_a_warning(limited: Callable[..., Result], project: Path) -> None:
    hold(project, "backups", 80)
    planned_before(project, "backups", *growing())
    result = limited()
    assert (result.status, result.report["status"]) == (1, "warning"), result.out
    finding = forecast(result, "backups")
    day = (datetime.now().astimezone() + timedelta(days=20)).date().isoformat()
    assert (
        f"it grows by 1.0 MB a day (1.0 MB to 1.0 MB with 95 %), so the limit is reached about {day}"
        in (finding["message"])
    )
    assert finding["remedy"].startswith("Keep fewer backups")


def test_a_saw_tooth_is_ok(limited: Callable[..., Result], project: Path) -> None:
    hold(project, "backups", 50)
    planned_before(project, "backups", *(50 + 3 * (day % 10) for day in range(60)))
    result = limited()
    assert (result.status, forecast(result, "backups")["status"]) == (0, "ok"), result.out
    assert "what it rises to between clean-ups does not grow" in forecast(result, "backups")["message"]


def test_a_disk_beyond_its_limit_is_critical_at_the_first_run(inv: Inv, project: Path) -> None:
    entry(project / "cache/temp/old", hours=1000, content=b"x" * 5000)
    result = inv(TASK, env={"INVOKE_MAINTENANCE_HEALTH_DISK_PERCENT": "0.000001"})
    finding = forecast(result, "disk")
    assert (result.status, finding["status"]) == (2, "critical"), result.out
    assert finding["remedy"].startswith("inv weekly.cache-cleanup would free 5.0 kB now. Delete or move")


def test_what_would_help_is_in_numbers(limited: Callable[..., Result], project: Path, tmp_path: Path) -> None:
    hold(project, "cache", 100)
    hold(project, "cache/temp", 0)
    for number in range(3):
        entry(project / f"cache/temp/old{number}", hours=1000, content=b"x" * 400_000)
    (project / "cache/api_responses").mkdir()
    result = limited()
    saving = f"inv -f {tmp_path}/limits.yaml weekly.cache-cleanup would free 1.2 MB now."
    assert forecast(result, "cache")["remedy"].startswith(f"{saving} Let entries expire earlier")
    freeable = {each["subject"]: each for each in result.findings("capacity.freeable")}
    assert (freeable["weekly.cache-cleanup"]["message"], freeable["weekly.cache-cleanup"]["value"]) == (
        saving,
        1.2 * MB,
    )
    assert len([*(project / "cache/temp").glob("old*")]) == 3
    assert "weekly.log-rotation" in freeable


def test_what_grew_most_is_told(inv: Inv, project: Path) -> None:
    hold(project, "data", 9)
    runs = [{"started": moment(10), "figures": {"capacity.folder data": 2 * MB}}]
    write(report_path(project), {"schema": 1, "runs": runs})
    (finding,) = inv(TASK).findings("capacity.growers")
    assert finding["message"].startswith("What grew most in 10 days: data by 7.0 MB to 9.0 MB")


@pytest.mark.parametrize("arguments", [(TASK, "--dry-run"), ("--dry", TASK)])
def test_a_dry_run_writes_nothing(inv: Inv, project: Path, arguments: tuple[str, ...]) -> None:
    entry(project / "cache/temp/old", hours=1000)
    entry(project / "cache/api_loose.json", hours=1)
    entry(project / "logs/app.log", content=b"2025-06-02 11:00:00 INFO started\n")
    entry(project / "logs/archive/2020/01/app_20200101.log.gz", hours=50_000, content=b"x" * 100)
    planned_before(project, "cache", *growing())
    before = fingerprint(project)
    result = inv(*arguments)
    assert (result.status, fingerprint(project)) == (0, before), result.out
    assert (result.report["dry_run"], result.report["files"]) == (True, [])
    assert result.targets("write") == [str(report_path(project).relative_to(project))]
    assert [action["done"] for action in result.report["actions"]] == [False]
    assert measurements(result)["cache"] == 31


def test_a_run_changes_nothing_but_its_report(inv: Inv, project: Path) -> None:
    entry(project / "cache/temp/old", hours=1000)
    entry(project / "logs/app.log", content=b"2025-06-02 11:00:00 INFO started\n")
    before = fingerprint(project)
    assert inv(TASK).status == 0
    after = fingerprint(project)
    own = {"logs/capacity_reports", f"logs/capacity_reports/{report_path(project).name}"}
    own |= {HISTORY}
    assert {*after} - {*before} == own
    assert {path for path in before if after[path][2] != before[path][2]} == set()


def test_only_a_dry_run_goes_on_beside_another_run(inv_process: Inv, project: Path) -> None:
    with project_lock(project, "another.task", datetime.now().astimezone()):
        assert inv_process(TASK, "--dry-run").status == 0
        result = inv_process(TASK)
    assert result.status != 0
    assert "another.task" in result.out


@pytest.mark.parametrize(
    "content",
    [b'{"runs": [{"started": "2026', b"", b"\x00\xff\x00\xfe", b"[]", b'{"hello": 1}', b'{"runs": 5}'],
    ids=["cut", "empty", "binary", "list", "other key", "other shape"],
)
def test_reports_that_cannot_be_used_are_named_and_left_as_they_are(
    limited: Callable[..., Result], project: Path, content: bytes
) -> None:
    hold(project, "cache", 80)
    for ago, held in enumerate(reversed(growing()), 1):
        reported(project, "cache_reports", ago, {"bytes_before": held * MB})
    broken = reported(project, "health_reports", 3, {})
    broken.write_bytes(content)
    result = limited()
    assert (result.status, result.err) == (1, ""), result.out
    assert forecast(result, "cache")["status"] == "warning"
    (finding,) = result.findings("capacity.history")
    assert (finding["status"], finding["value"]) == ("warning", 1)
    assert f'"logs/health_reports/{broken.name}"' in finding["message"]
    assert broken.read_bytes() == content


def test_a_report_of_this_quarter_that_is_broken_is_kept_aside(inv: Inv, project: Path) -> None:
    path = report_path(project)
    write(path, {})
    path.write_text("{broken")
    result = inv(TASK)
    assert (result.status, len(result.findings("capacity.history"))) == (1, 1), result.out
    assert path.with_name(f"{path.name}.broken-1").read_text() == "{broken"
    assert inv(TASK).report["status"] == "ok"


def test_a_clock_that_jumped_spoils_nothing(limited: Callable[..., Result], project: Path) -> None:
    hold(project, "backups", 50)
    planned_before(project, "backups", *(50.0 for _ in range(30)))
    content = json.loads(report_path(project).read_text())
    for ago in (-400, -3):
        content["runs"].append({"started": moment(ago), "figures": {"capacity.used backups": 10**15}})
    content["runs"].append({"started": "9999-12-31T23:59:59-14:00", "figures": {"capacity.used backups": 0}})
    content["runs"].append({**content["runs"][0]})
    write(report_path(project), content)
    result = limited()
    assert (result.status, forecast(result, "backups")["status"]) == (1, "ok"), result.out
    assert measurements(result)["backups"] == 32
    (finding,) = result.findings("capacity.history")
    assert (finding["subject"], finding["value"]) == ("clock", 3)


def test_what_a_cache_that_is_a_link_holds_is_unknown_and_the_rest_told(
    inv: Inv, project: Path, tmp_path: Path
) -> None:
    (project / "cache").symlink_to(tmp_path)
    result = inv(TASK)
    assert (result.status, result.err) == (3, ""), result.out
    (unknown,) = (each for each in result.findings("capacity.forecast") if each["status"] == "unknown")
    assert (unknown["subject"], "cache is a symbolic link" in unknown["message"]) == ("cache", True)
    assert "cache" not in measurements(result)
    messages = {each["subject"]: each["message"] for each in result.findings("capacity.freeable")}
    assert "is not known: " in messages["weekly.cache-cleanup"]
    assert "symbolic link" in messages["weekly.cache-cleanup"]


@pytest.mark.slow
def test_folders_that_cannot_be_read_are_told_and_the_rest_goes_on(
    project: Path, environment: dict[str, str], without_privileges: list[str]
) -> None:
    hold(project, "cache", 3)
    hold(project, "data", 5)
    closed = [reported(project, "health_reports", 1, {"figures": {}}).parent, project / "data"]
    for folder in closed:
        folder.chmod(0)
    try:
        done = subprocess.run(
            [*without_privileges, INV, TASK],
            cwd=REPOSITORY,
            env={**environment, "INVOKE_MAINTENANCE_OUTPUT": "json"},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        for folder in closed:
            folder.chmod(0o755)
    result = Result(done.returncode, done.stdout, done.stderr)
    assert (result.status, result.err) == (1, ""), result.out
    (finding,) = result.findings("capacity.history")
    assert '"logs/health_reports"' in finding["message"]
    measured = {each["subject"]: each["value"] for each in result.report["metrics"]}
    assert (measured["cache"], "data" in measured) == (3 * MB, False)


def test_people_read_a_table_and_what_is_wrong_first(limited: Callable[..., Result], inv: Inv, project: Path) -> None:
    hold(project, "backups", 80)
    planned_before(project, "backups", *growing())
    assert limited().status == 1
    result = inv(TASK, json=False)
    assert (result.status, result.err) == (0, ""), result.out
    assert "clean-ups" in result.out
    assert "80.0 MB" in result.out

"""A clock that is years past everything that the project has left deletes nothing by age."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tasks.demo_site.provider_stand_in import Behaviour, stand_in
from tasks.logs.errors.fingerprint import VERSION

from .conftest import Inv, Result, entry, fingerprint, recorded

TRUST = {"INVOKE_MAINTENANCE_CLOCK_TRUST": "true"}
ROTATION, CLEANUP, MONITOR = "weekly.log-rotation", "weekly.cache-cleanup", "daily.error-monitor"
RECOVER, HEALTH, SURVEY = "emergency.recover", "daily.health-check", "weekly.api-health"
TRACKING, TIMES = "logs/error_tracking.json", "logs/api_performance.json"


def ago(days: float) -> datetime:
    return datetime.now().astimezone() - timedelta(days=days)


def archive(project: Path, days: float) -> Path:
    """Leave the archive of a rotation so many days ago."""
    day = ago(days)
    return entry(project / f"logs/archive/{day:%Y/%m}/app_{day:%Y%m%d}.log.gz", hours=days * 24, content=b"packed")


def groups(project: Path, days: float) -> None:
    """Leave a group of errors that was resolved so many days ago."""
    moment = ago(days).isoformat()
    group = {
        "title": "it broke",
        "level": "ERROR",
        "state": "resolved",
        "first_seen": moment,
        "last_seen": moment,
        "count": 1,
        "days": {},
        "log": "app.log",
        "sample": "it broke",
        "resolved": moment,
    }
    content = {"schema": 1, "visited": moment, "logs": {}, "groups": {f"{VERSION}:0123456789ab": group}}
    (project / TRACKING).write_text(json.dumps(content))


def measurements(project: Path, days: float) -> None:
    """Leave a measurement of a provider from so many days ago."""
    measured = {"avg_response_time": 1.0, "success_rate": 1.0}
    content = [{"timestamp": ago(days).isoformat(), "source": HEALTH, "providers": {"deepseek": measured}}]
    (project / TIMES).write_text(json.dumps(content))


@pytest.fixture
def rested(project: Path) -> Path:
    """A project with something that is old in every folder; what the newest trace is, each test says."""
    archive(project, 900)
    entry(project / "cache/temp/one", hours=900 * 24)
    entry(project / "cache/temp/sub/two", hours=900 * 24)
    os.utime(project / "cache/temp/sub", (0, 0))
    entry(project / "cache/api_loose.json", hours=900 * 24)
    groups(project, 900)
    measurements(project, 900)
    return project


@pytest.fixture
def providers(environment: dict[str, str]) -> Iterator[None]:
    """Providers that answer."""
    with stand_in(Behaviour(models=("deepseek-chat",))) as one, stand_in(Behaviour(models=("grok-4",))) as other:
        environment |= {
            "INVOKE_MAINTENANCE_PROVIDERS_DEEPSEEK_BASE_URL": one.url,
            "INVOKE_MAINTENANCE_PROVIDERS_GROK_BASE_URL": other.url,
            "DEEPSEEK_API_KEY": "sk-of-deepseek-0123456789",
            "GROK_API_KEY": "xai-of-grok-0123456789abcdef",
        }
        yield


def clock(result: Result) -> list[dict[str, Any]]:
    return [
        each for report in result.document["reports"] for each in report["findings"] if each["check"] == "clock.trust"
    ]


def old_left(project: Path) -> dict[str, bool]:
    """Tell what of the old things is still there, by the procedure that would delete it."""
    return {
        ROTATION: any(project.glob(f"logs/archive/{ago(900):%Y}/*/app_{ago(900):%Y%m%d}.log.gz")),
        CLEANUP: any(path.is_file() and path.stat().st_size == 2 for path in project.glob("cache/**/*")),
        MONITOR: bool(json.loads((project / TRACKING).read_text())["groups"]),
        HEALTH: any(each["timestamp"] < ago(800).isoformat() for each in json.loads((project / TIMES).read_text())),
    }


DELETERS = pytest.mark.parametrize("task", [ROTATION, CLEANUP, MONITOR, pytest.param(HEALTH, marks=pytest.mark.slow)])


@DELETERS
@pytest.mark.usefixtures("providers")
def test_401_days_past_the_newest_archive_nothing_is_deleted_and_that_is_unknown(
    inv: Inv, rested: Path, task: str
) -> None:
    archive(rested, 401)
    before = fingerprint(rested)
    planned = inv(task, "--dry-run")
    assert fingerprint(rested) == before
    result = inv(task)
    ((finding,), (said,)) = clock(result), clock(planned)
    assert (result.status, planned.status) == (3, 3), result.out
    assert (finding["status"], result.report["status"]) == ("unknown", "unknown")
    assert f"401 days after the newest log, stamp and archive ({ago(401):%Y-%m-%d})" in finding["message"]
    assert said == {**finding, "message": said["message"]}
    assert said["message"].split(" would be left. ") == re.split(r" (?:was|were) left\. ", finding["message"])
    assert task in finding["remedy"]
    assert old_left(rested)[task]
    assert result.targets("delete") == []


@DELETERS
@pytest.mark.parametrize("days", [1, 399])
@pytest.mark.usefixtures("providers")
def test_within_400_days_what_is_old_goes(inv: Inv, rested: Path, task: str, days: int) -> None:
    archive(rested, days)
    result = inv(task)
    assert clock(result) == []
    assert not old_left(rested)[task]


@DELETERS
@pytest.mark.usefixtures("providers")
def test_a_clock_that_is_trusted_deletes_what_is_old(inv: Inv, rested: Path, task: str) -> None:
    archive(rested, 401)
    result = inv(task, env=TRUST)
    assert clock(result) == []
    assert not old_left(rested)[task]


@pytest.mark.parametrize("task", [CLEANUP, MONITOR])
def test_a_project_without_any_trace_is_not_blocked(inv: Inv, rested: Path, task: str) -> None:
    for path in rested.glob("logs/archive/*/*/*"):
        path.unlink()
    result = inv(task)
    assert clock(result) == []
    assert not old_left(rested)[task]


@pytest.mark.parametrize("trace", ["log", "stamp"])
def test_a_young_log_or_an_earlier_run_is_enough(inv: Inv, rested: Path, trace: str) -> None:
    if trace == "log":
        entry(rested / "logs/app.log", hours=399 * 24, content=b"a line\n")
    else:
        inv("schedule.status")
        inv(MONITOR, env=TRUST)
    result = inv(ROTATION)
    assert clock(result) == []
    assert not old_left(rested)[ROTATION]


def test_what_a_run_leaves_while_the_clock_is_doubted_makes_no_later_run_believe_it(inv: Inv, rested: Path) -> None:
    """A rotation makes an archive of today and an empty log, every run leaves a stamp of today."""
    entry(rested / "logs/app.log", hours=401 * 24, content=b"a line\n")
    for _ in range(2):
        result = inv(MONITOR, ROTATION, CLEANUP)
        assert [each["subject"] for each in clock(result)] == [TRACKING, "logs/archive", "cache"]
        assert result.status == 3
    assert any(rested.glob(f"logs/archive/{ago(0):%Y/%m}/app_*.log.gz"))
    left = old_left(rested)
    assert (left[ROTATION], left[CLEANUP], left[MONITOR]) == (True, True, True)
    assert all("clock_newest" in each for each in recorded(rested))
    assert inv(ROTATION, env=TRUST).status == 0
    assert clock(inv(MONITOR, ROTATION, CLEANUP)) == []
    left = old_left(rested)
    assert (left[ROTATION], left[CLEANUP], left[MONITOR]) == (False, False, False)


def test_the_cache_is_sorted_all_the_same_and_every_entry_that_looks_expired_is_counted(inv: Inv, rested: Path) -> None:
    archive(rested, 401)
    planned, result = inv(CLEANUP, "--dry-run"), inv(CLEANUP)
    assert (rested / "cache/api_responses/api_loose.json").exists()
    for each in (planned, result):
        ((finding,), kinds) = clock(each), each.findings("cache.expired")
        assert (finding["value"], finding["unit"]) == (3, "files")
        assert [kind["subject"] for kind in kinds] == ["cache/material_data", "cache/component_cache"]
        assert {kind["value"] for kind in kinds} == {0}


def test_an_age_of_no_time_does_not_depend_on_the_clock(inv: Inv, rested: Path) -> None:
    archive(rested, 401)
    result = inv(CLEANUP, "--older-than", "12")
    assert (result.status, len(clock(result))) == (3, 1)
    assert inv(CLEANUP, "--older-than", "0").status == 0
    assert not old_left(rested)[CLEANUP]


def no_providers(tmp_path: Path) -> str:
    file = tmp_path / "no-providers.yaml"
    file.write_text("maintenance: {providers: {deepseek: null, grok: null}}\n")
    return str(file)


ROOM: Mapping[str, str] = {
    "INVOKE_MAINTENANCE_HEALTH_DISK_PERCENT": "100",
    "INVOKE_MAINTENANCE_HEALTH_MEMORY_PERCENT": "100",
    "INVOKE_MAINTENANCE_LOGS_EMERGENCY_TOTAL_MB": "0",
}


def test_a_recovery_deletes_nothing_by_age_and_clears_what_it_is_asked_to_clear(
    inv: Inv, rested: Path, tmp_path: Path
) -> None:
    archive(rested, 401)
    result = inv("-f", no_providers(tmp_path), RECOVER, env=ROOM)
    statuses = {each["check"]: each["status"] for each in result.report["findings"]}
    assert (statuses["recovery.cache"], statuses["recovery.logs"]) == ("unknown", "unknown")
    left = old_left(rested)
    assert (left[CLEANUP], left[ROTATION]) == (True, True)
    result = inv("-f", no_providers(tmp_path), RECOVER, "--yes", env=ROOM)
    left = old_left(rested)
    assert (left[CLEANUP], left[ROTATION]) == (False, True)


def test_what_a_cleanup_would_free_is_not_known(inv: Inv, rested: Path) -> None:
    archive(rested, 401)
    found = {each["subject"]: each for each in inv("quarterly.capacity-planning").findings("capacity.freeable")}
    assert found[CLEANUP]["status"] == "skipped"
    assert "so nothing is deleted by age" in found[CLEANUP]["message"]


def test_a_clock_in_the_past_deletes_nothing_that_is_dated_after_it(inv: Inv, project: Path) -> None:
    young = [archive(project, -30), entry(project / "cache/temp/one", hours=-30 * 24)]
    groups(project, -200)
    measurements(project, -500)
    result = inv(ROTATION, CLEANUP, MONITOR)
    assert clock(result) == []
    assert [path.exists() for path in young] == [True, True]
    assert json.loads((project / TRACKING).read_text())["groups"]

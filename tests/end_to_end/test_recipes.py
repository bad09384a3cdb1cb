"""The chains that the README recommends, as they stand there, on a real project: that each does what it is for."""

from __future__ import annotations

import re
import shlex
from datetime import datetime
from pathlib import Path

import pytest

from .conftest import REPOSITORY, Inv, Result, entry, recorded

RECIPES = (REPOSITORY / "README.md").read_text("utf-8").partition("\n## Recipes\n")[2].partition("\n## ")[0]
COMMANDS = [
    line.removeprefix("inv ")
    for block in re.findall(r"```sh\n(.*?)```", RECIPES, re.DOTALL)
    for line in block.splitlines()
]
LINE = b"2026-11-23 11:59:59,707 - api.client - INFO - an article was written\n"


def arguments(beginning: str) -> list[str]:
    """Return the arguments of the one recommended call that begins like this."""
    (command,) = (each for each in COMMANDS if each.startswith(beginning))
    return shlex.split(command)


def reports(result: Result) -> dict[str, dict[str, object]]:
    return {report["task"]: report for report in result.document["reports"]}


@pytest.fixture
def site(project: Path, environment: dict[str, str], tmp_path: Path) -> tuple[Path, list[str]]:
    """A project with data, a log and a cache, and what makes ``inv`` ask no provider."""
    entry(project / "data/materials.yaml", content=b"materials: {}\n")
    entry(project / "logs/app.log", content=LINE * 100)
    for kind in ("api_responses", "temp"):
        entry(project / f"cache/{kind}/fresh.json")
    settings = tmp_path / "no-providers.yaml"
    settings.write_text("maintenance: {providers: {deepseek: null, grok: null}}\n")
    environment["INVOKE_MAINTENANCE_HEALTH_DISK_PERCENT"] = "100"
    environment["INVOKE_MAINTENANCE_HEALTH_MEMORY_PERCENT"] = "100"
    return project, ["-f", str(settings)]


def test_every_recipe_is_tried_here() -> None:
    assert COMMANDS == [
        "backup.create release.checklist",
        "schedule.due --quiet",
        "emergency.recover --dry-run",
        "emergency.recover --yes weekly.log-rotation quarterly.capacity-planning",
    ]


def test_before_a_release_the_backup_just_made_is_what_its_gate_asks_for(
    inv: Inv, site: tuple[Path, list[str]]
) -> None:
    project, settings = site
    result = inv(*settings, *arguments("backup.create"))
    (gate,) = (each for each in result.document["reports"][1]["findings"] if each["check"] == "release.backup")
    assert [*reports(result)] == ["backup.create", "release.checklist"]
    assert gate["message"].startswith("go: "), gate
    assert result.status in {2, 3}  # it is in no repository, and its materials are none
    assert len([*project.glob("backups/*.tar.gz")]) == 1


def test_every_night_what_is_due_runs_once_and_a_night_of_which_all_is_well_says_nothing(
    inv: Inv, site: tuple[Path, list[str]]
) -> None:
    project, settings = site
    first = inv(*settings, *arguments("schedule.due"), json=False)
    assert first.out.startswith("schedule.due  ")  # this project has things to tell: no environment, for one
    runs = recorded(project)
    assert len({run["task"] for run in runs if "whole" not in run}) == 12
    second = inv(*settings, *arguments("schedule.due"), json=False)
    assert (second.status, second.out, second.err) == (0, "", "")
    assert recorded(project) == runs


@pytest.mark.parametrize("limit", ["0", "1000"], ids=["the recovery rotates", "the chain rotates"])
def test_on_a_disk_that_fills_the_logs_are_rotated_once(
    inv: Inv, site: tuple[Path, list[str]], environment: dict[str, str], limit: str
) -> None:
    project, settings = site
    environment["INVOKE_MAINTENANCE_LOGS_EMERGENCY_TOTAL_MB"] = limit
    planned = inv(*settings, *arguments("emergency.recover --dry-run"))
    assert planned.report["dry_run"]
    assert (project / "cache/temp/fresh.json").exists()
    result = inv(*settings, *arguments("emergency.recover --yes"))
    assert [*reports(result)] == ["emergency.recover", "weekly.log-rotation", "quarterly.capacity-planning"]
    rotation = str(reports(result)["weekly.log-rotation"]["summary"])
    assert ("already run by emergency.recover in this run" in rotation) == (limit == "0"), rotation
    assert len([*project.glob(f"logs/archive/{datetime.now().astimezone():%Y/%m}/app_*.gz")]) == 1
    assert not (project / "cache/temp/fresh.json").exists()
    assert (project / "data/materials.yaml").read_bytes() == b"materials: {}\n"

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tasks.core.run.registry import own_files
from tasks.core.settings.model import Settings
from tasks.namespace import namespace

from .conftest import Inv, Result, fingerprint


@pytest.mark.slow
def test_the_demo_finds_every_planted_problem_and_can_be_repeated(copy: Path, inv: Inv) -> None:
    for _ in range(2):
        result = inv("demo", cwd=copy)
        assert result.status == 0, result.err
        assert result.report["summary"] == "found 41 of 41 planted problems"
        reports = {report["task"]: report["status"] for report in result.report["data"]["reports"]}
        assert reports.pop("quarterly.capacity-planning") in {"warning", "critical"}  # as full as the machine's disk is
        assert reports == {
            "daily.log-review": "warning",
            "daily.health-check": "critical",
            "daily.error-monitor": "critical",
            "monthly.dependency-update": "critical",
            "monthly.performance-analysis": "warning",
            "monthly.config-review": "critical",
            "quarterly.backup-verification": "critical",
            "quarterly.system-audit": "critical",
            "weekly.cache-cleanup": "warning",
            "weekly.log-rotation": "ok",
            "weekly.api-health": "critical",
            "release.checklist": "critical",
        }
        assert unknown_commands(result) == []
        (lines,) = result.findings("demo.lines")
        assert lines["status"] == "ok"
    assert {path.name for path in copy.iterdir()} == {"tasks", "tasks.py", "invoke.yaml", "demo-site"}
    assert undeclared(copy / "demo-site") == []


def unknown_commands(result: Result) -> list[str]:
    """Return the commands in the remedies of the demo's reports that ``inv --list`` does not show."""
    findings = [finding for report in result.report["data"]["reports"] for finding in report["findings"]]
    remedies = [each["remedy"] for each in findings if each["remedy"]]
    named = [name for remedy in remedies for name in re.findall(r"\binv (?:--?\S+ )*([\w.-]*\w)", remedy)]
    assert len({*named}) > 5
    known = {*namespace.task_names, *namespace.collections}
    return sorted({*named} - known)


def undeclared(site: Path) -> list[str]:
    """Return what the suite wrote in the demo's project that no declaration names: the project's own files aside."""
    own = own_files(Settings())
    folders = [site / name for name in ("logs", "backups")]
    written = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    written += [path for path in (site / "cache").iterdir() if path.is_file()]
    projects_own = {"logs/performance.json", *(f"logs/{path.name}" for path in (site / "logs").glob("*.log"))}
    names = {path.relative_to(site).as_posix() for path in written} - projects_own
    assert len(names) > 40
    planted = {"cache/material_twice.json"}
    return sorted(name for name in names - planted if not own.owns(name))


def test_the_demo_builds_nothing_in_a_dry_run(copy: Path, inv: Inv) -> None:
    before = fingerprint(copy)
    results = inv("demo", "--dry-run", cwd=copy), inv("-R", "demo", cwd=copy)
    assert [result.status for result in results] == [0, 0]
    assert results[0].report["actions"][0]["target"] == "demo-site"
    assert fingerprint(copy) == before


@pytest.mark.parametrize("kind", ["folder", "file", "link"])
def test_the_demo_refuses_what_it_did_not_make(copy: Path, inv: Inv, kind: str) -> None:
    if kind == "folder":
        (copy / "demo-site").mkdir()
        (copy / "demo-site" / "mine.txt").write_text("mine")
    elif kind == "file":
        (copy / "demo-site").write_text("mine")
    else:
        (copy / "other").mkdir()
        (copy / "demo-site").symlink_to("other")
    before = fingerprint(copy)
    result = inv("demo", cwd=copy)

    assert result.status == 2
    assert "was not made by inv demo" in result.report["findings"][0]["message"]
    assert fingerprint(copy) == before


@pytest.mark.slow
def test_the_demo_is_not_led_astray_by_the_users_own_settings(copy: Path, inv: Inv, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    env = {"INVOKE_MAINTENANCE_CACHE_DIRECTORY": "other", "INVOKE_MAINTENANCE_ROOT": os.fspath(elsewhere)}
    assert inv("demo", cwd=copy, env=env).report["summary"] == "found 41 of 41 planted problems"
    assert list(elsewhere.iterdir()) == []


def test_the_list_and_the_help_read_well(inv: Inv) -> None:
    listed = inv("--list", json=False)
    assert listed.status == 0
    for name in (
        "demo",
        "daily.log-review",
        "daily.health-check",
        "daily.error-monitor",
        "monthly.performance-analysis",
        "weekly.api-health",
        "weekly.cache-cleanup",
        "weekly.log-rotation",
        "weekly.all (weekly)",
        "settings.show",
        "report.schema",
    ):
        assert name in listed.out
    helped = inv("--help", "weekly.cache-cleanup", json=False)
    for flag in ("--dry-run", "--kind", "--older-than"):
        assert flag in helped.out

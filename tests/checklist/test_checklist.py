from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import msgspec
import pytest

from tasks.checklist.checklist import Measure, Ports, check, is_kept
from tasks.checklist.gates.maintenance_gate import MaintenanceState
from tasks.checklist.report_gate import report_gate
from tasks.conventions.project_conventions import ProjectConventions
from tasks.core.errors import UserError
from tasks.core.programs.interpreter import Interpreter
from tasks.core.report.model import Finding, Interrupted, Report, Status
from tasks.core.report.reused_reports import Source
from tasks.core.run.registry import procedures
from tasks.core.settings.model import ReleaseSettings, Settings

from .test_release_repository import git

pytestmark = pytest.mark.needs("git")

NOW = datetime.fromisoformat("2026-11-26T12:00:00+01:00")

WELL = ("providers.answer", "dependencies.audit", "configuration.readable", "backup.verified")


def report(*checks: str, status: Status = Status.OK) -> Report:
    findings = [Finding(check=each, subject="s", status=status, message="So it is.") for each in checks]
    return Report(summary="", findings=findings)


class World:
    """What a checklist is given, and how it went about it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.settings = Settings(root=str(root), release=ReleaseSettings(test_command="true", lint_commands=("true",)))
        self.measured: list[str] = []
        self.since: list[datetime | None] = []
        self.counted: list[int] = []
        self.set: set[str] = set()
        self.maintenance: MaintenanceState | None = None
        self.measure: Measure = self.well
        self.errors: Callable[[datetime | None, Event], Report] = self.none

    def well(self, name: str, _usable: Callable[[Source], bool]) -> Source:
        self.measured.append(name)
        return Source(report(*WELL), NOW, reused=False)

    def none(self, since: datetime | None, _stop: Event) -> Report:
        self.since.append(since)
        return report("errors.critical")

    def check(self, *, dry_run: bool = False, **arguments: Any) -> Report:
        ports = Ports(
            measure=self.measure,
            report_gates=[report_gate(each.name, *each.gate) for each in procedures() if each.gate is not None],
            errors=self.errors,
            room=lambda: report("system.disk"),
            maintenance=self.maintenance,
            conventions=ProjectConventions(self.root, is_own=is_kept(self.settings), keys=()),
            is_set=self.set.__contains__,
            interpreter=Interpreter(None),
            environ={"PATH": "/usr/bin:/bin"},
            redact=str,
        )
        return check(self.settings, ports, now=NOW, advance=self.counted.append, dry_run=dry_run, **arguments)


@pytest.fixture
def world(tmp_path: Path) -> World:
    root = tmp_path / "project"
    root.mkdir()
    git(root, "init", "--initial-branch=main")
    (root / "VERSION").write_text("1.2.0\n")
    git(root, "add", "-A")
    git(root, "commit", "-m", "one")
    return World(root)


def answers(found: Report) -> dict[str, str]:
    return {name: gate["answer"] for name, gate in found.data["gates"].items()}


def test_go(world: World) -> None:
    world.maintenance = MaintenanceState([], [], {})
    found = world.check()
    assert {*answers(found).values()} == {"go"}, found
    assert found.status is Status.OK
    assert sum(world.counted) == 12
    assert world.measured[0] == "daily.health-check"
    assert sorted(world.measured) == sorted({*world.measured})
    assert world.since == [None]


def test_overdue_maintenance_warns(world: World) -> None:
    world.maintenance = MaintenanceState(["weekly.log-rotation"], [], {})
    found = world.check()
    assert (answers(found)["maintenance"], found.status) == ("no-go", Status.WARNING)
    assert found.summary == "GO for 1.2.0, warned by maintenance (11 go, 1 no-go)"


def test_errors_count_from_the_last_release_on(world: World) -> None:
    git(world.root, "tag", "-a", "-m", "x", "v1.1.0", day="2026-11-21T12:00:00+0000")
    git(world.root, "commit", "--allow-empty", "-m", "two")
    git(world.root, "tag", "v1.2.0")
    world.check()
    assert world.since == [datetime.fromisoformat("2026-11-21T12:00:00+00:00")]


@pytest.mark.parametrize("form", ["{}", "v{}", "generator-{}", "release-{}", "rel_{}"])
def test_a_project_with_releases_is_never_called_new(world: World, form: str) -> None:
    (world.root / "pyproject.toml").write_text('[project]\nname = "generator"\nversion = "1.2.0"\n')
    for number in range(5):
        git(world.root, "tag", form.format(f"1.1.{number}").replace("." if "release" in form else " ", "-"))
    git(world.root, "add", "-A")
    git(world.root, "commit", "-m", "two")
    found = world.check().data["gates"]["version"]
    assert found["answer"] == "go"
    assert found["reason"].endswith("was the last release.")
    assert "1.1.4" in found["reason"].replace("1-1-4", "1.1.4")


def test_settings_count_before_what_the_project_shows(world: World) -> None:
    (world.root / "CHANGES.rst").write_text("1.1.0\n=====\n")
    (world.root / "other.md").write_text("## 1.2.0\n")
    git(world.root, "tag", "x1.0")
    git(world.root, "add", "-A")
    git(world.root, "commit", "-m", "two")
    assert answers(world.check())["version"] == "no-go"
    world.settings = msgspec.structs.replace(
        world.settings, release=msgspec.structs.replace(world.settings.release, changelog="other.md", tag_prefix="x")
    )
    assert answers(world.check())["version"] == "no-go"
    world.set = {"changelog", "tag_prefix"}
    found = world.check().data["gates"]["version"]
    assert found["reason"] == "1.2.0 in VERSION and other.md; x1.0 was the last release."


@pytest.mark.parametrize(
    ("error", "message"),
    [(UserError("Do it so."), "Do it so."), (ValueError("of\nno use"), "ValueError: of no use")],
)
def test_a_gate_that_fails_is_not_checked_and_the_others_answer(world: World, error: Exception, message: str) -> None:
    def fails(_since: datetime | None, _stop: Event) -> Report:
        raise error

    world.errors = fails
    found = world.check()
    assert answers(found)["errors"] == "not checked"
    assert found.data["gates"]["errors"]["reason"] == message
    assert [*answers(found).values()].count("go") == 10


def test_what_ctrl_c_interrupts_is_told_and_nothing_more_is_begun(world: World) -> None:
    def interrupted(name: str, _usable: Callable[[Source], bool]) -> Source:
        world.measured.append(name)
        raise Interrupted(report("run.interrupted", status=Status.UNKNOWN))

    world.measure = interrupted
    with pytest.raises(Interrupted) as stopped:
        world.check()
    assert world.measured == ["daily.health-check"]
    result = answers(stopped.value.report)
    assert {result[name] for name in ("providers", "dependencies", "backup")} == {"not checked"}
    assert result["tree"] == "go"
    reasons = stopped.value.report.data["gates"]
    assert reasons["providers"]["reason"].startswith("daily.health-check did not run to its end")
    assert reasons["backup"]["reason"] == "It was told to stop before this was looked at."


def test_a_fault_beside_running_commands_ends_them(world: World) -> None:
    world.settings = msgspec.structs.replace(
        world.settings, release=ReleaseSettings(test_command="sleep 300", lint_commands=("true",))
    )

    def fails(name: str, usable: Callable[[Source], bool]) -> Source:
        if name == "monthly.config-review":
            raise LookupError(name)
        return world.well(name, usable)

    world.measure = fails
    with pytest.raises(LookupError):
        world.check()


def test_a_report_is_used_where_it_is_of_this_commit_and_says_go(world: World) -> None:
    seen: dict[str, list[bool]] = {}
    old = NOW - timedelta(days=30)  # the commit is of six days ago

    def measure(name: str, usable: Callable[[Source], bool]) -> Source:
        seen[name] = [
            usable(Source(report(*WELL), NOW, reused=True)),
            usable(Source(report(*WELL), old, reused=True)),
            usable(Source(report(*WELL, status=Status.CRITICAL), NOW, reused=True)),
            usable(Source(report(*WELL, status=Status.UNKNOWN), NOW, reused=True)),
            usable(Source(report(*WELL, status=Status.SKIPPED), NOW, reused=True)),
        ]
        return Source(report(*WELL), NOW, reused=True)

    world.measure = measure
    world.check()
    of_commit = [True, False, False, False, True]
    assert seen == {
        "daily.health-check": [True, True, False, False, True],
        "monthly.dependency-update": of_commit,
        "monthly.config-review": of_commit,
        "quarterly.backup-verification": [True, True, False, False, True],
    }
    world.check(dry_run=True)
    assert seen["daily.health-check"] == [True] * 5
    assert seen["monthly.config-review"] == [True, False, True, True, True]


def test_where_everything_is_left_out_nothing_was_checked(world: World) -> None:
    world.settings = msgspec.structs.replace(
        world.settings, release=ReleaseSettings(gates={"tree": "skip", "maintenance": "block"})
    )
    found = world.check(skip=("maintenance", "maintenance"), reason="no\x1bneed")
    assert {*answers(found).values()} == {"skipped"}
    assert found.data["gates"]["maintenance"]["reason"] == r"Left out by --skip: no\x1bneed"
    assert found.data["verdict"] == "NOT CHECKED"
    assert world.measured == []
    assert world.since == []

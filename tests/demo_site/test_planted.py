from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from tasks.cache.cleanup import clean_up
from tasks.core.report.model import Finding, Report, Status
from tasks.core.settings.model import Settings
from tasks.demo_site import cache_problems, demo_project, demonstration, planted
from tasks.demo_site.planted import Planted

NOW = datetime(2025, 6, 2, 12, 0, 0, tzinfo=UTC)
TASK = "weekly.cache-cleanup"
FRESH = 260 + 380 + 140
EXPIRED = 412 + 57 + 203


class Demo:
    """A built demo project with its problems."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        demo_project.build_demo_project(folder, NOW)
        self.problems = [*cache_problems.plant(folder, NOW)]

    def clean(self, *, dry_run: bool = False) -> list[Report]:
        report = clean_up(Settings(root=str(self.folder)), now=NOW, dry_run=dry_run)
        return [msgspec.structs.replace(report, task=TASK)]

    def demonstrate(self, run: Callable[[], list[Report]]) -> Report:
        return demonstration.demonstrate(self.folder, self.problems, run)


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)


@pytest.fixture
def full_demo(tmp_path: Path) -> Demo:
    return Demo(tmp_path / "demo-site")


@pytest.fixture
def demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Demo:
    """The same problems on few entries."""
    monkeypatch.setattr(cache_problems, "_FRESH", {"api_responses": 2, "material_data": 3, "component_cache": 1})
    monkeypatch.setattr(cache_problems, "_EXPIRED", {"api_responses": 4, "material_data": 5, "component_cache": 2})
    return Demo(tmp_path / "demo-site")


def untouched(report: Report) -> Finding:
    """The finding on all that nobody may change."""
    (finding,) = (finding for finding in report.findings if finding.check == "demo.untouched")
    return finding


def test_every_planted_problem_is_found_and_nothing_else_changed(full_demo: Demo) -> None:
    demo = full_demo
    report = demo.demonstrate(demo.clean)
    assert [finding.subject for finding in report.findings if finding.status is not Status.OK] == []
    assert len(demo.problems) == 9
    assert report.summary == "found 9 of 9 planted problems"
    assert [finding.check for finding in report.findings] == ["demo.planted"] * 9 + ["demo.untouched", "demo.lines"]
    assert report.findings[0].message == f"Found by {TASK}: 412."


def test_a_dry_run_finds_the_same_problems(demo: Demo) -> None:
    report = demo.demonstrate(lambda: demo.clean(dry_run=True))
    assert report.summary == "found 9 of 9 planted problems"


def test_the_suites_own_reports_come_along(demo: Demo) -> None:
    reports: list[Report] = []

    def run() -> list[Report]:
        reports.extend(demo.clean())
        return reports

    assert demo.demonstrate(run).data == {"reports": reports}
    assert len(reports) == 1


def test_the_suite_does_to_the_planted_problems_what_it_should(full_demo: Demo) -> None:
    demo = full_demo
    demo.demonstrate(demo.clean)
    cache = demo.folder / "cache"
    assert [path.name for path in cache.rglob("expired_*")] == ["expired_locked.json"]
    assert len(list(cache.glob("*/fresh_*"))) == FRESH
    assert len(list(cache.glob("api_responses/api_loose_*"))) == 9
    assert (cache / "material_twice.json").read_bytes() != (cache / "material_data/material_twice.json").read_bytes()
    assert (cache / "component_cache/from_the_future.json").exists()
    assert (cache / "material_data/linked.json").is_symlink()
    assert (cache / "temp").is_dir()
    statistics = json.loads((cache / "stats.json").read_bytes())
    assert (statistics["hit_rate"], statistics["cache_size"]) == (0.62, 1_530_000)
    assert statistics["maintenance"]["entries"] == FRESH + 9 + 4


def test_planting_is_the_same_at_every_call(full_demo: Demo, tmp_path: Path) -> None:
    demo = full_demo
    other = Demo(tmp_path / "other" / "demo-site")
    assert other.problems == demo.problems

    def entries(folder: Path) -> dict[str, tuple[bytes, float]]:
        return {
            str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime)
            for path in (folder / "cache").rglob("*.json")
            if not path.is_symlink() and path.name != "stats.json"
        }

    assert entries(demo.folder) == entries(other.folder)
    assert len(entries(demo.folder)) == FRESH + EXPIRED + 9 + 4


def test_nothing_is_found_where_the_suite_says_nothing(demo: Demo) -> None:
    report = demo.demonstrate(list)
    assert report.summary == "found 0 of 9 planted problems"
    assert report.status is Status.CRITICAL
    assert [finding.message for finding in report.findings[:9]] == ["Not found."] * 9
    assert untouched(report).status is Status.OK


def test_one_wrong_number_costs_one_problem(demo: Demo) -> None:
    def run() -> list[Report]:
        (demo.folder / "cache/component_cache/expired_0000.json").unlink()
        return demo.clean()

    report = demo.demonstrate(run)
    assert report.summary == "found 8 of 9 planted problems"
    lost = [finding for finding in report.findings if finding.status is Status.CRITICAL]
    assert [(one.subject, one.message) for one in lost] == [("expired entries in component_cache", "Not found.")]


PROBLEM = Planted("a problem", "cache.expired", "cache/temp", 3, Status.WARNING)
FINDING = Finding(check="cache.expired", subject="cache/temp", status=Status.WARNING, message="3 of them", value=3)


@pytest.mark.parametrize(
    "changed",
    [
        {"value": 2},
        {"value": None},
        {"value": "3"},
        {"check": "cache.future"},
        {"subject": "cache/other"},
        {"status": Status.OK},
    ],
)
def test_a_problem_told_of_in_any_other_way_is_not_found(changed: dict[str, object]) -> None:
    other = msgspec.structs.replace(FINDING, **changed)
    assert PROBLEM.reported_by([Report(summary="", task=TASK, findings=[other])]) is None


def test_a_problem_is_not_found_where_there_is_no_report() -> None:
    assert PROBLEM.reported_by([]) is None


def test_a_problem_told_of_exactly_is_found_among_others() -> None:
    other = msgspec.structs.replace(FINDING, value=2)
    reports = [
        Report(summary="", task="daily.first", findings=[other]),
        Report(summary="", task=TASK, findings=[other, FINDING]),
        Report(summary="", task="weekly.last", findings=[FINDING]),
    ]
    assert PROBLEM.reported_by(reports) == TASK


CHANGES = {
    "rewritten": "config/settings.py",
    "removed": "run.py",
    "added": "data/new",
    "link followed": "notes/kept.txt",
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_outside_cache_and_logs_is_critical_and_named(demo: Demo, change: str) -> None:
    def run() -> list[Report]:
        match change:
            case "rewritten":
                (demo.folder / "config/settings.py").write_text("")
            case "removed":
                (demo.folder / "run.py").unlink()
            case "added":
                (demo.folder / "data/new").touch()
            case _:
                (demo.folder / "cache/material_data/linked.json").write_text("followed")
        return demo.clean()

    finding = untouched(demo.demonstrate(run))
    assert (finding.check, finding.status, finding.value) == ("demo.untouched", Status.CRITICAL, 1)
    assert finding.message == f'Changed: "{CHANGES[change]}".'


def test_changes_in_cache_and_logs_are_the_suites_business(demo: Demo) -> None:
    def run() -> list[Report]:
        (demo.folder / "logs/zbeam.log").write_text("rotated")
        (demo.folder / "cache/component_cache/from_the_future.json").unlink()
        return []

    finding = untouched(demo.demonstrate(run))
    assert (finding.status, finding.value) == (Status.OK, 0)
    assert "are as they were" in finding.message


@pytest.mark.parametrize("statistics", ["{}", '{"hit_rate": 0.5, "cache_size": 1530000}', '{"hit_rate": 0.62}'])
def test_statistics_of_the_project_that_were_lost_are_critical(demo: Demo, statistics: str) -> None:
    def run() -> list[Report]:
        (demo.folder / "cache/stats.json").write_text(statistics)
        return []

    finding = untouched(demo.demonstrate(run))
    assert (finding.status, finding.message) == (Status.CRITICAL, 'Changed: "cache/stats.json".')


@pytest.mark.parametrize("statistics", [None, "", "[1]"])
def test_statistics_that_were_removed_or_broken_are_critical_and_no_traceback(
    demo: Demo, statistics: str | None
) -> None:
    def run() -> list[Report]:
        (demo.folder / "cache/stats.json").unlink()
        if statistics is not None:
            (demo.folder / "cache/stats.json").write_text(statistics)
        return []

    finding = untouched(demo.demonstrate(run))
    assert (finding.status, finding.message) == (Status.CRITICAL, 'Changed: "cache/stats.json".')


def is_free(path: Path) -> bool:
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def test_the_entry_in_use_is_locked_while_the_suite_runs_and_only_then(demo: Demo) -> None:
    entry = demo.folder / "cache/api_responses/expired_locked.json"
    seen: list[bool] = []

    def run() -> list[Report]:
        seen.append(is_free(entry))
        return []

    demo.demonstrate(run)
    assert seen == [False]
    assert is_free(entry)


def test_the_lock_is_given_back_when_the_suite_fails(demo: Demo) -> None:
    def run() -> list[Report]:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        demo.demonstrate(run)
    assert is_free(demo.folder / "cache/api_responses/expired_locked.json")


def test_keepsakes_are_all_files_but_those_in_cache_and_logs(demo: Demo) -> None:
    names = set(planted.keepsakes(demo.folder))
    files = {str(path.relative_to(demo.folder)) for path in demo.folder.rglob("*") if path.is_file()}
    assert names == {name for name in files if not name.startswith(("cache/", "logs/"))}
    assert {demo_project.MARK, "notes/kept.txt", "data/materials.yaml"} <= names

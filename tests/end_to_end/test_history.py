"""The daily procedures twice on each of two days, and what every reader of the history then knows."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

import tasks.namespace  # noqa: F401 - declares all procedures
from tasks import quarterly
from tasks.audit.performance import benchmarks
from tasks.core.report.model import Report
from tasks.core.run import execution
from tasks.core.run.registry import procedure_named
from tasks.core.settings.loading import Loaded, load
from tasks.core.settings.sources import Level, Sources
from tasks.demo_site.provider_stand_in import Behaviour, stand_in

from .conftest import HISTORY, entry, recorded

FIRST = datetime(2026, 9, 30, 7, 0, tzinfo=timezone(timedelta(hours=2)))
DAILY = ("daily.health-check", "daily.error-monitor", "daily.log-review")

OLDER_RECORDS = (
    "api_performance.json",
    "log_review.json",
    "audit_benchmarks.json",
    "health_reports",
    "cache_reports",
    "capacity_reports",
    "audit_reports",
    "schedule",
)
"""What earlier versions kept their histories in, in the log folder; some of it is still written for other programs."""


class Days:
    """A project with a clock of its own."""

    def __init__(self, loaded: Loaded) -> None:
        self.loaded = loaded
        self.root = Path(loaded.settings.root)
        self.now = FIRST

    def run(self, *names: str, dry: bool = False) -> Report:
        """Run procedures, a minute after each other, and return the last one's report."""
        for name in names:
            definition = procedure_named(name)
            self.now += timedelta(minutes=1)
            arguments = definition.converted(definition.spelled_out({}), self.loaded.settings)
            report = execution.execute(definition, arguments, self.loaded, dry=dry)
        return report

    def known(self) -> dict[str, Any]:
        """Return what each reader makes of the history, in dry runs."""
        trend = self.run("monthly.performance-analysis", dry=True)
        capacity = self.run("quarterly.capacity-planning", dry=True)
        status = self.run("schedule.status")
        rows = {row["procedure"]: row for row in status.data["schedule"]}
        return {
            "measurements": {row["provider"]: row["count"] for row in trend.data["providers"]},
            "sizes": {row["series"]: row["measurements"] for row in capacity.data["capacity"]},
            "last": {name: row["last run"] for name, row in rows.items() if row["last run"]},
            "history problems": [each.message for each in capacity.findings if each.check == "capacity.history"],
        }


@pytest.fixture
def days(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Days]:
    root = tmp_path.resolve() / "project"
    entry(root / "logs/app.log", content=b"2026-09-30 06:00:00,000 - app - INFO - started\n")
    entry(root / "cache/temp/fresh", content=b"12345")
    monkeypatch.setenv("A_KEY", "sk-of-the-stand-in-0123456789")
    monkeypatch.setattr(benchmarks, "_TIMES", 1)
    monkeypatch.setattr(quarterly, "_sources", lambda *_, **__: {})  # they would ask the index
    with stand_in(Behaviour(models=("one",))) as server:
        provider = {"base_url": server.url, "model": "one", "key_env": "A_KEY"}
        others = {"deepseek": None, "grok": None}
        audit = {"places": ["logs"]}  # so that there is something to score
        tree = {"root": str(root), "audit": audit, "providers": {"one": provider, **others}}
        found = Days(load(Sources([Level("test", tree)], {}, [], root)))
        monkeypatch.setattr(execution, "now", lambda: found.now)
        yield found


def test_two_days_of_daily_runs_are_known_to_every_reader(days: Days) -> None:
    days.run(*DAILY, *DAILY, "weekly.cache-cleanup", "quarterly.system-audit")
    days.now = FIRST + timedelta(days=1)
    days.run(*DAILY, *DAILY, "weekly.api-health", "quarterly.capacity-planning")

    # The trend and the month have five measurements; the plan's own dry run looks once more at each size.
    known = days.known()
    assert known["measurements"] == {"one": 5}
    assert known["sizes"] == {"disk": 4 + 1 + 1, "inodes": 4 + 1 + 1, "logs": 4 + 1 + 1, "cache": 1 + 1 + 1}
    assert known["last"] == {
        "daily.health-check": "2026-10-01 07:04",
        "daily.error-monitor": "2026-10-01 07:05",
        "daily.log-review": "2026-10-01 07:06",
        "weekly.cache-cleanup": "2026-09-30 07:07",
        "weekly.api-health": "2026-10-01 07:07",
        "quarterly.system-audit": "2026-09-30 07:08",
        "quarterly.capacity-planning": "2026-10-01 07:08",
    }
    assert known["history problems"] == []

    # The same is known without what earlier versions kept it in: nothing was counted twice, and nothing is missing.
    for name in OLDER_RECORDS:
        path = days.root / "logs" / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    assert days.known() == known
    assert days.run("weekly.api-health").data["trend"][0]["count"] == 6

    # An audit compares itself with that of the quarter before: its benchmarks and its score.
    report = days.run("quarterly.system-audit")
    found = {each.check: each.message for each in report.findings}
    assert found["audit.benchmarks"].startswith("On the same machine (")
    assert "in 2026Q3" in found["audit.trend"]


def test_the_history_has_each_run_with_what_it_found(days: Days) -> None:
    days.run(*DAILY)
    before = (days.root / HISTORY).read_bytes()
    days.run(*DAILY, "quarterly.capacity-planning", dry=True)
    days.run("schedule.status")
    assert (days.root / HISTORY).read_bytes() == before
    assert [each["task"] for each in recorded(days.root)] == [*DAILY]
    (health,) = recorded(days.root, "daily.health-check")
    assert health["results"]["providers.answer"] == "ok"
    assert ["providers.success_rate", "one", 1.0, "share"] in health["figures"]
    assert health["began"] == "2026-09-30T07:01:00+02:00"


def test_the_history_is_none_of_the_projects_logs_under_any_pattern(days: Days) -> None:
    tree = {"root": str(days.root), "providers": {"deepseek": None, "grok": None}, "logs": {"pattern": "*"}}
    days.loaded = load(Sources([Level("test", tree)], {}, [], days.root))
    days.run(*DAILY)
    with (days.root / HISTORY).open("ab") as file:
        file.write(b"ERROR this is no record of a log\n")
    review = days.run("daily.log-review")
    assert HISTORY not in {row["log"] for row in review.data["logs"]}
    assert HISTORY not in repr(days.run("daily.error-monitor"))

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import jsonschema
import pytest

from .conftest import Inv, fingerprint

TASK = "monthly.performance-analysis"


def records(project: Path, *, before: tuple[float, int] = (3.0, 20), after: tuple[float, int] = (3.0, 20)) -> None:
    """Write 20 generations of each month: how long they took, and how many of them succeeded."""
    now = datetime.now().astimezone()
    entries = [
        {
            "timestamp": (now - timedelta(days=days, minutes=number)).isoformat(),
            "component": "caption",
            "duration": seconds,
            "success": number < succeeded,
            "tokens": 100,
        }
        for days, (seconds, succeeded) in ((45, before), (10, after))
        for number in range(20)
    ]
    (project / "logs").mkdir(exist_ok=True)
    (project / "logs/performance.json").write_text(json.dumps(entries))


def measured(project: Path, seconds: float) -> None:
    now = datetime.now().astimezone()
    history = [
        {
            "timestamp": (now - timedelta(days=day)).isoformat(),
            "avg_response_time": seconds,
            "success_rate": 1.0,
            "providers": {name: {"avg_response_time": seconds, "success_rate": 1.0} for name in ("deepseek", "grok")},
        }
        for day in range(1, 13)
    ]
    (project / "logs/api_performance.json").write_text(json.dumps(history))


def cache_reports(project: Path, *megabytes: int) -> None:
    now = datetime.now().astimezone()
    folder = project / "logs/cache_reports"
    folder.mkdir(parents=True, exist_ok=True)
    for weeks, size in enumerate(reversed(megabytes)):
        day = now - timedelta(weeks=weeks)
        state = {"entries": 10 * size, "bytes": size * 1_000_000, "kinds": {}, "other": {}, "incomplete": []}
        run = {"started": day.isoformat(), "entries_before": 10 * size, "bytes_before": size * 1_000_000}
        content = {"schema": 1, "date": f"{day:%Y-%m-%d}", "updated": day.isoformat(), **state, "runs": [run]}
        (folder / f"cache_report_{day:%Y%m%d}.json").write_text(json.dumps(content))


@pytest.fixture
def well(project: Path) -> Path:
    records(project)
    measured(project, 1.0)
    cache_reports(project, 20, 21, 20, 22)
    return project


def test_a_month_like_the_last_one_calls_for_nothing(inv: Inv, well: Path) -> None:
    result = inv(TASK)
    assert (result.status, result.report["status"]) == (0, "ok"), result.out
    jsonschema.validate(result.document, json.loads(inv("report.schema", json=False).out))
    data = result.report["data"]
    (caption,) = data["generation"]
    assert (caption["component"], caption["count"], caption["p50"], caption["success"]) == ("caption", 20, 3.0, 1.0)
    assert [(row["provider"], row["count"], row["p50"]) for row in data["providers"]] == [
        ("deepseek", 12, 1.0),
        ("grok", 12, 1.0),
    ]
    assert len(data["cache_growth"]) == 4
    (written,) = (well / "logs/monthly_reports").iterdir()
    assert written.name == f"monthly_report_{datetime.now().astimezone():%Y%m}.json"
    content = json.loads(written.read_text())
    assert content["status"] == "ok"
    assert content["data"] == data


def test_what_got_worse_is_recommended_on_with_its_figures(inv: Inv, well: Path) -> None:
    records(well, after=(40.0, 15))
    measured(well, 20.0)
    cache_reports(well, 20, 30, 40, 60)
    result = inv(TASK)
    assert result.status == 2
    findings = {finding["check"]: finding for finding in result.report["findings"] if finding["status"] != "ok"}
    assert findings["generation.success_rate"]["value"] == 0.75
    assert findings["generation.success_fall"]["status"] == "warning"
    assert findings["generation.duration"]["value"] == 40
    assert findings["generation.slower"]["status"] == "warning"
    assert findings["providers.response_time"]["status"] == "critical"
    assert findings["cache.growth"]["value"] == 200
    assert all(finding["remedy"] for check, finding in findings.items() if finding["status"] in {"warning", "critical"})


def test_a_dry_run_leaves_everything_as_it_was(inv: Inv, well: Path) -> None:
    before = fingerprint(well)
    for result in (inv(TASK, "--dry-run"), inv("-R", TASK)):
        assert result.status == 0
        assert [action["done"] for action in result.report["actions"]] == [False]
        assert fingerprint(well) == before


def test_a_second_run_of_the_month_replaces_the_report(inv: Inv, well: Path) -> None:
    assert [inv(TASK).status, inv(TASK).status] == [0, 0]
    (written,) = (well / "logs/monthly_reports").iterdir()
    assert len(json.loads(written.read_text())["runs"]) == 2


def test_nothing_recorded_yet_is_no_error(inv: Inv) -> None:
    result = inv(TASK)
    assert (result.status, result.report["status"]) == (0, "skipped")


def test_files_that_are_broken_are_named_and_left(inv: Inv, well: Path) -> None:
    broken = {
        "logs/performance.json": '"a text"',
        "logs/api_performance.json": "{",
        f"logs/cache_reports/cache_report_{datetime.now().astimezone():%Y%m%d}.json": "[",
    }
    for name, text in broken.items():
        (well / name).write_text(text)
    result = inv(TASK)
    assert result.status == 3
    messages = " ".join(finding["message"] for finding in result.report["findings"])
    for name, text in broken.items():
        assert name.rpartition("/")[2] in messages
        assert (well / name).read_text() == text


def test_text_has_the_tables(inv: Inv, well: Path) -> None:
    out = inv(TASK, json=False).out
    assert str(well) not in out
    for heading in ("generation", "providers", "cache_growth"):
        assert f"\n  {heading}\n" in out

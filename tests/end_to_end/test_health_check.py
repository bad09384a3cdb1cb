from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tasks.demo_site.provider_stand_in import Behaviour, stand_in

from .conftest import INV, PATIENCE, REPOSITORY, Inv, Result, fingerprint, handles, wait_until

TASK = "daily.health-check"
HISTORY = "logs/api_performance.json"


def generations(project: Path, *, failed: int, number: int = 50, seconds: float = 3.0) -> None:
    now = datetime.now().astimezone()
    records = [
        {
            "timestamp": (now - timedelta(minutes=10 * each)).isoformat(),
            "component": "caption",
            "duration": seconds,
            "success": each >= failed,
        }
        for each in range(number)
    ]
    (project / "logs").mkdir(exist_ok=True)
    (project / "logs/performance.json").write_text(json.dumps(records))


def statistics(project: Path, **own: object) -> None:
    now = datetime.now().astimezone().isoformat()
    (project / "cache").mkdir(exist_ok=True)
    counted = {"updated": now, "entries": 12, "bytes": 3456, "incomplete": [], "kinds": {}, "other": {}}
    (project / "cache/stats.json").write_text(json.dumps({**own, "maintenance": counted}))


@pytest.fixture
def well(project: Path, environment: dict[str, str]) -> Iterator[None]:
    """A project in which everything is as it should be; the machine's own load is left out of account."""
    generations(project, failed=1)
    statistics(project, hit_rate=0.62)
    with stand_in(Behaviour(models=("deepseek-chat",))) as one, stand_in(Behaviour(models=("grok-4",))) as other:
        environment |= {
            "INVOKE_MAINTENANCE_PROVIDERS_DEEPSEEK_BASE_URL": one.url,
            "INVOKE_MAINTENANCE_PROVIDERS_GROK_BASE_URL": other.url,
            "DEEPSEEK_API_KEY": "sk-of-deepseek-0123456789",
            "GROK_API_KEY": "xai-of-grok-0123456789abcdef",
        }
        yield


def others(result: Result) -> dict[str, dict[str, Any]]:
    """Return the findings on everything but the machine, by check and subject."""
    return {
        f"{finding['check']} {finding['subject']}": finding
        for finding in result.report["findings"]
        if not finding["check"].startswith("system.")
    }


def expected_exit(result: Result) -> int:
    return {"ok": 0, "skipped": 0, "warning": 1, "critical": 2, "unknown": 3}[result.report["status"]]


@pytest.mark.usefixtures("well")
def test_a_project_that_is_well(inv: Inv, project: Path) -> None:
    result = inv(TASK)
    jsonschema.validate(result.document, json.loads(inv("report.schema", json=False).out))
    assert {finding["status"] for finding in others(result).values()} == {"ok"}, result.out
    assert result.status == expected_exit(result)
    figures = {each["name"]: each["value"] for each in result.report["metrics"]}
    assert (figures["generation.count"], figures["generation.success_rate"]) == (50, 0.98)
    assert {"system.cpu", "disk.used_bytes", "providers.response_time"} <= set(figures)
    (written,) = (project / "logs/health_reports").iterdir()
    content = json.loads(written.read_text())
    assert content["status"] == result.report["status"]
    assert content["runs"][0]["figures"]["disk.used_bytes ."] > 0
    (entry,) = json.loads((project / HISTORY).read_text())
    assert entry["source"] == TASK
    assert entry["success_rate"] == 1
    assert entry["providers"]["grok"]["avg_response_time"] > 0


@pytest.mark.usefixtures("well")
def test_a_second_run_of_the_day_replaces_the_report_and_adds_to_the_history(inv: Inv, project: Path) -> None:
    for _ in range(2):
        inv(TASK)
    (written,) = (project / "logs/health_reports").iterdir()
    assert len(json.loads(written.read_text())["runs"]) == 2
    assert len(json.loads((project / HISTORY).read_text())) == 2


@pytest.mark.usefixtures("well")
def test_a_dry_run_leaves_everything_as_it_was(inv: Inv, project: Path) -> None:
    before = fingerprint(project)
    for result in (inv(TASK, "--dry-run"), inv("-R", TASK)):
        assert result.report["dry_run"]
        assert fingerprint(project) == before
        assert others(result)["providers.answer grok"]["status"] == "skipped"
        assert not any(action["done"] for action in result.report["actions"])
        assert {"request", "write"} <= {action["verb"] for action in result.report["actions"]}


@pytest.mark.usefixtures("well")
def test_what_is_wrong_is_found(inv: Inv, project: Path) -> None:
    generations(project, failed=9, seconds=140)
    statistics(project, hit_rate=0.1)
    slow = {"INVOKE_MAINTENANCE_PROVIDERS_GROK_SLOW_SECONDS": "0", "DEEPSEEK_API_KEY": ""}
    result = inv(TASK, env=slow)
    found = others(result)
    assert result.status == 2
    (rate,) = result.findings("generation.success_rate")
    assert (rate["status"], rate["value"], rate["warning"]) == ("warning", 0.82, 0.9)
    assert result.findings("generation.duration")[0]["status"] == "critical"
    assert result.findings("cache.hit_rate")[0]["status"] == "warning"
    assert found["providers.answer grok"]["status"] == "warning"
    assert found["providers.answer deepseek"]["status"] == "critical"


def test_an_empty_project_is_no_error(inv: Inv, tmp_path: Path) -> None:
    settings = tmp_path / "none.yaml"
    settings.write_text("maintenance: {providers: {deepseek: null, grok: null}}\n")
    result = inv("-f", str(settings), TASK)
    assert {finding["status"] for finding in others(result).values()} <= {"ok", "skipped"}
    assert "Traceback" not in result.out + result.err


@pytest.mark.usefixtures("well")
def test_files_that_are_broken_are_named_and_left(inv: Inv, project: Path) -> None:
    (project / "logs/performance.json").write_text('{"entries": 5}')
    (project / "cache/stats.json").write_text("{")
    (project / HISTORY).write_text("{")
    result = inv(TASK)
    found = others(result)
    assert result.status == (2 if result.report["status"] == "critical" else 3)
    assert result.findings("generation.records")[0]["status"] == "unknown"
    assert "performance.json" in result.findings("generation.records")[0]["message"]
    assert result.findings("cache.hit_rate")[0]["status"] == "unknown"
    assert any(key.startswith("providers.history") for key in found)
    assert (project / "cache/stats.json").read_text() == "{"
    assert (project / "logs/performance.json").read_text() == '{"entries": 5}'


@pytest.mark.usefixtures("well")
def test_text_says_what_json_says(inv: Inv) -> None:
    result = inv(TASK, json=False)
    assert result.out.startswith(f"{TASK}  ")
    assert "62" in next(line for line in result.out.splitlines() if "hit rate" in line)
    assert "verdict: " in result.out


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_wish_to_stop_ends_it_at_once(project: Path, environment: dict[str, str], number: signal.Signals) -> None:
    with stand_in(Behaviour(delay_seconds=50)) as never:
        env = {
            **environment,
            "INVOKE_MAINTENANCE_OUTPUT": "json",
            "INVOKE_MAINTENANCE_PROVIDERS_DEEPSEEK_BASE_URL": never.url,
            "INVOKE_MAINTENANCE_PROVIDERS_DEEPSEEK_MODEL": "stand-in",
            "DEEPSEEK_API_KEY": "sk-of-deepseek-0123456789",
            "GROK_API_KEY": "",
        }
        run = subprocess.Popen([INV, TASK], cwd=REPOSITORY, env=env, stdout=subprocess.PIPE, text=True)
        wait_until(lambda: handles(run, number) and never.count("completions") > 0, run)
        run.send_signal(number)
        out, _ = run.communicate(timeout=PATIENCE)
    assert run.returncode == 130
    (report,) = json.loads(out)["reports"]
    assert report["summary"].startswith("interrupted: ")
    assert not (project / "logs/health_reports").exists()
    assert not (project / ".maintenance.lock").exists()

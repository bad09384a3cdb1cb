from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tasks.core.report.history import scan
from tasks.core.report.history_entries import Sizes
from tasks.core.settings.model import Settings
from tasks.logs.review import review_history
from tasks.logs.review.log_review import review

NOW = datetime(2025, 6, 2, 12, 0, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "project/logs"
    (folder / "archive/2025/05").mkdir(parents=True)
    (folder / "app.log").write_text("2025-06-02 11:00:00 INFO started\n")
    (folder / "archive/2025/05/app_20250501.log.gz").write_bytes(b"x" * 1000)
    return folder


def reviewed(logs: Path, days: float = 0, *, dry_run: bool = False) -> None:
    settings = Settings(root=str(logs.parent))
    review(settings, now=NOW + timedelta(days=days), dry_run=dry_run)


def totals(logs: Path) -> list[tuple[datetime, dict[str, float]]]:
    found: list[Sizes] = []
    scan(logs.parent, "logs", found.append, Sizes)
    assert {each.source for each in found} <= {"daily.log-review"}
    return [(each.moment, each.held) for each in found]


def held(logs: Path) -> int:
    return sum(path.stat().st_size for path in logs.rglob("*") if path.is_file())


def test_each_review_adds_the_size_of_the_whole_folder(logs: Path) -> None:
    before = held(logs)
    reviewed(logs)
    assert totals(logs) == [(NOW, {"logs": before})]
    with (logs / "app.log").open("a") as file:
        file.write("2025-06-03 11:00:00 INFO went on\n" * 100)
    second = held(logs)
    reviewed(logs, days=1)
    assert totals(logs) == [(NOW, {"logs": before}), (NOW + timedelta(days=1), {"logs": second})]


def test_a_dry_run_adds_nothing(logs: Path) -> None:
    reviewed(logs, dry_run=True)
    assert not (logs / review_history.HISTORY_FILE).exists()
    reviewed(logs)
    before = (logs / review_history.HISTORY_FILE).read_bytes()
    reviewed(logs, days=1, dry_run=True)
    assert (logs / review_history.HISTORY_FILE).read_bytes() == before
    assert len(totals(logs)) == 1


@pytest.mark.parametrize("earlier", [None, 5, "text", {"a": 1}, [], [{"reviewed": "2025-06-01", "bytes": 3}]])
def test_totals_of_earlier_versions_stay_where_they_are_and_none_are_added(logs: Path, earlier: object) -> None:
    content = {"schema": 1, "reviewed": (NOW - timedelta(days=1)).isoformat(), "logs": {}, "totals": earlier}
    (logs / review_history.HISTORY_FILE).write_text(json.dumps(content))
    reviewed(logs)
    kept = json.loads((logs / review_history.HISTORY_FILE).read_text())
    assert kept.get("totals") == (earlier if isinstance(earlier, list) else None)
    assert kept["reviewed"] == NOW.isoformat()
    assert not [*logs.glob("*.broken-*")]


def test_a_review_that_cannot_add_to_the_history_is_a_review(logs: Path) -> None:
    (logs / "maintenance_history.jsonl").symlink_to(logs)
    reviewed(logs)
    assert json.loads((logs / review_history.HISTORY_FILE).read_text())["reviewed"] == NOW.isoformat()

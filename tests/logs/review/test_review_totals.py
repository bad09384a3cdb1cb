from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

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


def totals(logs: Path) -> Any:
    return json.loads((logs / review_history.HISTORY_FILE).read_text())["totals"]


def held(logs: Path) -> int:
    return sum(path.stat().st_size for path in logs.rglob("*") if path.is_file())


def test_each_review_adds_the_size_of_the_whole_folder(logs: Path) -> None:
    before = held(logs)
    reviewed(logs)
    assert totals(logs) == [{"reviewed": NOW.isoformat(), "bytes": before}]
    with (logs / "app.log").open("a") as file:
        file.write("2025-06-03 11:00:00 INFO went on\n" * 100)
    second = held(logs)
    reviewed(logs, days=1)
    assert totals(logs) == [
        {"reviewed": NOW.isoformat(), "bytes": before},
        {"reviewed": (NOW + timedelta(days=1)).isoformat(), "bytes": second},
    ]


def test_a_dry_run_adds_nothing(logs: Path) -> None:
    reviewed(logs, dry_run=True)
    assert not (logs / review_history.HISTORY_FILE).exists()
    reviewed(logs)
    before = (logs / review_history.HISTORY_FILE).read_bytes()
    reviewed(logs, days=1, dry_run=True)
    assert (logs / review_history.HISTORY_FILE).read_bytes() == before


@pytest.mark.parametrize("earlier", [None, 5, "text", {"a": 1}])
def test_totals_of_another_form_are_begun_anew(logs: Path, earlier: object) -> None:
    content = {"schema": 1, "reviewed": (NOW - timedelta(days=1)).isoformat(), "logs": {}, "totals": earlier}
    (logs / review_history.HISTORY_FILE).write_text(json.dumps(content))
    reviewed(logs)
    assert [each["reviewed"] for each in totals(logs)] == [NOW.isoformat()]


def test_a_file_of_before_totals_were_kept_is_taken_on(logs: Path) -> None:
    content = {"schema": 1, "reviewed": (NOW - timedelta(days=1)).isoformat(), "logs": {}}
    (logs / review_history.HISTORY_FILE).write_text(json.dumps(content))
    reviewed(logs)
    assert len(totals(logs)) == 1
    assert not [*logs.glob("*.broken-*")]


def test_only_so_many_totals_are_kept_the_newest() -> None:
    earlier = [{"reviewed": f"day {number}", "bytes": number} for number in range(review_history._TOTALS + 5)]
    found = review_history.history_content({"totals": earlier}, {}, 7, NOW)["totals"]
    assert len(found) == review_history._TOTALS
    assert found[0]["bytes"] == 6
    assert found[-1] == {"reviewed": NOW.isoformat(), "bytes": 7}

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tasks.core.output.report_files import with_file
from tasks.core.report.model import Finding, Report, Status
from tasks.core.report.reused_reports import fresh, freshest, rows

NOW = datetime.fromisoformat("2026-11-26T12:00:00+01:00")
NAME = "quarterly.backup-verification"


def finding(check: str, status: Status) -> Finding:
    return Finding(check=check, subject="s", status=status, message="M.", remedy="Do it.")


def test_a_report_is_fresh_up_to_its_age(tmp_path: Path) -> None:
    report = Report(task=NAME, summary="two", findings=[finding("backup.recent", Status.WARNING)])
    with_file(tmp_path, "logs/a.json", report, NOW - timedelta(days=7), check="x")
    found = fresh(tmp_path, "logs/a.json", NAME, now=NOW, days=7)
    assert found is not None
    assert found.report.findings == report.findings
    assert (found.report.status, found.report.task, found.report.summary) == (Status.WARNING, NAME, "two")
    assert found.measured == NOW - timedelta(days=7)
    assert fresh(tmp_path, "logs/a.json", NAME, now=NOW, days=6.99) is None
    assert fresh(tmp_path, "logs/a.json", NAME, now=NOW - timedelta(days=8), days=7) is None
    assert [(row["how"], row["measured"]) for row in rows({NAME: found})] == [
        ("its report was used", "2026-11-19T12:00:00+01:00")
    ]
    assert rows({NAME: found._replace(reused=False)})[0]["how"] == "it was run"


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        [],
        {"updated": 1, "findings": []},
        {"updated": "2026-11-26T11:00:00", "findings": []},
        {"updated": "yesterday", "findings": []},
        {"updated": "2026-11-26T11:00:00+01:00", "findings": [{"check": 1}]},
        {"updated": "2026-11-26T11:00:00+01:00"},
    ],
)
def test_what_is_no_report_is_not_fresh(tmp_path: Path, content: Any) -> None:
    (tmp_path / "a.json").write_text(content if isinstance(content, str) else json.dumps(content))
    assert fresh(tmp_path, "a.json", NAME, now=NOW, days=7) is None
    assert fresh(tmp_path, "missing.json", NAME, now=NOW, days=7) is None


def test_the_latest_of_several_files_counts_that_is_not_too_old(tmp_path: Path) -> None:
    def path(moment: datetime) -> str:
        return f"logs/report_{moment:%Y%m%d}.json"

    assert freshest(tmp_path, path, NAME, now=NOW, days=7) is None
    for ago in (30, 5, 2):
        moment = NOW - timedelta(days=ago)
        with_file(tmp_path, path(moment), Report(summary=f"{ago}"), moment, check="x")
    found = freshest(tmp_path, path, NAME, now=NOW, days=7)
    assert found is not None
    assert found.report.summary == "2"
    assert freshest(tmp_path, path, NAME, now=NOW, days=1.9) is None
    older = freshest(tmp_path, path, NAME, now=NOW - timedelta(days=4), days=1)
    assert older is not None
    assert older.report.summary == "5"

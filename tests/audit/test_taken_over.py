from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tasks.audit.taken_over import BACKUPS, CAPACITY, CHECKS, Source, fresh, rows, take_over
from tasks.core.report import Finding, Report, Status
from tasks.core.report_files import with_file

NOW = datetime.fromisoformat("2026-11-26T12:00:00+01:00")
NAME = "quarterly.backup-verification"


def finding(check: str, status: Status, message: str = "M.") -> Finding:
    return Finding(check=check, subject="s", status=status, message=message, remedy="Do it.")


def source(*findings: Finding) -> dict[str, Source]:
    return {NAME: Source(Report(task=NAME, summary="", findings=[*findings]), NOW, reused=True)}


def of(sources: dict[str, Source]) -> list[tuple[Status, str]]:
    return [(each.status, each.message) for each in take_over(sources) if each.check == BACKUPS.name]


def test_what_is_not_well_is_taken_over_as_it_is() -> None:
    found = take_over(source(finding("backup.recent", Status.WARNING, "Old."), finding("backup.size", Status.OK)))
    (taken,) = [each for each in found if each.check == BACKUPS.name]
    assert (taken.status, taken.message, taken.remedy, taken.subject) == (Status.WARNING, "Old.", "Do it.", "s")


def test_that_all_is_well_is_one_finding() -> None:
    found = of(source(finding("backup.recent", Status.OK), finding("backup.size", Status.SKIPPED)))
    assert found == [(Status.OK, f"{NAME} found nothing wrong on 2026-11-26.")]
    assert of(source(finding("backup.present", Status.SKIPPED, "There is none."))) == [
        (Status.SKIPPED, "There is none.")
    ]


def test_what_failed_is_unknown_and_what_says_nothing_does_not_apply() -> None:
    assert of({}) == [(Status.UNKNOWN, f"There is no report of {NAME}.")]
    failed = of(source(finding("run.error", Status.CRITICAL, "It broke.")))
    assert failed == [(Status.UNKNOWN, f"It could not be taken over from {NAME}: It broke.")]
    assert of(source(finding("other.check", Status.OK))) == [(Status.SKIPPED, f"{NAME} found nothing to judge here.")]


def test_every_check_has_a_finding_whatever_is_there() -> None:
    assert {each.check for each in take_over({})} == {check.name for check in CHECKS}
    assert CAPACITY in CHECKS


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

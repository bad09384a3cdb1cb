from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from tasks.checklist.checklist_record import record
from tasks.core.files.lock import LOCK_FILE
from tasks.core.report.model import Finding, Report, Status

NOW = datetime.fromisoformat("2026-11-26T12:00:00+01:00")
REPORT = Report(summary="GO", findings=[Finding(check="a", subject="b", status=Status.OK, message="So it is.")])
STEM = "logs/release_reports/release_20261126_120000"


def recorded(root: Path, *, dry_run: bool = False) -> Report:
    return record(REPORT, root, "logs", task="release.checklist", now=NOW, dry_run=dry_run)


def test_a_page_and_a_document_for_every_run(tmp_path: Path) -> None:
    report = recorded(tmp_path)
    assert report.files == [f"{STEM}.md", f"{STEM}.json"]
    assert (tmp_path / f"{STEM}.md").read_text().startswith("# Release checklist\n\n**ok**: GO\n")
    assert json.loads((tmp_path / f"{STEM}.json").read_text())["summary"] == "GO"
    assert not (tmp_path / LOCK_FILE).exists()


def test_runs_within_one_second_take_nothing_from_each_other(tmp_path: Path) -> None:
    files = [recorded(tmp_path).files for _ in range(3)]
    assert [pair[1] for pair in files] == [f"{STEM}.json", f"{STEM}_2.json", f"{STEM}_3.json"]
    assert len([*(tmp_path / "logs/release_reports").iterdir()]) == 6


def test_a_dry_run_says_what_would_be_written(tmp_path: Path) -> None:
    assert [each.target for each in recorded(tmp_path, dry_run=True).actions] == [f"{STEM}.md", f"{STEM}.json"]
    assert [*tmp_path.iterdir()] == []


def test_a_page_that_cannot_be_written_is_told_and_the_document_is_written(tmp_path: Path) -> None:
    (tmp_path / f"{STEM}.md").mkdir(parents=True)
    report = recorded(tmp_path)
    assert report.files == [f"{STEM}.json"]
    assert report.findings[-1].message.startswith(f"The page could not be written: {STEM}.md is not a regular file")
    assert report.status is Status.WARNING


def test_a_root_that_cannot_be_written_keeps_nothing_from_being_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tasks.core.files.lock.os.open", full)
    report = recorded(tmp_path)
    assert (report.summary, report.files, report.status) == ("GO", [], Status.WARNING)
    assert "No space left on device" in report.findings[-1].message

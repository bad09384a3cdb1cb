from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tasks.core.output.report_files import RUNS_KEPT, with_file
from tasks.core.report.model import Finding, Metric, Report, Status

NOW = datetime.fromisoformat("2026-11-23T12:00:00+01:00")
PATH = "logs/health_reports/health_report_20261123.json"


def report(status: Status = Status.WARNING) -> Report:
    return Report(
        summary="as it is",
        findings=[Finding(check="system.cpu", subject="processors", status=status, message="Busy.", value=91.5)],
        metrics=[
            Metric(name="system.cpu", value=91.5, unit="%"),
            Metric(name="disk.used_bytes", value=5, unit="B", subject="logs"),
        ],
        data={"system": {"cpu": 91.5}},
    )


def write(root: Path, given: Report, now: datetime = NOW) -> Report:
    return with_file(root, PATH, given, now, check="health.report")


def content(root: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((root / PATH).read_text())
    return value


def test_the_file_holds_what_was_found(tmp_path: Path) -> None:
    written = write(tmp_path, report())
    assert written.files == [PATH]
    assert written.findings == report().findings
    found = content(tmp_path)
    assert found["status"] == "warning"
    assert found["findings"][0]["value"] == 91.5
    assert found["metrics"][0]["name"] == "system.cpu"
    assert found["data"] == {"system": {"cpu": 91.5}}
    figures = {"system.cpu": 91.5, "disk.used_bytes logs": 5}
    assert found["runs"] == [{"started": NOW.isoformat(), "status": "warning", "figures": figures}]


def test_a_second_run_replaces_the_report_and_adds_to_the_runs(tmp_path: Path) -> None:
    write(tmp_path, report())
    write(tmp_path, report(Status.OK), NOW + timedelta(hours=1))
    found = content(tmp_path)
    assert found["status"] == "ok"
    assert [run["status"] for run in found["runs"]] == ["warning", "ok"]
    for hour in range(RUNS_KEPT):
        write(tmp_path, report(Status.OK), NOW + timedelta(hours=hour))
    assert len(content(tmp_path)["runs"]) == RUNS_KEPT


@pytest.mark.parametrize("text", ["{", "[]", '{"something": "else"}', '{"schema": 1, "runs": 5}'])
def test_what_is_no_report_is_kept_aside(tmp_path: Path, text: str) -> None:
    path = tmp_path / PATH
    path.parent.mkdir(parents=True)
    path.write_text(text)
    written = write(tmp_path, report(Status.OK))
    assert written.status is Status.WARNING
    assert written.findings[-1].check == "health.report"
    assert "kept aside" in written.findings[-1].message
    (aside,) = [each for each in path.parent.iterdir() if each != path]
    assert aside.read_text() == text
    assert content(tmp_path)["status"] == "warning"


def test_a_link_in_its_place_is_kept_aside_and_told(tmp_path: Path) -> None:
    path = tmp_path / PATH
    path.parent.mkdir(parents=True)
    path.symlink_to(tmp_path / "elsewhere")
    written = write(tmp_path, report(Status.OK))
    assert written.files == [PATH]
    assert written.status is Status.WARNING
    assert "symbolic link" in written.findings[-1].message
    assert "It was kept aside under another name." in written.findings[-1].message
    assert not (tmp_path / "elsewhere").exists()
    assert path.with_name(f"{path.name}.broken-1").is_symlink()
    assert path.is_file()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file")
    written = write(tmp_path, report(Status.OK))
    assert written.files == []
    assert written.findings[-1].status is Status.WARNING


def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: object, **_more: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tasks.core.files.safe_files.write", full)
    written = write(tmp_path, report(Status.OK))
    assert written.files == []
    assert "No space left on device" in written.findings[-1].message

from __future__ import annotations

import json
import platform
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from tasks.audit.performance import benchmarks
from tasks.audit.performance.benchmark_ledger import OLD_FILE, Entry, Ledger, read, write
from tasks.audit.performance.benchmarks import Machine, this_machine
from tasks.audit.performance.performance_area import (
    MeasuredPerformance,
    benchmark_finding,
    examine_performance,
    usual_seconds,
)
from tasks.core.report.model import Status
from tasks.core.settings.model import Settings

NOW = datetime.fromisoformat("2026-11-26T12:00:00+01:00")
HERE = Machine("abc", "Processor", 2, "CPython 3.11.7")


def quarter(moment: datetime) -> str:
    return f"{moment.year}Q{(moment.month + 2) // 3}"


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmarks, "_TIMES", 1)
    monkeypatch.setattr(benchmarks, "_HASHED", 1 << 16)
    monkeypatch.setattr(benchmarks, "_WRITTEN", 1 << 12)
    monkeypatch.setattr(benchmarks, "_RECORDS", 100)


def look(root: Path, *, now: datetime = NOW, dry_run: bool = False, stop: bool = False) -> MeasuredPerformance:
    event = Event()
    if stop:
        event.set()
    return examine_performance(
        Settings(root=str(root)), now=now, quarter=quarter, stop=event, advance=lambda _n: None, dry_run=dry_run
    )


def kept(root: Path) -> list[Entry]:
    return read(root, "logs").entries


def old(root: Path, *rows: Any, **changes: Any) -> None:
    """Leave the file in which earlier versions kept benchmarks."""
    (root / "logs").mkdir(exist_ok=True)
    (root / "logs" / OLD_FILE).write_text(json.dumps({"schema": 1, "runs": [*rows], **changes}))


def row(moment: datetime, **seconds: float) -> dict[str, Any]:
    return {"moment": moment.isoformat(), **this_machine()._asdict(), "seconds": seconds}


def test_benchmarks_are_measured_and_kept_with_their_machine(tmp_path: Path) -> None:
    found = look(tmp_path)
    (finding,) = found.findings
    assert finding.status is Status.SKIPPED
    assert "No earlier quarter has benchmarks of this machine" in finding.message
    assert {metric.subject for metric in found.metrics} == {"processor", "json", "disk"}
    assert all(metric.value > 0 for metric in found.metrics)
    (entry,) = kept(tmp_path)
    assert (entry.moment, entry.machine) == (NOW, this_machine().identity)
    assert {*entry.seconds} == {"processor", "json", "disk"}
    assert [path.name for path in (tmp_path / "logs").iterdir()] == ["maintenance_history.jsonl"]
    assert [action.target for action in found.actions] == ["logs/maintenance_history.jsonl"]


@pytest.mark.parametrize("is_old", [True, False])
def test_an_earlier_quarter_of_the_same_machine_is_compared(tmp_path: Path, *, is_old: bool) -> None:
    before = NOW - timedelta(days=90)
    if is_old:
        old(tmp_path, row(before, processor=1e-9, json=1000.0))
    else:
        write(tmp_path, "logs", {"processor": 1e-9, "json": 1000.0}, this_machine(), before)
    found = look(tmp_path)
    (finding,) = found.findings
    assert finding.status is Status.WARNING
    assert "json 16 min 40 s → " in finding.message
    assert "(-100 %)" in finding.message
    assert finding.remedy
    assert len(kept(tmp_path)) == 2
    assert [each["benchmark"] for each in found.rows if each["before"]] == ["processor", "json"]


def test_what_both_records_have_counts_once(tmp_path: Path) -> None:
    write(tmp_path, "logs", {"json": 1.0}, this_machine(), NOW)
    other = {**row(NOW, json=3.0), "identity": "another machine"}
    old(tmp_path, row(NOW - timedelta(days=1), json=2.0), row(NOW, json=1.0), other)
    assert [entry.seconds["json"] for entry in kept(tmp_path)] == [2.0, 1.0, 3.0]


def test_only_the_last_earlier_quarter_of_this_machine_counts() -> None:
    entries = [
        Entry(NOW - timedelta(days=200), "abc", {"json": 9.0}),
        Entry(NOW - timedelta(days=95), "abc", {"json": 1.0}),
        Entry(NOW - timedelta(days=92), "abc", {"json": 2.0, "disk": 5.0}),
        Entry(NOW - timedelta(days=91), "abc", {"json": 9.0}),
        Entry(NOW - timedelta(days=90), "other", {"json": 50.0}),
        Entry(NOW, "abc", {"json": 70.0}),
    ]
    assert usual_seconds(entries, "abc", "2026Q4", quarter) == {"json": 2.0, "disk": 5.0}
    assert usual_seconds(entries, "new", "2026Q4", quarter) == {}


def test_slower_by_more_than_the_limit_is_a_warning() -> None:
    assert benchmark_finding({"json": 1.5}, {"json": 1.0}, HERE, 50).status is Status.OK
    assert benchmark_finding({"json": 1.51}, {"json": 1.0}, HERE, 50).status is Status.WARNING
    assert benchmark_finding({"json": 1.5, "disk": 1.0}, {"json": 1.0, "disk": 4.0}, HERE, 50).message == (
        "On the same machine (Processor, 2 processors, CPython 3.11.7): "
        "disk 4.0 s → 1.0 s (-75 %), json 1.0 s → 1.5 s (+50 %)."
    )


def test_a_dry_run_measures_nothing_and_one_that_is_stopped_keeps_nothing(tmp_path: Path) -> None:
    found = look(tmp_path, dry_run=True)
    assert (found.metrics, [action.done for action in found.actions]) == ([], [False])
    assert [*tmp_path.iterdir()] == []
    found = look(tmp_path, stop=True)
    assert (found.metrics, found.actions) == ([], [])


@pytest.mark.parametrize("content", ["{", "[]", '{"schema": 7}', '{"schema": 1, "runs": 5}'])
def test_an_old_file_that_cannot_be_used_is_named_once_and_stays(tmp_path: Path, content: str) -> None:
    old(tmp_path)
    (tmp_path / "logs" / OLD_FILE).write_text(content)
    found = look(tmp_path)
    assert [each.status for each in found.findings] == [Status.SKIPPED, Status.WARNING]
    assert OLD_FILE in found.findings[1].message
    assert [each.status for each in look(tmp_path).findings] == [Status.SKIPPED]
    assert (tmp_path / "logs" / OLD_FILE).read_text() == content


def test_a_history_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/maintenance_history.jsonl").symlink_to(tmp_path)
    assert read(tmp_path, "logs") == Ledger(
        [], "logs/maintenance_history.jsonl is a symbolic link, so it is not read or written."
    )
    assert [each.status for each in look(tmp_path).findings] == [Status.SKIPPED, Status.WARNING, Status.WARNING]


def test_rows_of_another_shape_are_left_out(tmp_path: Path) -> None:
    good = row(NOW - timedelta(days=90), json=1.0)
    old(
        tmp_path,
        1,
        {"moment": "2026-01-01T00:00:00"},
        {"moment": "2026-01-01T00:00:00", "identity": "abc", "seconds": {"json": 1}},
        {"moment": "2026-01-01T00:00:00Z", "identity": "abc", "seconds": {"json": -1}},
        {"moment": "2026-01-01T00:00:00Z", "identity": "abc", "seconds": []},
        good,
    )
    write(tmp_path, "logs", {"json": 0.0}, this_machine(), NOW)
    assert [entry.moment.isoformat() for entry in kept(tmp_path)] == [good["moment"]]


def test_what_cannot_be_written_is_left_out_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "logs").write_text("no folder")
    found = look(tmp_path)
    assert {metric.subject for metric in found.metrics} == {"processor", "json"}
    assert found.findings[-1].message.startswith("The benchmarks could not be kept: ")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "logs").unlink()
    monkeypatch.setattr("os.fsync", full)
    assert {metric.subject for metric in look(tmp_path).metrics} == {"processor", "json"}


def test_a_machine_is_known_by_its_id_processor_and_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    identity, cpuinfo = tmp_path / "machine-id", tmp_path / "cpuinfo"
    monkeypatch.setattr(benchmarks, "_IDENTITIES", (tmp_path / "missing", identity))
    monkeypatch.setattr(benchmarks, "_CPUINFO", cpuinfo)
    identity.write_text("one\n")
    cpuinfo.write_text("processor\t: 0\nmodel name\t: Fast One\n")
    first = this_machine()
    assert first.processor == "Fast One"
    assert first == this_machine()
    identity.write_text("two\n")
    second = this_machine()
    cpuinfo.unlink()
    identity.unlink()
    third = this_machine()
    assert len({first.identity, second.identity, third.identity}) == 3
    assert third.processor == (platform.processor() or platform.machine())
    assert "one" not in first.identity

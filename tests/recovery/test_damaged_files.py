from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from tasks.core import files
from tasks.core.report import Finding, Status
from tasks.recovery import damage
from tasks.recovery.damage import entry_findings, record_findings

from .conftest import Site

ENTRIES = {"a.json": b"{}", "b.json": b'{"a": ', "c.json": b"", "d.txt": b"{", "deep.json": b"[" * 200_000}


@pytest.fixture
def entries(tmp_path: Path) -> Path:
    folder = tmp_path / "cache/temp"
    folder.mkdir(parents=True)
    for name, content in ENTRIES.items():
        (folder / name).write_bytes(content)
    return folder


def told(findings: list[Finding]) -> dict[str, object]:
    return {each.check: each.value for each in findings}


def test_entries_that_do_not_parse_are_counted_and_named(scene: Site, entries: Path) -> None:
    (finding,) = entry_findings(scene())
    assert (finding.status, finding.value) == (Status.WARNING, 3)
    assert finding.message.startswith("3 of 4 JSON entries looked at cannot be used")
    assert entries.exists()


@pytest.mark.parametrize(("limit", "value"), [("_ENTRIES", 2), ("_BYTES", 5)])
def test_no_more_is_read_than_somebody_waits_for(
    scene: Site, entries: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    monkeypatch.setattr(damage, limit, value)
    (finding,) = entry_findings(scene())
    assert finding.message.startswith("1 of 2 JSON entries looked at"), finding.message
    assert entries.exists()


def test_whoever_stops_it_does_not_wait(scene: Site, entries: Path) -> None:
    stopped = scene()
    stopped.stop.set()
    assert list(entry_findings(stopped)) == []
    assert entries.exists()


def test_entries_that_cannot_be_read_are_told_and_those_that_vanish_are_not(
    scene: Site, entries: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = files.read

    def other(root: Path, path: str, *, limit: int) -> bytes:
        if path.endswith("a.json"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        if path.endswith("b.json"):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        return read(root, path, limit=limit)

    monkeypatch.setattr(files, "read", other)
    assert told(list(entry_findings(scene()))) == {"recovery.entries": 2, "recovery.unreadable-entries": 1}
    assert entries.exists()


def test_records_that_are_broken_or_unreadable_are_told_with_their_owner(scene: Site, tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    for name, content in {"half.json": b'{"a"', "well.json": b"{}", "empty.json": b" \n"}.items():
        (tmp_path / "logs" / name).write_bytes(content)
    (tmp_path / "logs/folder.json").mkdir()
    names = ("half", "well", "empty", "folder", "missing")
    records = {f"logs/{name}.json": f"daily.{name}" for name in names}
    found = {each.subject: each for each in record_findings(scene(records=records))}
    assert [*found] == ["logs/half.json", "logs/folder.json"]
    assert found["logs/half.json"].remedy == "inv daily.half keeps it aside and begins a new one."
    assert found["logs/folder.json"].message.startswith("It cannot be read: ")

from __future__ import annotations

import errno
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.files import safe_files
from tasks.core.report.model import Status
from tasks.recovery import broken_files
from tasks.recovery.broken_files import entry_findings, record_findings
from tasks.recovery.ports import Context

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def test_a_cache_whose_entries_parse_is_no_finding(context: Callable[..., Context], root: Path) -> None:
    (root / "cache/temp/a.json").write_text('{"a": NaN}')
    (root / "cache/temp/digits.json").write_text("7" * 10_000)
    (root / "cache/temp/b.bin").write_bytes(b"")
    (root / "cache/half.json").write_text("{")  # loose, and none of a kind
    assert [*entry_findings(context())] == []


@pytest.mark.parametrize("content", [b"", b'{"a": ', b"\x00\x01", b"\xff\xfe{", b"[" * 100_000])
def test_entries_that_do_not_parse_are_counted_and_named(
    context: Callable[..., Context], root: Path, content: bytes
) -> None:
    (root / "cache/temp/below").mkdir()
    (root / "cache/temp/below/bad.json").write_bytes(content)
    (root / "cache/temp/good.json").write_text("{}")
    (finding,) = entry_findings(context())
    assert (finding.check, finding.value, finding.status) == ("recovery.entries", 1, Status.WARNING)
    assert finding.message == (
        '1 of 2 JSON entries looked at cannot be used, for they do not parse: "cache/temp/below/bad.json".'
    )


def test_links_and_pipes_are_not_looked_at(context: Callable[..., Context], root: Path, tmp_path: Path) -> None:
    import os

    (tmp_path / "bad.json").write_text("{")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/bad.json").write_text("{")
    (root / "cache/temp/link.json").symlink_to(tmp_path / "bad.json")
    (root / "cache/temp/folder").symlink_to(tmp_path / "elsewhere")
    os.mkfifo(root / "cache/temp/pipe.json")
    assert [*entry_findings(context())] == []


def test_no_more_is_read_than_somebody_waits_for(
    context: Callable[..., Context], root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(10):
        (root / f"cache/temp/{number}.json").write_text("{")
    monkeypatch.setattr(broken_files, "_ENTRIES", 3)
    assert [each.value for each in entry_findings(context())] == [3]
    monkeypatch.setattr(broken_files, "_ENTRIES", 100)
    monkeypatch.setattr(broken_files, "_BYTES", 5)
    assert [each.value for each in entry_findings(context())] == [5]
    stopped = context()
    stopped.stop.set()
    assert [*entry_findings(stopped)] == []


def test_what_cannot_be_read_is_told_apart(
    context: Callable[..., Context], root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "cache/temp/closed.json").write_text("{}")
    real = safe_files.read

    def closed(root: Path, relative: str, **options: Any) -> bytes:
        if relative.endswith("closed.json"):
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(root, relative, **options)

    monkeypatch.setattr(safe_files, "read", closed)
    (finding,) = entry_findings(context())
    assert (finding.check, finding.message) == (
        "recovery.unreadable-entries",
        '1 entry cannot be read: "cache/temp/closed.json".',
    )


def test_records_that_are_whole_empty_or_missing_are_no_finding(context: Callable[..., Context], root: Path) -> None:
    (root / "logs/whole.json").write_text("[]")
    (root / "logs/empty.json").write_text("\n")
    records = {f"logs/{name}.json": "a.b" for name in ("whole", "empty", "missing")}
    assert [*record_findings(context(records=records))] == []


def test_broken_records_are_told_with_the_procedure_that_begins_them_anew(
    context: Callable[..., Context], root: Path
) -> None:
    (root / "logs/broken.json").write_text("{")
    (root / "logs/link.json").symlink_to("broken.json")
    (root / "logs/missing/below.json").parent.write_text("")
    records = {"logs/broken.json": "daily.error-monitor", "logs/link.json": "a.b", "logs/missing/below.json": "a.b"}
    by_subject = {each.subject: each for each in record_findings(context(records=records))}
    assert by_subject["logs/broken.json"].remedy == "inv daily.error-monitor keeps it aside and begins a new one."
    assert "symbolic link" in by_subject["logs/link.json"].message
    assert "is not a folder" in by_subject["logs/missing/below.json"].message
    assert {each.status for each in by_subject.values()} == {Status.WARNING}


@given(VALUES)
def test_whatever_json_writes_parses(value: object) -> None:
    assert broken_files._parses(json.dumps(value).encode())


@given(st.binary())
def test_whether_it_parses_is_told_of_anything(content: bytes) -> None:
    assert broken_files._parses(content) in {True, False}

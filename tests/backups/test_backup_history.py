from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.backups.backup_folder import Backup
from tasks.backups.backup_history import usual_sizes
from tasks.backups.manifest import Manifest, archive_name
from tasks.backups.verification import due_archives
from tasks.backups.verification_findings import VerificationRecord
from tasks.core.files import validation
from tasks.core.files.validation import fault

NOW = datetime(2026, 11, 24, 12).astimezone()


def backup(number: int, size: int = 100) -> Backup:
    made = NOW - timedelta(days=number)
    return Backup(archive_name(made), made, size, Manifest(1, "", [], [], archive_bytes=size))


@given(st.integers(0, 30), st.integers(0, 8))
def test_in_so_many_runs_every_backup_has_its_turn(number: int, runs: int) -> None:
    found = [backup(each) for each in range(number)]
    ledger: dict[str, VerificationRecord] = {}
    for run in range(max(runs, 1)):
        chosen = due_archives(found, ledger, runs)
        assert chosen[:1] == found[:1]
        assert len({each.name for each in chosen}) == len(chosen)
        ledger |= {each.name: VerificationRecord(f"{run:03d}", None) for each in chosen}
    assert {*ledger} == {each.name for each in found}


@given(st.integers(1, 10**9), st.integers(4, 20))
def test_a_size_like_the_others_is_usual_and_one_odd_one_changes_little(size: int, number: int) -> None:
    usual = usual_sizes([backup(each, size) for each in range(number)])
    with_odd = usual_sizes([*(backup(each, size) for each in range(number)), backup(number, size * 1000)])
    assert usual == with_odd
    assert usual is not None
    assert usual == pytest.approx((size * 0.8, size * 1.2))


def test_with_few_backups_nobody_knows_what_is_usual() -> None:
    assert usual_sizes([backup(each) for each in range(3)]) is None


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", b"{}", None),
        ("a.json", b"{", "does not parse"),
        ("a.json", b"[" * 200_000, "does not parse"),
        ("a.yaml", b"a: 1\n", None),
        ("a.YML", b"a: [1\n", "does not parse"),
        ("a.yaml", b"a: !!python/object:os.system {}\n", None),
        ("a.yaml", b"\xff\xfe\xfa", "does not parse"),
        ("a.toml", b"a = 1\n", None),
        ("a.toml", b"a = = 1\n", "does not parse"),
        ("a.toml", b"\xff", "does not parse"),
        ("a.py", b"A = 1\n", None),
        ("a.py", b"A = = 1\n", "does not parse"),
        ("a.py", b"\0", "does not parse"),
        ("a.txt", b"{", None),
        ("a.json", b"SQLite format 3\0", "the database"),
    ],
)
def test_a_file_by_its_own_format(tmp_path: Path, name: str, content: bytes, message: str | None) -> None:
    path = tmp_path / "restored"
    path.write_bytes(content)
    found = fault(path, name)
    assert found is None if message is None else message in str(found)


def test_a_database_is_asked_and_not_changed(tmp_path: Path) -> None:
    path = tmp_path / "it's 100%?.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE a (b)")
    connection.commit()
    connection.close()
    before = path.read_bytes(), path.stat().st_mtime_ns
    assert fault(path, "data/a.db") is None
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_a_large_file_is_not_parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.json").write_bytes(b"{")
    monkeypatch.setattr(validation, "_LARGEST", 0)
    assert fault(tmp_path / "a.json", "a.json") is None


@pytest.mark.parametrize(("name", "content"), [("a.yaml", b"a: [1\n"), ("a.db", None)])
def test_a_look_at_a_large_file_ends_where_it_is_asked_to(tmp_path: Path, name: str, content: bytes | None) -> None:
    path, stop = tmp_path / name, Event()
    if content is not None:
        path.write_bytes(content)
    else:
        connection = sqlite3.connect(path)
        connection.executescript(
            "CREATE TABLE a (b); CREATE INDEX i ON a (b);"
            "WITH RECURSIVE n(x) AS (VALUES(1) UNION ALL SELECT x + 1 FROM n WHERE x < 50000)"
            "INSERT INTO a SELECT x FROM n;"
        )
        connection.close()
    stop.set()
    assert fault(path, name, stop) == (None if content is not None else "the database cannot be opened: interrupted")
    assert (fault(path, name, Event()) is None) == (content is None)

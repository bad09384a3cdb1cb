from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tasks.core.files.lock import LOCK_FILE, NotWritable
from tasks.core.files.safe_files import TEMPORARY
from tasks.core.report.model import Status
from tasks.recovery.ports import Context
from tasks.recovery.temporary_files import remove_leftovers


def leave(root: Path, *folders: str) -> list[Path]:
    paths = [root / folder / TEMPORARY for folder in folders]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"half")
    return paths


def test_leftovers_of_logs_and_cache_are_deleted_and_nothing_else(context: Callable[..., Context], root: Path) -> None:
    gone = leave(root, "logs", "logs/archive/2026/11", "cache")
    kept = leave(root, ".", "data")
    (root / "logs/archive/x.gz").write_text("")
    dry = remove_leftovers(context(dry_run=True))
    assert all(path.exists() for path in gone)
    done = remove_leftovers(context())
    assert [each.target for each in done.actions] == [each.target for each in dry.actions]
    assert not any(path.exists() for path in gone)
    assert all(path.exists() for path in kept)
    assert (done.summary, done.status) == ("3 leftover temporary files deleted (12 B)", Status.OK)
    assert not (root / LOCK_FILE).exists()


def test_without_leftovers_there_is_nothing_to_tell(context: Callable[..., Context]) -> None:
    report = remove_leftovers(context())
    assert (report.findings, report.actions) == ([], [])


def test_a_folder_or_link_of_that_name_is_none_of_ours(
    context: Callable[..., Context], root: Path, tmp_path: Path
) -> None:
    (tmp_path / "mine").write_text("mine")
    (root / "logs" / TEMPORARY).mkdir()
    (root / "cache" / TEMPORARY).symlink_to(tmp_path / "mine")
    assert remove_leftovers(context()).actions == []
    assert (root / "cache" / TEMPORARY).is_symlink()


def test_a_cache_that_is_a_link_a_home_or_missing_is_left(
    context: Callable[..., Context], root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (precious,) = leave(root, "cache")
    monkeypatch.setenv("HOME", str(root / "cache"))
    assert remove_leftovers(context()).actions == []
    assert precious.exists()
    (root / "logs").rmdir()
    (root / "logs").symlink_to(tmp_path)
    (elsewhere,) = leave(tmp_path, ".")
    assert remove_leftovers(context()).actions == []
    assert elsewhere.exists()


def test_one_that_cannot_be_deleted_keeps_no_other_from_it(
    context: Callable[..., Context], root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = leave(root, "logs", "cache")
    real = os.unlink
    refused: list[object] = []

    def closed(path: Any, **names: Any) -> None:
        if path == TEMPORARY and not refused:
            refused.append(path)
            raise PermissionError(errno.EACCES, "Permission denied")
        real(path, **names)

    monkeypatch.setattr(os, "unlink", closed)
    report = remove_leftovers(context())
    (finding,) = report.findings
    assert (finding.subject, finding.status) == (f"logs/{TEMPORARY}", Status.WARNING)
    assert finding.message == "This temporary file of an earlier run cannot be deleted: Permission denied."
    assert (first.exists(), second.exists()) == (True, False)


def test_without_the_lock_nothing_is_deleted(
    context: Callable[..., Context], root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (left,) = leave(root, "logs")
    real = os.open

    def closed(path: Any, flags: int, *rest: Any, **names: Any) -> int:
        if path == LOCK_FILE:
            raise OSError(errno.EROFS, "Read-only file system")
        return real(path, flags, *rest, **names)

    monkeypatch.setattr(os, "open", closed)
    with pytest.raises(NotWritable, match="Read-only"):
        remove_leftovers(context())
    assert left.exists()

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tasks.core.files import safe_files
from tasks.core.report.model import Status
from tasks.recovery.ports import Context
from tasks.recovery.writable_folders import create_folders, folder_findings, refusal


def refuse(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Let no file without a name be made."""
    real = os.open

    def refused(path: Any, flags: int, *rest: Any, **names: Any) -> int:
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(number, os.strerror(number))
        return real(path, flags, *rest, **names)

    monkeypatch.setattr(os, "open", refused)


def test_folders_that_can_be_written_are_no_finding_and_stay_as_they_are(
    context: Callable[..., Context], root: Path
) -> None:
    before = {path: path.stat().st_mtime_ns for path in [root, *root.rglob("*")]}
    assert [*folder_findings(context())] == []
    assert {path: path.stat().st_mtime_ns for path in [root, *root.rglob("*")]} == before


linux = pytest.mark.skipif(not hasattr(os, "O_TMPFILE"), reason="only Linux has files without a name")


@linux
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_that_the_disk_is_full_is_told_once(
    context: Callable[..., Context], monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    refuse(monkeypatch, number)
    (finding,) = folder_findings(context())
    assert (finding.subject, finding.status) == (".", Status.CRITICAL)
    assert finding.message == f"Nothing can be written there: {os.strerror(number)}."
    assert (finding.remedy or "").startswith("Make room")


@linux
@pytest.mark.parametrize(("number", "remedy"), [(errno.EACCES, "chmod"), (errno.EROFS, "Mount it")])
def test_what_closes_all_folders_is_told_once_with_what_to_do(
    context: Callable[..., Context], monkeypatch: pytest.MonkeyPatch, number: int, remedy: str
) -> None:
    refuse(monkeypatch, number)
    (finding,) = folder_findings(context())
    assert (finding.subject, remedy in (finding.remedy or "")) == (".", True)


def test_what_lies_in_a_folder_that_is_none_is_not_told_as_well(context: Callable[..., Context], root: Path) -> None:
    shutil.rmtree(root / "cache")
    (root / "cache").symlink_to("logs")
    (finding,) = folder_findings(context())
    assert (finding.subject, "symbolic link" in finding.message) == ("cache", True)
    report = create_folders(context())
    assert (report.status, report.summary) == (
        Status.OK,
        "No folder was made: something is in the place of one, or one is closed.",
    )


@pytest.mark.parametrize("how", ["other system", "other file system"])
@pytest.mark.parametrize("writable", [True, False])
def test_where_there_are_no_files_without_a_name_the_permissions_tell(
    root: Path, monkeypatch: pytest.MonkeyPatch, how: str, *, writable: bool
) -> None:
    if how == "other system":
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    elif hasattr(os, "O_TMPFILE"):
        refuse(monkeypatch, errno.EOPNOTSUPP)
    monkeypatch.setattr(os, "access", lambda *_, **__: writable)
    with safe_files.folder(root, "logs") as descriptor:
        found = refusal(descriptor)
    assert (found is None) is writable
    assert found is None or found.errno == errno.EACCES


@linux
def test_a_byte_that_cannot_be_written_counts_and_leaves_no_descriptor(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", full)
    before = len([*Path("/dev/fd").iterdir()])
    with safe_files.folder(root, "logs") as descriptor:
        found = refusal(descriptor)
    assert found is not None
    assert found.errno == errno.ENOSPC
    assert len([*Path("/dev/fd").iterdir()]) == before


def test_what_is_no_folder_or_cannot_be_opened_is_told(
    context: Callable[..., Context], root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "logs").rmdir()
    (root / "logs").symlink_to("cache")
    (root / "cache/temp").rmdir()
    (root / "cache/temp").write_text("")
    real = safe_files.folder

    def closed(root: Path, relative: str, **options: Any) -> Any:
        if relative == "cache/material_data":
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(root, relative, **options)

    monkeypatch.setattr(safe_files, "folder", closed)
    by_subject = {each.subject: each.message for each in folder_findings(context())}
    assert set(by_subject) == {"logs", "cache/temp", "cache/material_data"}
    assert "symbolic link" in by_subject["logs"]
    assert "is not a folder" in by_subject["cache/temp"]
    assert by_subject["cache/material_data"] == "Nothing can be written there: Permission denied."


def test_missing_folders_are_one_finding_and_are_made(context: Callable[..., Context], root: Path) -> None:
    shutil.rmtree(root / "cache")
    (root / "logs").rmdir()
    (finding,) = folder_findings(context())
    assert (finding.check, finding.value) == ("recovery.structure", 6)
    dry = create_folders(context(dry_run=True))
    assert ([*root.iterdir()], dry.summary) == ([], "6 missing folders would be made.")
    done = create_folders(context())
    assert [each.target for each in done.actions] == [each.target for each in dry.actions] == [*context().folders]
    assert ([each.done for each in dry.actions], done.status) == ([False] * 6, Status.OK)
    assert [*folder_findings(context())] == []
    assert create_folders(context()).summary == "No folder is missing."


def test_a_folder_that_cannot_be_made_keeps_no_other_from_it(
    context: Callable[..., Context], root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(root / "cache/temp")
    shutil.rmtree(root / "cache/api_responses")
    (root / "logs").rmdir()
    (root / "logs").write_text("")
    real = os.mkdir

    def full(path: Any, *rest: Any, **names: Any) -> None:
        if path == "api_responses":
            raise OSError(errno.ENOSPC, "No space left on device")
        real(path, *rest, **names)

    monkeypatch.setattr(os, "mkdir", full)
    report = create_folders(context())
    by_subject = {each.subject: (each.status, each.message) for each in report.findings}
    assert by_subject["cache/api_responses"] == (Status.CRITICAL, "It could not be made: No space left on device.")
    assert ((root / "cache/temp").is_dir(), len(by_subject)) == (True, 1)

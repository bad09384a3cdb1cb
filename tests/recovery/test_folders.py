from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tasks.core import files
from tasks.core.report import Status
from tasks.recovery import folders
from tasks.recovery.folders import folder_findings, rebuild, refusal
from tasks.recovery.leftovers import remove_leftovers

from .conftest import Site


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for kind in ("api_responses", "material_data", "component_cache", "temp"):
        (tmp_path / "cache" / kind).mkdir(parents=True)
    (tmp_path / "logs").mkdir()
    return tmp_path


def open_folder(path: Path) -> int:
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY)


def test_a_project_in_order_has_nothing_to_tell(scene: Site, project: Path) -> None:
    assert list(folder_findings(scene())) == []
    assert rebuild(scene()).summary == "No folder is missing."
    assert project.exists()


def test_a_folder_that_cannot_be_opened_is_told(scene: Site, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = files.folder

    @contextmanager
    def other(root: Path, path: str, *, create: bool = False) -> Iterator[int]:
        if path == "logs":
            raise OSError(errno.EROFS if create else errno.EIO, os.strerror(errno.EIO))
        with folder(root, path, create=create) as descriptor:
            yield descriptor

    monkeypatch.setattr(files, "folder", other)
    (finding,) = folder_findings(scene())
    assert (finding.subject, finding.status) == ("logs", Status.CRITICAL)
    assert finding.message == "It cannot be opened: Input/output error."
    assert finding.remedy is not None
    assert finding.remedy.startswith("ls -ld ")
    (unmade,) = rebuild(scene()).findings
    assert (unmade.subject, unmade.message) == ("logs", "It could not be made: Input/output error.")
    assert project.exists()


@pytest.mark.parametrize(
    ("kind", "remedy"), [(errno.EROFS, "Mount it so"), (errno.ENOSPC, "Make room"), (errno.EACCES, "ls -ld")]
)
def test_why_nothing_can_be_written_decides_what_to_do(
    scene: Site, project: Path, monkeypatch: pytest.MonkeyPatch, kind: int, remedy: str
) -> None:
    monkeypatch.setattr(folders, "refusal", lambda _descriptor: OSError(kind, os.strerror(kind)))
    found = list(folder_findings(scene()))
    assert len(found) == (1 if kind == errno.ENOSPC else 7)
    assert {each.status for each in found} == {Status.CRITICAL}
    assert all(each.remedy and each.remedy.startswith(remedy) for each in found)
    assert project.exists()


def test_without_nameless_files_the_permissions_tell(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    descriptor = open_folder(project)
    try:
        assert refusal(descriptor) is None
        monkeypatch.setattr(os, "access", lambda *_arguments, **_options: False)
        refused = refusal(descriptor)
    finally:
        os.close(descriptor)
    assert isinstance(refused, PermissionError)


@pytest.mark.skipif(not hasattr(os, "O_TMPFILE"), reason="this system has no files without a name")
@pytest.mark.parametrize("kind", [errno.EOPNOTSUPP, errno.EROFS])
def test_a_file_system_without_nameless_files_is_no_reason(
    project: Path, monkeypatch: pytest.MonkeyPatch, kind: int
) -> None:
    descriptor = open_folder(project)

    def no_file(*_arguments: object, **_options: object) -> int:
        raise OSError(kind, os.strerror(kind))

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", no_file)
        refused = refusal(descriptor)
    os.close(descriptor)
    assert (refused is None) == (kind == errno.EOPNOTSUPP)


def test_leftovers_that_cannot_be_deleted_stay_and_are_told(
    scene: Site, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "logs" / files.TEMPORARY).write_bytes(b"half")
    (project / "cache" / files.TEMPORARY).mkdir()  # no file: not ours

    def refuse(*_arguments: object, **_options: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    with monkeypatch.context() as patched:
        patched.setattr("tasks.recovery.leftovers._unlink", refuse)
        report = remove_leftovers(scene())
    (finding,) = report.findings
    assert (finding.status, finding.subject) == (Status.WARNING, f"logs/{files.TEMPORARY}")
    assert finding.message == "This temporary file of an earlier run cannot be deleted: Operation not permitted."
    assert report.actions == []
    assert remove_leftovers(scene()).summary == "1 leftover temporary file deleted (4 B)"
    assert (project / "cache" / files.TEMPORARY).is_dir()

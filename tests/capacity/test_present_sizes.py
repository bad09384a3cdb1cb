from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from tasks.capacity import present_sizes
from tasks.capacity.present_sizes import Amount, folder_limits, measure
from tasks.capacity.recorded_sizes import BACKUPS, CACHE, DISK, INODES, LOGS
from tasks.core.files.disk_usage import usage_by_entry
from tasks.core.settings.model import BackupSettings, CacheSettings, CapacitySettings, LogSettings, Settings

from .conftest import Project

SYSTEM = {"f_blocks": 1000, "f_bfree": 300, "f_bavail": 250, "f_frsize": 4096, "f_files": 500, "f_ffree": 400}


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """A file system whose figures the test can change."""
    figures = {**SYSTEM, "f_favail": 380}
    monkeypatch.setattr(os, "statvfs", lambda _path: SimpleNamespace(**figures))
    return figures


def settings(project: Project, **changes: Any) -> Settings:
    return msgspec.structs.replace(project.settings, **changes)


def amounts(given: Settings) -> dict[str, Amount]:
    return measure(given, Event()).amounts


def test_the_disk_counts_as_df_does(project: Project, disk: dict[str, int]) -> None:
    found = amounts(project.settings)
    total = (700 + 250) * 4096
    assert found[DISK] == Amount(700 * 4096, total, total * 0.9)
    assert found[INODES] == Amount(100, 480, 480 * 0.9)
    disk["f_ffree"] = 600
    assert amounts(project.settings)[INODES].used == 0


def test_a_file_system_without_a_number_of_inodes_has_no_such_series(project: Project, disk: dict[str, int]) -> None:
    disk.update(f_files=0, f_ffree=0, f_favail=0)
    assert INODES not in amounts(project.settings)


def test_a_file_system_without_blocks_has_no_size(project: Project, disk: dict[str, int]) -> None:
    disk.update(f_blocks=0, f_bfree=0, f_bavail=0)
    assert DISK not in amounts(project.settings)


def test_the_real_file_system_is_measured(project: Project) -> None:
    found = amounts(project.settings)[DISK]
    assert found.total is not None
    assert 0 < found.used <= found.total


def test_folders_that_are_not_there_have_no_series(project: Project) -> None:
    assert {LOGS, CACHE, BACKUPS}.isdisjoint(amounts(project.settings))


def test_the_projects_folders_are_measured_in_one_walk(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.write("a/b.log", b"12345")
    (project.root / "cache").mkdir()
    (project.root / "other").write_bytes(b"1")
    walks = []

    def counted(folder: Path, stop: Event) -> Counter[str]:
        walks.append(folder)
        return usage_by_entry(folder, stop)

    monkeypatch.setattr(present_sizes, "usage_by_entry", counted)
    found = measure(project.settings, Event())
    assert found.folders == {"logs": 5, "cache": 0, ".": 1}
    assert found.amounts[LOGS] == Amount(5, 1e9, 1e9)
    assert found.amounts[CACHE] == Amount(0, None, None)
    assert walks == [project.root]


def test_nested_folders_are_measured_by_themselves(project: Project) -> None:
    (project.root / "var/cache/kind").mkdir(parents=True)
    (project.root / "var/cache/kind/file").write_bytes(b"123")
    (project.root / "var/backups").mkdir()
    (project.root / "var/file").write_bytes(b"1" * 50)
    given = settings(
        project,
        cache=CacheSettings(directory="var/cache"),
        backups=BackupSettings(directory="var/backups"),
        logs=LogSettings(directory="var/file"),
    )
    found = amounts(given)
    assert (found[CACHE].used, found[BACKUPS].used) == (3, 0)
    assert LOGS not in found


@pytest.mark.parametrize("directory", ["cache", "var/cache"])
def test_a_folder_that_is_a_link_is_none_of_the_projects(project: Project, tmp_path: Path, directory: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/file").write_bytes(b"123")
    link = project.root / directory
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(tmp_path / "elsewhere")
    assert CACHE not in amounts(settings(project, cache=CacheSettings(directory=directory)))


def test_a_folder_that_cannot_be_read_is_not_measured(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.write("app.log", b"12345")
    scan = os.scandir

    def closed(path: Any) -> Any:
        if str(path).endswith("logs"):
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", closed)
    assert LOGS not in amounts(project.settings)


def test_without_the_root_nothing_can_be_measured(project: Project) -> None:
    project.root.rmdir()
    with pytest.raises(FileNotFoundError):
        measure(project.settings, Event())


def test_limits_are_in_millions_of_bytes_and_the_logs_have_one_by_default(project: Project) -> None:
    assert folder_limits(project.settings) == {LOGS: 1e9}
    own = CapacitySettings(limits_mb={"logs": 5, "cache": 0.5, "backups": 20})
    assert folder_limits(settings(project, capacity=own)) == {LOGS: 5e6, CACHE: 5e5, BACKUPS: 2e7}

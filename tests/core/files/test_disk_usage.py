from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from threading import Event

import pytest

from tasks.core.files import disk_usage
from tasks.core.files.disk_usage import TOP, usage_by_entry
from tasks.core.files.lock import LOCK_FILE, project_lock


def file(path: Path, size: int = 10) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    return path


def test_files_count_by_the_first_part_of_their_path(project: Path) -> None:
    file(project / "a/b/c/deep", 100)
    file(project / "a/flat", 20)
    file(project / "b/other", 3)
    file(project / "here", 5)
    (project / "empty/below").mkdir(parents=True)
    assert usage_by_entry(project) == {"a": 120, "b": 3, TOP: 5, "empty": 0}


def test_the_lock_of_the_run_that_measures_does_not_count(project: Path) -> None:
    file(project / "here", 5)
    with project_lock(project, "a test", datetime.now().astimezone()):
        assert (project / LOCK_FILE).stat().st_size > 0
        assert usage_by_entry(project) == {TOP: 5}


def test_an_empty_folder_holds_nothing(project: Path) -> None:
    assert usage_by_entry(project) == {}
    assert usage_by_entry(project).total() == 0


def test_a_missing_folder_is_an_error(project: Path) -> None:
    with pytest.raises(FileNotFoundError):
        usage_by_entry(project / "none")


def test_a_file_in_the_place_of_the_folder_is_an_error(project: Path) -> None:
    with pytest.raises(NotADirectoryError):
        usage_by_entry(file(project / "file"))


def test_no_link_is_followed_and_none_counts(project: Path, tmp_path: Path) -> None:
    file(tmp_path / "elsewhere/large", 1000)
    file(project / "a/file", 7)
    (project / "a/folder").symlink_to(tmp_path / "elsewhere")
    (project / "a/link").symlink_to(tmp_path / "elsewhere/large")
    (project / "a/loop").symlink_to(project)
    (project / "dangling").symlink_to("nowhere")
    assert usage_by_entry(project) == {"a": 7}


def test_the_folder_itself_may_be_reached_through_a_link(project: Path, tmp_path: Path) -> None:
    file(project / "a/file", 7)
    (tmp_path / "link").symlink_to(project)
    assert usage_by_entry(tmp_path / "link") == {"a": 7}


def test_a_file_with_several_names_counts_once(project: Path) -> None:
    first = file(project / "a/first", 50)
    (project / "a/second").hardlink_to(first)
    (project / "a/third").hardlink_to(first)
    assert usage_by_entry(project) == {"a": 50}


def test_what_is_neither_file_nor_folder_counts_nothing(project: Path) -> None:
    os.mkfifo(project / "pipe")
    assert usage_by_entry(project) == {}


def test_a_name_that_is_no_utf_8_counts(project: Path) -> None:
    folder = project / os.fsdecode(b"\xff")
    try:
        folder.mkdir()
    except OSError:
        pytest.skip("this file system takes only names in UTF-8")
    (folder / "file").write_bytes(b"123")
    assert usage_by_entry(project) == {"\udcff": 3}


def test_the_walk_ends_where_it_is_told_to_stop(project: Path) -> None:
    file(project / "a/file")
    stop = Event()
    stop.set()
    assert usage_by_entry(project, stop) == {}


def test_the_walk_ends_between_two_folders(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b", "c"):
        file(project / name / "file")
    stop = Event()
    walk = disk_usage._add_usage

    def counted(entries: Iterator[os.DirEntry[str]], top: str, walked: disk_usage._Walk, event: Event) -> None:
        walk(entries, top, walked, event)
        if top != TOP:
            event.set()

    monkeypatch.setattr(disk_usage, "_add_usage", counted)
    assert usage_by_entry(project, stop).total() == 10


def test_a_folder_that_cannot_be_opened_is_missing_and_the_rest_goes_on(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A size of 0 would be recorded, and taken for a clean-up later."""
    file(project / "a/file", 7)
    file(project / "b/open", 3)
    file(project / "b/closed/file", 100)
    scan = os.scandir

    def scandir(path: str) -> Iterator[os.DirEntry[str]]:
        if str(path).endswith(("/a", "/closed")):
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert usage_by_entry(project) == {"b": 3}


class _Entry:
    """An entry that vanished after it was listed."""

    name = path = "gone"

    def is_dir(self, *, follow_symlinks: bool) -> bool:
        assert not follow_symlinks
        return False

    def is_file(self, *, follow_symlinks: bool) -> bool:
        return not follow_symlinks

    def stat(self, *, follow_symlinks: bool) -> os.stat_result:
        raise FileNotFoundError(2, f"No such file, links followed: {follow_symlinks}")


class _Mount(_Entry):
    """A folder on another file system."""

    def is_dir(self, *, follow_symlinks: bool) -> bool:
        return not follow_symlinks

    def stat(self, *, follow_symlinks: bool) -> os.stat_result:
        assert not follow_symlinks
        return os.stat_result((0o40755, 2, 99, 1, 0, 0, 4096, 0, 0, 0))


@pytest.mark.parametrize("kind", [_Entry, _Mount])
def test_what_vanished_and_what_is_mounted_counts_nothing(kind: type[_Entry]) -> None:
    walk = disk_usage._Walk(1, Counter(), set(), [])
    disk_usage._add_usage([kind()], TOP, walk, Event())  # type: ignore[list-item]
    assert (walk.weights, walk.pending) == ({}, [])

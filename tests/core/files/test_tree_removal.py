from __future__ import annotations

import os
from pathlib import Path

import pytest

from tasks.core.files.tree_removal import remove_tree


def removed(root: Path, name: str = "tree") -> None:
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        remove_tree(descriptor, name)
    finally:
        os.close(descriptor)


def test_files_folders_and_links_go_and_what_a_link_leads_to_stays(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/file").touch()
    (tmp_path / "tree/a/b").mkdir(parents=True)
    (tmp_path / "tree/a/b/.removed-0").mkdir()
    (tmp_path / "tree/.removed-0").mkdir()
    (tmp_path / "tree/a/file").touch()
    (tmp_path / "tree/a/link").symlink_to(tmp_path / "outside")
    (tmp_path / "tree/link").symlink_to(tmp_path / "outside")
    os.mkfifo(tmp_path / "tree/a/pipe")
    removed(tmp_path)
    assert sorted(each.name for each in tmp_path.rglob("*")) == ["file", "outside"]


def test_what_is_not_there_is_removed(tmp_path: Path) -> None:
    removed(tmp_path)


@pytest.mark.parametrize("kind", ["file", "link"])
def test_a_file_or_a_link_is_refused(tmp_path: Path, kind: str) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/file").touch()
    if kind == "file":
        (tmp_path / "tree").touch()
    else:
        (tmp_path / "tree").symlink_to("outside")
    with pytest.raises(OSError, match=r"Not a directory|symbolic links"):
        removed(tmp_path)
    assert (tmp_path / "outside/file").exists()


@pytest.mark.slow
def test_a_tree_of_5000_folders_goes(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    deepest = os.open(tmp_path / "tree", os.O_RDONLY)
    for _ in range(5000):
        os.mkdir("d", dir_fd=deepest)
        os.close(os.open("file", os.O_CREAT, dir_fd=deepest))
        below = os.open("d", os.O_RDONLY, dir_fd=deepest)
        os.close(deepest)
        deepest = below
    os.close(deepest)
    removed(tmp_path)
    assert [*tmp_path.iterdir()] == []


def test_folders_that_may_not_be_emptied_are_emptied(tmp_path: Path) -> None:
    (tmp_path / "tree/a/b/c").mkdir(parents=True)
    for name in ("tree/a/b/c", "tree/a/b", "tree/a", "tree"):
        (tmp_path / name).chmod(0)
    removed(tmp_path)
    assert [*tmp_path.iterdir()] == []


def test_a_name_that_cannot_be_removed_stops_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("tree/a/kept", "tree/a/b/other", "tree/z/other", "tree/other"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    original = os.unlink

    def unlink(name: str, *, dir_fd: int | None = None) -> None:
        if name == "kept":
            raise PermissionError(1, "Operation not permitted", name)
        original(name, dir_fd=dir_fd)

    monkeypatch.setattr(os, "unlink", unlink)
    with pytest.raises(PermissionError, match="Operation not permitted"):
        removed(tmp_path)
    assert sorted(each.name for each in (tmp_path / "tree").rglob("*")) == ["a", "kept"]


def test_a_folder_that_cannot_be_moved_or_removed_stops_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("tree/a/stuck/file", "tree/a/b/other", "tree/z/other"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    original = os.rename

    def rename(name: str, target: str, *, src_dir_fd: int, dst_dir_fd: int) -> None:
        if name == "stuck":
            raise PermissionError(1, "Operation not permitted", name)
        original(name, target, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)

    monkeypatch.setattr(os, "rename", rename)
    with pytest.raises(PermissionError, match="Operation not permitted"):
        removed(tmp_path)
    assert sorted(each.name for each in (tmp_path / "tree").rglob("*")) == ["a", "file", "stuck"]

"""Removing a folder with all that lies in it, however deep, and however much of it cannot be removed."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def remove_tree(parent: int, name: str) -> None:
    """Remove a folder and what lies in it; what cannot be removed stays, and the rest goes all the same.

    Folders are moved up into the folder itself before they are emptied, so that a deep tree needs neither recursion nor
    a long path nor many descriptors. No link is followed and no other file system entered.

    Args:
        parent: the descriptor of the folder that it lies in.
        name: its name there.

    Raises:
        OSError: it is no folder, or something of it is still there: the first reason.
    """
    try:
        top = _opened(parent, name)
    except FileNotFoundError:
        return
    problems: list[OSError] = []
    try:
        names = _free_names(top)
        stuck: set[str] = set()
        while folders := [each for each in _emptied(top, problems) if each not in stuck]:
            for each in folders:
                if not _dissolve(top, each, names, problems):
                    stuck.add(each)
    finally:
        os.close(top)
    try:
        os.rmdir(name, dir_fd=parent)
    except OSError as error:
        raise (problems or [error])[0] from None


def _opened(parent: int, name: str) -> int:
    """Return the descriptor of a folder, which can be emptied by its owner from now on."""
    with suppress(OSError):
        if hasattr(os, "O_PATH"):
            descriptor = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
            try:
                Path(f"/proc/self/fd/{descriptor}").chmod(0o700)
            finally:
                os.close(descriptor)
        else:
            os.chmod(name, 0o700, dir_fd=parent, follow_symlinks=False)
    return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)


def _free_names(folder: int) -> Iterator[str]:
    """Yield names that nothing in a folder has."""
    existing = {*os.listdir(folder)}
    return (name for number in itertools.count() if (name := f".removed-{number}") not in existing)


def _emptied(folder: int, problems: list[OSError]) -> list[str]:
    """Remove the files of a folder, and return its folders."""
    folders = []
    with os.scandir(folder) as entries:
        for entry in [*entries]:
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.name)
            else:
                try:
                    os.unlink(entry.name, dir_fd=folder)
                except OSError as error:
                    problems.append(error)
    return folders


def _dissolve(top: int, name: str, names: Iterator[str], problems: list[OSError]) -> bool:
    """Remove a folder in *top*, once its folders have moved up there; return False where it stays."""
    try:
        descriptor = _opened(top, name)
    except OSError as error:
        problems.append(error)
        return False
    try:
        if os.fstat(descriptor).st_dev == os.fstat(top).st_dev:
            for below in _emptied(descriptor, problems):
                try:
                    os.close(_opened(descriptor, below))  # to be moved, a folder must be writable itself
                    os.rename(below, next(names), src_dir_fd=descriptor, dst_dir_fd=top)
                except OSError as error:
                    problems.append(error)
        os.rmdir(name, dir_fd=top)
    except OSError as error:
        problems.append(error)
        return False
    finally:
        os.close(descriptor)
    return True

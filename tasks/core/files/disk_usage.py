"""How much a folder holds: its files' sizes, in one walk that follows no link and enters no other file system."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import NamedTuple

from .lock import LOCK_FILE

TOP = "."
"""Under this name stand the files that lie in the folder itself."""


def usage_by_entry(folder: Path, stop: Event | None = None) -> Counter[str]:
    """Return the bytes of the files below a folder, by the first part of their path.

    Sizes are those that ``ls`` shows; a file with several names counts once, the lock of the run itself never. What
    cannot be read, or vanishes meanwhile, counts nothing: a folder in *folder* that cannot be opened is missing in the
    result, for 0 would be taken for a size.

    Args:
        folder: where to begin.
        stop: ends the walk where it is set; the result is then too small.

    Raises:
        OSError: the folder itself cannot be read.
    """
    stop = stop or Event()
    walk = _Walk(folder.stat().st_dev, Counter(), set(), [])
    with os.scandir(folder) as entries:
        _add_usage(entries, TOP, walk, stop)
    while walk.pending and not stop.is_set():
        path, top = walk.pending.pop()
        with suppress(OSError), os.scandir(path) as entries:
            walk.weights[top] += 0
            _add_usage(entries, top, walk, stop)
    return walk.weights


class _Walk(NamedTuple):
    """Of the folders only those that are still to be opened are kept: one of them may hold a million files."""

    device: int
    weights: Counter[str]
    seen: set[int]
    pending: list[tuple[str, str]]


def _add_usage(entries: Iterable[os.DirEntry[str]], top: str, walk: _Walk, stop: Event) -> None:
    for entry in entries:
        if stop.is_set():
            return
        with suppress(OSError):
            if entry.is_dir(follow_symlinks=False):
                if entry.stat(follow_symlinks=False).st_dev == walk.device:
                    walk.pending.append((entry.path, entry.name if top == TOP else top))
            elif entry.name != LOCK_FILE and entry.is_file(follow_symlinks=False):
                walk.weights[top] += _size(entry.stat(follow_symlinks=False), walk.seen)


def _size(status: os.stat_result, seen: set[int]) -> int:
    """Return a file's size; 0 for a second name of one that was seen."""
    if status.st_nlink > 1:
        if status.st_ino in seen:
            return 0
        seen.add(status.st_ino)
    return status.st_size

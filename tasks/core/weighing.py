"""How much a folder holds: its files' sizes, in one walk that follows no link and enters no other file system."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from threading import Event

TOP = "."
"""Under this name stand the files that lie in the folder itself."""


def weigh(folder: Path, stop: Event | None = None) -> Counter[str]:
    """Return the bytes of the files below a folder, by the first part of their path.

    Sizes are those that ``ls`` shows; a file with several names counts once. What cannot be read, or vanishes
    meanwhile, counts nothing.

    Args:
        folder: where to begin.
        stop: ends the walk where it is set; the result is then too small.

    Raises:
        OSError: the folder itself cannot be read.
    """
    weights: Counter[str] = Counter()
    device = folder.stat().st_dev
    seen: set[int] = set()
    with os.scandir(folder) as entries:
        pending = [(entry, TOP) for entry in entries]
    while pending and not (stop and stop.is_set()):
        entry, top = pending.pop()
        try:
            if entry.is_dir(follow_symlinks=False):
                name = entry.name if top == TOP else top
                if entry.stat(follow_symlinks=False).st_dev == device:
                    weights[name] += 0
                    with os.scandir(entry.path) as entries:
                        pending += [(below, name) for below in entries]
            elif entry.is_file(follow_symlinks=False):
                status = entry.stat(follow_symlinks=False)
                if status.st_nlink > 1:
                    if status.st_ino in seen:
                        continue
                    seen.add(status.st_ino)
                weights[top] += status.st_size
        except OSError:
            continue
    return weights

"""What lies in a folder: every name with its type, mode, size and time, so that any change shows."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

import msgspec


class Listed(msgspec.Struct, frozen=True, array_like=True):
    """One entry.

    Attributes:
        mode: its type and permissions, as ``st_mode`` has them.
        size: in bytes; 0 for what is no file.
        mtime_ns: when it was last written; 0 for a link, whose time nothing restores.
        target: where a link leads.
        owner: the numbers of its user and group.
    """

    mode: int
    size: int = 0
    mtime_ns: int = 0
    target: str = ""
    owner: tuple[int, int] = (0, 0)

    @property
    def is_folder(self) -> bool:
        """True for a folder."""
        return stat.S_ISDIR(self.mode)

    @property
    def is_link(self) -> bool:
        """True for a symbolic link."""
        return stat.S_ISLNK(self.mode)


Listing: TypeAlias = Mapping[str, Listed]
"""Entries by their path below the folder, ``.`` for itself; a folder comes before what lies in it."""


def listing(folder: Path) -> dict[str, Listed]:
    """Return what lies in a folder and below it; links are not followed.

    Raises:
        OSError: something in it cannot be read.
    """
    found = {".": _listed(os.lstat(folder), "")}
    pending = [""]
    while pending:
        below = pending.pop()
        with os.scandir(folder / below) as entries:
            for entry in sorted(entries, key=lambda each: each.name):
                path = f"{below}{entry.name}"
                status = entry.stat(follow_symlinks=False)
                found[path] = _listed(status, str(Path(entry.path).readlink()) if entry.is_symlink() else "")
                if entry.is_dir(follow_symlinks=False):
                    pending.append(f"{path}/")
    return found


def listed(path: Path) -> Listed | None:
    """Return one entry; ``None`` where there is none."""
    try:
        return _listed(path.lstat(), str(path.readlink()) if path.is_symlink() else "")
    except FileNotFoundError:
        return None


def _listed(status: os.stat_result, target: str) -> Listed:
    owner = (status.st_uid, status.st_gid)
    if stat.S_ISLNK(status.st_mode):
        return Listed(status.st_mode, target=target, owner=owner)
    size = status.st_size if stat.S_ISREG(status.st_mode) else 0
    return Listed(status.st_mode, size, status.st_mtime_ns, owner=owner)

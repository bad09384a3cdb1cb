"""How full a disk is, as ``df`` counts: what is kept for root is no room for anybody else."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple


class DiskSpace(NamedTuple):
    """What of a file system is in use.

    Attributes:
        used: bytes in use.
        total: bytes in use and bytes that ordinary users may still use; 0 where the file system has no size.
        inodes_used: inodes in use.
        inodes_total: inodes in use and available; 0 where their number is not fixed.
    """

    used: int
    total: int
    inodes_used: int
    inodes_total: int


def disk_space(path: Path) -> DiskSpace:
    """Return how full the file system of a path is.

    Raises:
        OSError: it does not tell.
    """
    status = os.statvfs(path)
    used = status.f_blocks - status.f_bfree
    total = (used + status.f_bavail) * status.f_frsize
    inodes = max(0, status.f_files - status.f_ffree)
    return DiskSpace(used * status.f_frsize, total, inodes, inodes + status.f_favail if status.f_files else 0)

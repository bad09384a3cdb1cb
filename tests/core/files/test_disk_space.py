from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from tasks.core.files.disk_space import DiskSpace, disk_space


@pytest.mark.parametrize(
    ("files", "free", "available", "inodes"),
    [(1000, 400, 300, (600, 900)), (1000, 1200, 300, (0, 300)), (0, 0, 0, (0, 0)), (0, 0, 50, (0, 0))],
    ids=["usual", "more free than there are", "no number", "available without a number"],
)
def test_what_is_kept_for_root_is_no_room(
    monkeypatch: pytest.MonkeyPatch, files: int, free: int, available: int, inodes: tuple[int, int]
) -> None:
    blocks = {"f_blocks": 100, "f_bfree": 40, "f_bavail": 30, "f_frsize": 4096, "f_bsize": 1 << 20}
    status = SimpleNamespace(**blocks, f_files=files, f_ffree=free, f_favail=available)
    monkeypatch.setattr(os, "statvfs", lambda _: status)
    assert disk_space(Path("/")) == DiskSpace(60 * 4096, 90 * 4096, *inodes)

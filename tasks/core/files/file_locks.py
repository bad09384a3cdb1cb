"""Locks that processes hold on files: whether anybody holds one, and who."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ..text.formatting import printable

TABLE = Path("/proc/locks")
"""Where Linux lists all locks of all processes that we can see."""

_FILE = re.compile(rb"[0-9a-f]+:[0-9a-f]+:[0-9]+")
"""How that table names a file: the device's major and minor number, and the inode."""

_FLOCK = re.compile(rb"\d+: FLOCK +ADVISORY +(?:READ|WRITE) +(?P<process>\d+) [0-9a-f]+:[0-9a-f]+:(?P<inode>\d+) .*")


def held_by_others(table: Path = TABLE) -> Callable[[int, str, int], bool]:
    """Return a test that tells whether somebody holds a lock on a file now.

    Linux lists all locks in one file, which costs one read for any number of files. Elsewhere each file is asked for
    with a lock of our own, which sees ``flock`` only. The answer is as old as this call: ask again for each batch.

    Returns:
        A function of a folder's descriptor, a file's name in it and its inode.
    """
    try:
        lines = table.read_bytes().splitlines()
    except OSError:
        return _refuses_lock
    # "1: FLOCK  ADVISORY  WRITE 1234 fd:00:5678 0 EOF"; a waiting one has "->" in front. The device is left
    # out: on some file systems it is not the one that stat reports.
    inodes = {int(field.rpartition(b":")[2]) for line in lines for field in line.split() if _FILE.fullmatch(field)}
    return lambda _folder, _name, inode: inode in inodes


def _refuses_lock(folder: int, name: str, _inode: int) -> bool:
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # a file system without locks
        return False
    else:
        return False
    finally:
        os.close(descriptor)


def holders(inode: int, table: Path = TABLE) -> list[int]:
    """Return the processes that hold a lock (flock) on a file; none where that cannot be known.

    Of a process in another container the system shows no number.
    """
    try:
        lines = table.read_bytes().splitlines()
    except OSError:
        return []
    found = [match for line in lines if (match := _FLOCK.fullmatch(line)) and int(match["inode"]) == inode]
    return sorted({int(match["process"]) for match in found} - {0})


def user_of(process: int) -> int | None:
    """Return the number of the user that a process runs as; ``None`` where that cannot be known."""
    with suppress(OSError):
        return os.stat(f"/proc/{process}").st_uid  # noqa: PTH116 - as everything in here
    return None


def described(processes: list[int]) -> str:
    """Return processes for people: ``process 12 (backup), process 13``."""

    def one(process: int) -> str:
        with suppress(OSError):
            name = Path(f"/proc/{process}/comm").read_text("utf-8", "replace").strip()
            return f"process {process} ({printable(name)})"
        return f"process {process}"

    return ", ".join(map(one, processes))

"""Releasing the first blocks of a file, where the system and the file system can (Linux; ext4 and XFS)."""

from __future__ import annotations

import ctypes
import functools
import os
import sys
from collections.abc import Callable
from pathlib import Path

_COLLAPSE = 0x08
"""``FALLOC_FL_COLLAPSE_RANGE`` of ``linux/falloc.h``."""

_DEVICE, _TYPE = 2, 0
"""Fields of a line of ``/proc/self/mountinfo``: the device, and behind the lone hyphen the file system's type
(proc_pid_mountinfo(5))."""


@functools.cache
def _fallocate() -> Callable[[int, int, int, int], int] | None:
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None, use_errno=True)
    function = getattr(library, "fallocate64", None) or getattr(library, "fallocate", None)
    if function is None:
        return None
    function.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)
    function.restype = ctypes.c_int
    return function  # type: ignore[no-any-return]


def available() -> bool:
    """Tell whether this system knows the operation; a file system may still refuse it."""
    return _fallocate() is not None


def collapse(log: int, length: int) -> None:
    """Remove the first *length* bytes of a file, so that what follows becomes its start.

    Args:
        log: the file, open for writing.
        length: a multiple of the file system's block in bytes, less than the file's length.

    Raises:
        OSError: the file system refuses; nothing has changed.
    """
    function = _fallocate()
    if function is None:
        raise NotImplementedError
    if function(log, _COLLAPSE, 0, length) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def file_system(device: int, table: Path = Path("/proc/self/mountinfo")) -> str | None:
    """Return the type of the file system on *device*, ``ext4`` for one; ``None`` where that cannot be told."""
    try:
        lines = table.read_bytes().decode(errors="replace").splitlines()
    except OSError:
        return None
    wanted = f"{os.major(device)}:{os.minor(device)}"
    for line in lines:
        mount, _, rest = line.partition(" - ")
        fields = mount.split()
        if len(fields) > _DEVICE and fields[_DEVICE] == wanted and rest:
            return rest.split()[_TYPE]
    return None

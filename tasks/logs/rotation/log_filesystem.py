"""The file system that a log is on, and releasing the first blocks of a file (Linux; ext4 and XFS)."""

from __future__ import annotations

import ctypes
import functools
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

COLLAPSING_TYPES = frozenset({"ext4", "xfs"})
"""Those that can release blocks at a file's start (fallocate(2), FALLOC_FL_COLLAPSE_RANGE)."""


_COLLAPSE = 0x08
"""``FALLOC_FL_COLLAPSE_RANGE`` of ``linux/falloc.h``."""

_DEVICE, _TYPE = 2, 0
"""Fields of a line of ``/proc/self/mountinfo``: the device, and behind the lone hyphen the file system's type
(proc_pid_mountinfo(5))."""


class Filesystem(NamedTuple):
    """What the log lies on.

    Attributes:
        file_system: its type as the kernel names it; ``None`` where that is not known.
        collapses: whether the operating system can release a file's first blocks.
        allow_copytruncate: whether the settings accept that lines may be lost.
        refusal: what the file system said when it was asked to release a file's first blocks; empty where it
            was not asked or did so.
    """

    file_system: str | None
    collapses: bool
    allow_copytruncate: bool
    refusal: str = ""


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


def collapse_available() -> bool:
    """Tell whether this system knows the operation; a file system may still refuse it."""
    return _fallocate() is not None


def collapse_range(log: int, length: int) -> None:
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


def filesystem_type(device: int, table: Path = Path("/proc/self/mountinfo")) -> str | None:
    """Return the type of the file system on *device*, ``ext4`` for one; ``None`` where it is unknown."""
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

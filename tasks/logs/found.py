"""Which files are the project's logs, and which of that name are refused."""

from __future__ import annotations

import fnmatch
import os
import stat
from pathlib import Path
from typing import NamedTuple

from ..core.files.safe_files import folder
from ..core.settings.model import LogSettings


class Log(NamedTuple):
    """A log file: its name in the log folder, and what ``lstat`` said of it."""

    name: str
    status: os.stat_result


class Found(NamedTuple):
    """What lies in the log folder.

    Attributes:
        logs: the regular files that the pattern names, sorted by name.
        refused: per name that the pattern takes, why the file is not touched.
    """

    logs: list[Log]
    refused: dict[str, str]


def find(root: Path, settings: LogSettings) -> Found:
    """Return the logs that lie directly in the log folder.

    A pattern matches as the shell has it: ``*.log`` names no hidden file. Not even ``*`` names what the suite keeps
    there, or what is packed.

    Raises:
        FileNotFoundError: there is no log folder.
        Refused, OSError: it cannot be opened.
    """
    with folder(root, settings.directory) as descriptor:
        return find_in(descriptor, settings.pattern)


def find_in(descriptor: int, pattern: str) -> Found:
    """Return the logs in the open log folder."""
    logs, refused = [], {}
    with os.scandir(descriptor) as entries:
        for entry in entries:
            name = entry.name
            if not fnmatch.fnmatchcase(name, pattern) or _is_no_log(name, pattern):
                continue
            try:
                status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
            except FileNotFoundError:
                continue
            if stat.S_ISREG(status.st_mode):
                logs.append(Log(name, status))
            elif reason := _reason(status.st_mode):
                refused[name] = reason
    return Found(sorted(logs), dict(sorted(refused.items())))


_STATES = ("error_tracking.json", "log_review.json", "performance.json", "api_performance.json")
"""What the suite and the project keep in the log folder; what was kept aside has something behind that."""

_PACKED = (".gz", ".bz2", ".xz", ".zst", ".zip")


def _is_no_log(name: str, pattern: str) -> bool:
    """Tell whether a file is none of the logs whatever the pattern says: it is hidden, a state, or an archive."""
    return (
        (name.startswith(".") and not pattern.startswith("."))
        or name.startswith((*_STATES, ".maintenance"))
        or name.endswith(_PACKED)
    )


def _reason(mode: int) -> str | None:
    if stat.S_ISLNK(mode):
        return "a symbolic link, which is not followed"
    return None if stat.S_ISDIR(mode) else "not a regular file"

"""The log folder: which files in it are logs, which are refused, and the findings on what could not be read."""

from __future__ import annotations

import fnmatch
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from ..core.files.safe_files import folder
from ..core.report.model import Finding, Status
from ..core.run.registry import own_files
from ..core.settings.model import Settings
from ..core.text.formatting import count, listed, printable


class LogFile(NamedTuple):
    """A log file: its name in the log folder, and what ``lstat`` said of it."""

    name: str
    status: os.stat_result


class LogFiles(NamedTuple):
    """What lies in the log folder.

    Attributes:
        logs: the regular files that the pattern names, sorted by name.
        refused: per name that the pattern takes, why the file is not touched.
    """

    logs: list[LogFile]
    refused: dict[str, str]


def find_logs(root: Path, settings: Settings) -> LogFiles:
    """Return the logs that lie directly in the log folder.

    A pattern matches as the shell has it: ``*.log`` names no hidden file. Not even ``*`` names what the suite keeps
    there, or what is packed.

    Raises:
        FileNotFoundError: there is no log folder.
        Refused, OSError: it cannot be opened.
    """
    with folder(root, settings.logs.directory) as descriptor:
        return find_logs_in(descriptor, settings)


def find_logs_in(descriptor: int, settings: Settings) -> LogFiles:
    """Return the logs in the open log folder."""
    logs, refused = [], {}
    pattern, is_state = settings.logs.pattern, _state_files(settings)
    with os.scandir(descriptor) as entries:
        for entry in entries:
            name = entry.name
            if not fnmatch.fnmatchcase(name, pattern) or _is_no_log(name, pattern) or is_state(name):
                continue
            try:
                status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
            except FileNotFoundError:
                continue
            if stat.S_ISREG(status.st_mode):
                logs.append(LogFile(name, status))
            elif reason := _refusal_reason(status.st_mode):
                refused[name] = reason
    return LogFiles(sorted(logs), dict(sorted(refused.items())))


_PACKED = (".gz", ".bz2", ".xz", ".zst", ".zip")


def _is_no_log(name: str, pattern: str) -> bool:
    """Tell whether a file is no log even if the pattern names it: it is hidden, or an archive."""
    return (
        (name.startswith(".") and not pattern.startswith("."))
        or name.startswith(".maintenance")
        or name.endswith(_PACKED)
    )


def _state_files(settings: Settings) -> Callable[[str], bool]:
    """Return what tells the suite's own files in the log folder, and the project's record of its work, by name."""
    directory, own = PurePosixPath(settings.logs.directory), own_files(settings)
    record = PurePosixPath(settings.generation.file)
    kept_by_project = record.name if record.parent == directory else None

    def is_state(name: str) -> bool:
        return own.owns(str(directory / name)) or (kept_by_project is not None and name.startswith(kept_by_project))

    return is_state


def _refusal_reason(mode: int) -> str | None:
    if stat.S_ISLNK(mode):
        return "a symbolic link, which is not followed"
    return None if stat.S_ISDIR(mode) else "not a regular file"


def folder_missing(directory: str) -> Finding:
    """Return the finding on a log folder that is not there."""
    return Finding(
        check="logs.folder",
        subject=directory,
        status=Status.SKIPPED,
        message="There is no log folder. Should there be one, look at maintenance.root and maintenance.logs.",
    )


def no_logs(directory: str) -> Finding:
    """Return the finding on a log folder that holds nothing but what the suite keeps there."""
    return Finding(
        check="logs.folder",
        subject=directory,
        status=Status.SKIPPED,
        message="It holds no log. Should there be one, look at maintenance.logs.directory and .pattern.",
    )


def folder_unusable(directory: str, why: str) -> Finding:
    """Return the finding on a log folder, or on settings, with which nothing can be read."""
    return Finding(
        check="logs.folder",
        subject=directory,
        status=Status.UNKNOWN,
        message=why,
        remedy="Put that right, or correct maintenance.logs; until then nobody watches the logs.",
    )


def unread_logs(directory: str, problems: Mapping[str, str], refused: Mapping[str, str]) -> Iterator[Finding]:
    """Yield the findings on what was not read, or not to its end.

    Args:
        directory: the log folder.
        problems: per path below the root, why.
        refused: per name in the log folder, why it was not opened.
    """
    for path, problem in problems.items():
        yield Finding(
            check="logs.unreadable",
            subject=printable(path),
            status=Status.UNKNOWN,
            message=problem,
            remedy="Look at owner and permissions with ls -l, and at an archive with gzip -t.",
        )
    if refused:
        names = [f"{name} ({why})" for name, why in refused.items()]
        yield Finding(
            check="logs.refused",
            subject=directory,
            status=Status.WARNING,
            message=f"{count(len(names), 'log')} not read: {listed(names, len(names))}.",
            value=len(names),
            unit="files",
            remedy="Let the pattern name regular files only (maintenance.logs.pattern).",
        )

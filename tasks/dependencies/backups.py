"""Copies of the requirements files from before each update."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path, PurePosixPath

from ..core.files import safe_files
from ..core.files.safe_files import Refused

_LIMIT = 50_000_000
"""Bytes of a file: the lock of a large project has some megabytes."""

_SUFFIX = re.compile(r"\.backup\.(?P<day>\d{8})(?:-(?P<serial>[1-9]\d*))?")


def back_up(root: Path, path: str, today: date) -> str:
    """Copy a file to where :func:`copy_path` says and return the copy's path.

    Raises:
        Refused, OSError: it cannot be read or written.
    """
    name = copy_path(root, path, today)
    if not (root / name).exists():
        safe_files.write(root, name, safe_files.read(root, path, limit=_LIMIT))
        (root / name).chmod((root / path).stat().st_mode & 0o777)
    return name


def copy_path(root: Path, path: str, today: date) -> str:
    """Return where a copy of a file goes: ``NAME.backup.YYYYMMDD`` beside it, never over another one.

    A second copy of that day gets a number. Where the latest of that day holds the same already, that is the copy.

    Raises:
        Refused, OSError: one of them cannot be read.
    """
    content = safe_files.read(root, path, limit=_LIMIT)
    serial, latest = 1, ""
    while (root / (name := _name(path, today, serial))).exists():
        serial, latest = serial + 1, name
    if latest and safe_files.read(root, latest, limit=_LIMIT) == content:
        return latest
    return name


def _name(path: str, day: date, serial: int) -> str:
    return f"{path}.backup.{day:%Y%m%d}{f'-{serial}' if serial > 1 else ''}"


def expired(root: Path, path: str, today: date, days: int, *, before: bool = False) -> list[str]:
    """Return the copies of a file that are older than so many days, but never the newest one.

    Args:
        root: the project.
        path: the file, below the root.
        today: the day of the run.
        days: how long a copy is kept.
        before: True where a newer copy is still to be made, so that all of these may go.
    """
    found = sorted(_copies(root, path))
    return [name for day, _, name in (found if before else found[:-1]) if today - day > timedelta(days=days)]


def _copies(root: Path, path: str) -> Iterator[tuple[date, int, str]]:
    place = PurePosixPath(path)
    with suppress(OSError):
        for entry in (root / place.parent).iterdir():
            match = _SUFFIX.fullmatch(entry.name.removeprefix(place.name))
            if match is None or entry.name == place.name or not entry.name.startswith(place.name):
                continue
            with suppress(ValueError):
                day = date.fromisoformat(match["day"])
                yield day, int(match["serial"] or 1), str(place.with_name(entry.name))


def prune(root: Path, path: str, today: date, days: int) -> list[str]:
    """Delete the expired copies of a file and return those that are gone."""
    gone = []
    for name in expired(root, path, today, days):
        with suppress(OSError, Refused), safe_files.folder(root, str(PurePosixPath(name).parent)) as folder:
            os.unlink(PurePosixPath(name).name, dir_fd=folder)
            gone.append(name)
    return gone

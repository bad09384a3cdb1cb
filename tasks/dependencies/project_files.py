"""The project's files that an update writes: requirements with new versions, the lock, and copies from before."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path, PurePosixPath

from ..core.files import safe_files
from ..core.files.safe_files import Refused
from .environment import Installed
from .requirements.declarations import with_new_versions
from .requirements.requirement_files import RequirementsTree

_LARGEST = 50_000_000
"""Bytes of a file: the lock of a large project has some megabytes."""

_SUFFIX = re.compile(r"\.backup\.(?P<day>\d{8})(?:-(?P<serial>[1-9]\d*))?")


def paths_written(root: Path, edited: Iterable[str], lock: str, today: date) -> list[str]:
    """Return the project's files that an update writes, in their order, as paths below the root.

    Args:
        root: the project.
        edited: the requirements files that change; a copy of each is kept.
        lock: the lock; empty where none is written.
        today: the day of the run.

    Raises:
        Refused, OSError: a file that is to be copied cannot be read.
    """
    changed = [name for path in edited for name in (copy_path(root, path, today), path)]
    return [*changed, *([lock] if lock else [])]


def requirement_edits(tree: RequirementsTree, pins: Mapping[str, tuple[str, str]]) -> Mapping[str, str]:
    """Return the requirements files that change where pinned versions do, by path, with their new texts.

    Args:
        tree: the files.
        pins: by name, the version that is pinned and the new one.
    """
    changed = {path: with_new_versions(file.text, pins) for path, file in tree.files.items() if not file.constraints}
    return {path: text for path, text in changed.items() if text != tree.files[path].text}


def back_up(root: Path, path: str, today: date) -> str:
    """Copy a file to where :func:`copy_path` says and return the copy's path.

    Raises:
        Refused, OSError: it cannot be read or written.
    """
    name = copy_path(root, path, today)
    if not (root / name).exists():
        safe_files.write(root, name, safe_files.read(root, path, limit=_LARGEST))
        (root / name).chmod((root / path).stat().st_mode & 0o777)
    return name


def copy_path(root: Path, path: str, today: date) -> str:
    """Return where a copy of a file goes: ``NAME.backup.YYYYMMDD`` beside it, never over another one.

    A second copy of that day gets a number. Where the latest of that day holds the same already, that is the copy.

    Raises:
        Refused, OSError: one of them cannot be read.
    """
    content = safe_files.read(root, path, limit=_LARGEST)
    serial, latest = 1, ""
    while (root / (name := _copy_name(path, today, serial))).exists():
        serial, latest = serial + 1, name
    if latest and safe_files.read(root, latest, limit=_LARGEST) == content:
        return latest
    return name


def _copy_name(path: str, day: date, serial: int) -> str:
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


def lock_path(requirements: str) -> str:
    """Return the lock's path for that of a requirements file: ``requirements.lock.txt``."""
    path = PurePosixPath(requirements)
    return str(path.with_name(f"{path.stem}.lock{path.suffix or '.txt'}"))


def lock_text(packages: Iterable[Installed], python: str, requirements: str) -> str:
    """Return the lock: one line per package, as ``pip install --requirement`` takes it.

    What was installed from elsewhere than an index is named in a comment, since no index has it.
    """
    lines = [
        f"# Everything that was installed for {requirements} with Python {python}.",
        "# Written by inv monthly.dependency-update; the next update writes it anew.",
    ]
    for package in sorted(packages):
        pin = f"{package.name}=={package.version}"
        lines.append(f"# {pin} ({package.source})" if package.source else pin)
    return "".join(f"{line}\n" for line in lines)

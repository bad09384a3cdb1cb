"""Folders into which the user copies the archives: whether the newest is there, and is the same."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Sequence
from pathlib import Path
from threading import Event
from typing import NamedTuple

from ...core.files import safe_files
from ...core.report.model import Status
from ...core.text.formatting import count, printable
from ..backup_folder import Backup
from ..manifest import manifest_name
from .repository_backend import Problem

_CHUNK = 1 << 20


class ComparedCopy(NamedTuple):
    """What was found in one folder.

    Attributes:
        path: of the folder.
        problem: what is wrong with it; ``None`` where nothing is.
        same_size: how many of the archives it has, by size.
        status: of the folder; ``None`` where it could not be looked at.
    """

    path: str
    problem: Problem | None
    same_size: int = 0
    status: os.stat_result | None = None


def compare_copy(path: str, own: Sequence[Backup], here: os.stat_result, stop: Event) -> ComparedCopy:
    """Compare a folder with the project's archives: the newest in full, the others by size.

    Args:
        path: of the folder; nothing in it is changed.
        own: the project's whole archives, the newest first; at least one.
        here: the status of the folder that these are in.
        stop: ends it early.
    """
    try:
        with safe_files.folder(Path(path), ".") as folder, os.scandir(folder) as entries:
            status = os.fstat(folder)
            sizes = {each.name: each.stat(follow_symlinks=False).st_size for each in entries}
    except (safe_files.Refused, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) else printable(error)
        remedy = "See that it is mounted and can be read."
        return ComparedCopy(path, Problem(f"It cannot be read: {reason}", Status.UNKNOWN, remedy))
    if os.path.samestat(status, here):
        message = "It is the folder of the backups itself, and no copy"
        return ComparedCopy(path, Problem(message, Status.WARNING, "Name another folder in backups.copies."))
    same_size = [backup for backup in own if sizes.get(backup.name) == backup.size]
    other = [backup.name for backup in own if backup.name in sizes and backup not in same_size]
    problem = _newest(path, own[0], sizes, stop) or (_others(other) if other else None)
    return ComparedCopy(path, problem, len(same_size), status)


def _newest(path: str, newest: Backup, names: Collection[str], stop: Event) -> Problem | None:
    again = "Copy it there again, with the manifest beside it."
    if newest.name not in names:
        return Problem(f"The newest archive, {newest.name}, is not there", Status.WARNING, again)
    assert newest.manifest is not None  # noqa: S101 - a whole archive has one
    try:
        digest = _digest(Path(path), newest.name, stop)
    except (safe_files.Refused, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) else printable(error).rstrip(".")
        return Problem(f"The newest archive there cannot be read: {reason}", Status.CRITICAL, again)
    if digest not in {None, newest.manifest.archive_sha256}:
        return Problem(f"The newest archive, {newest.name}, differs from the one here", Status.CRITICAL, again)
    if manifest_name(newest.name) not in names:
        return Problem("The manifest of the newest archive is not beside it", Status.WARNING, again)
    return None


def _others(names: Sequence[str]) -> Problem:
    message = f"{count(len(names), 'archive')} of another size than here: {names[0]}"
    return Problem(message, Status.CRITICAL, "Copy them there again.")


def _digest(folder: Path, name: str, stop: Event) -> str | None:
    """Return the SHA-256 of a file; ``None`` where *stop* was set."""
    digest = hashlib.sha256()
    with safe_files.regular_file(folder, name) as (descriptor, _):
        while chunk := os.read(descriptor, _CHUNK):
            if stop.is_set():
                return None
            digest.update(chunk)
    return digest.hexdigest()

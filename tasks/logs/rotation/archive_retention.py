"""The retention of archives: old ones deleted by the day in their name, the others counted per month."""

from __future__ import annotations

import errno
import os
from collections.abc import Collection
from contextlib import suppress
from datetime import date, datetime, timedelta
from pathlib import Path

from ...core.files import safe_files
from ...core.files.safe_files import Identity
from ...core.run.clock import ClockDoubt
from ..log_archives import FOLDER, HEADER_LIMIT, LogArchive, list_archives, origin_of
from .rotation_outcome import ArchiveExpiry, ArchiveMonth

_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def is_old(archive: LogArchive, now: datetime, days: int) -> bool:
    """Tell whether an archive is more than *days* days old: by the day in its name, else by its last write."""
    today = now.date()
    day = archive.day or datetime.fromtimestamp(archive.status.st_mtime, now.tzinfo).date()
    oldest = today - timedelta(days=days) if days < (today - date.min).days else date.min
    return day < oldest


def expire_archives(
    root: Path, directory: str, now: datetime, days: int, *, doubt: ClockDoubt | None = None, dry_run: bool = False
) -> ArchiveExpiry:
    """Delete the archives older than *days*, and the folders of months and years that this leaves empty.

    Args:
        root: the project.
        directory: the log folder, below it.
        now: the moment of the run.
        days: 0 deletes everything from before today.
        doubt: why the clock is not believed: then nothing is deleted.
        dry_run: delete nothing, say what a run would delete.

    Raises:
        Refused, OSError: the archive folder cannot be walked.
    """
    expiry = ArchiveExpiry(days, doubt)
    months: dict[str, list[LogArchive]] = {}
    for archive in list_archives(root, directory):
        months.setdefault(archive.month, []).append(archive)
    for month, found in months.items():
        old = [archive for archive in found if is_old(archive, now, days)]
        if doubt is not None:
            expiry.withheld += len(old)
            old = []
        gone = _delete_in(root, directory, month, old, expiry, dry_run=dry_run)
        left = [archive for archive in found if archive.name not in gone]
        if left:
            expiry.months[month] = _month(root, f"{directory}/{FOLDER}/{month}", left)
        elif gone:
            _remove_folder(root, directory, month, gone, expiry, dry_run=dry_run)
    return expiry


def archive_months(root: Path, directory: str) -> dict[str, ArchiveMonth]:
    """Return what the archive holds, per month.

    Raises:
        Refused, OSError: the archive folder cannot be walked.
    """
    months: dict[str, list[LogArchive]] = {}
    for archive in list_archives(root, directory):
        months.setdefault(archive.month, []).append(archive)
    return {month: _month(root, f"{directory}/{FOLDER}/{month}", found) for month, found in months.items()}


def _delete_in(
    root: Path, directory: str, month: str, old: list[LogArchive], expiry: ArchiveExpiry, *, dry_run: bool
) -> frozenset[str]:
    """Delete the old archives of one month and return the names of those that are gone."""
    if not old:
        return frozenset()
    gone: list[LogArchive] = []
    path = f"{directory}/{FOLDER}/{month}"
    with safe_files.folder(root, path) as folder:
        for archive in old:
            try:
                if not dry_run:
                    now = os.stat(archive.name, dir_fd=folder, follow_symlinks=False)
                    if Identity.of(now) != Identity.of(archive.status):
                        expiry.failed[f"{path}/{archive.name}"] = "it has changed meanwhile"
                        continue
                    os.unlink(archive.name, dir_fd=folder)
                elif not os.access(".", os.W_OK | os.X_OK, dir_fd=folder):
                    expiry.failed[f"{path}/{archive.name}"] = os.strerror(errno.EACCES)
                    continue
            except OSError as error:
                expiry.failed[f"{path}/{archive.name}"] = error.strerror or str(error)
            else:
                gone.append(archive)
    if gone:
        expiry.deleted[month] = len(gone), sum(archive.status.st_size for archive in gone)
    return frozenset(archive.name for archive in gone)


def _remove_folder(
    root: Path, directory: str, month: str, gone: Collection[str], expiry: ArchiveExpiry, *, dry_run: bool
) -> None:
    """Remove the folder of a month, and of its year, where nothing is left in them."""
    year, _, name = month.partition("/")
    for parent, child, without in ((year, name, gone), (".", year, {name})):
        with suppress(OSError), safe_files.folder(root, f"{directory}/{FOLDER}/{parent}") as folder:
            path = f"{directory}/{FOLDER}/{month if parent == year else year}"
            if dry_run:
                with safe_files.folder(root, path) as inside:
                    if set(os.listdir(inside)) - set(without):  # noqa: PTH208 - by descriptor
                        return
            else:
                os.rmdir(child, dir_fd=folder)
            expiry.removed.append(path)
            continue
        return


def _month(root: Path, path: str, found: list[LogArchive]) -> ArchiveMonth:
    month = ArchiveMonth()
    with safe_files.folder(root, path) as folder:
        for archive in found:
            month.archives += 1
            month.bytes += archive.status.st_size
            with suppress(OSError):
                descriptor = os.open(archive.name, _OPEN, dir_fd=folder)
                try:
                    origin = origin_of(os.pread(descriptor, HEADER_LIMIT, 0))
                finally:
                    os.close(descriptor)
                if origin:
                    month.original += origin.end
                    month.telling += archive.status.st_size
    return month

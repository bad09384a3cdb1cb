"""The suite's own temporary files that a killed run left in the log folder and in the cache."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import PurePosixPath

from ..core.files import safe_files
from ..core.files.lock import project_lock
from ..core.report.model import Action, Finding, Report, Status
from ..core.text.formatting import count, printable, size
from .ports import TASK, Context


def remove_leftovers(context: Context) -> Report:
    """Delete what nobody will finish: whoever holds the project's lock knows that no other run is writing it.

    Raises:
        NotAcquired: the project's lock could not be had.
    """
    removed: list[Action] = []
    findings: list[Finding] = []
    with nullcontext() if context.dry_run else project_lock(context.root, TASK, context.now):
        for directory in (context.settings.logs.directory, context.settings.cache.directory):
            for path, freed in _leftovers(context, directory):
                try:
                    if not context.dry_run:
                        _unlink(context, path)
                except (safe_files.Refused, OSError) as error:
                    findings.append(_not_deleted(path, error))
                else:
                    target = printable(path)
                    removed.append(Action(verb="delete", target=target, bytes=freed, done=not context.dry_run))
    would = "would be " if context.dry_run else ""
    total = size(sum(each.bytes for each in removed))
    summary = f"{count(len(removed), 'leftover temporary file')} {would}deleted ({total})"
    if removed and not findings:
        findings = [
            Finding(
                check="recovery.leftovers",
                subject="leftovers",
                status=Status.OK,
                message=f"{summary}.",
                value=len(removed),
                unit="files",
            )
        ]
    return Report(summary=summary, findings=findings, actions=removed)


def _leftovers(context: Context, directory: str) -> Iterator[tuple[str, int]]:
    """Yield path and size of each in a folder and below it; a folder that cannot be walked holds none for us."""
    try:
        with safe_files.folder(context.root, directory) as descriptor:
            safe_files.refuse_precious(context.root, descriptor, directory)
            for folder, _folders, names, inside in os.fwalk(".", dir_fd=descriptor):
                if safe_files.TEMPORARY in names:
                    status = os.stat(safe_files.TEMPORARY, dir_fd=inside, follow_symlinks=False)
                    if stat.S_ISREG(status.st_mode):
                        yield str(PurePosixPath(directory, folder, safe_files.TEMPORARY)), status.st_size
    except (safe_files.Refused, OSError):
        return


def _unlink(context: Context, path: str) -> None:
    place = PurePosixPath(path)
    with safe_files.folder(context.root, str(place.parent)) as folder:
        os.unlink(place.name, dir_fd=folder)


def _not_deleted(path: str, error: safe_files.Refused | OSError) -> Finding:
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return Finding(
        check="recovery.leftovers",
        subject=printable(path),
        status=Status.WARNING,
        message=f"This temporary file of an earlier run cannot be deleted: {reason}.",
        remedy="Delete it as its owner.",
    )

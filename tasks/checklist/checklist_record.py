"""The record of a checklist: its report as JSON, and as a page to read, one of each for every run."""

from __future__ import annotations

import itertools
import os
from datetime import datetime
from pathlib import Path

import msgspec

from ..core.files.lock import NotAcquired, project_lock
from ..core.output.report_files import with_file, with_page
from ..core.report.model import Action, Finding, Report, Status

FOLDER = "release_reports"
"""In the log folder."""

TITLE = "Release checklist"

_CHECK = "release.report"


def record(report: Report, root: Path, directory: str, *, task: str, now: datetime, dry_run: bool) -> Report:
    """Keep the report and return it with its files, or with a finding that says why there are none.

    The project's lock is held for no longer than that takes; where another run has it, the verdict is reported without.

    Args:
        report: the answers of the gates.
        root: the project.
        directory: the log folder, below it.
        task: the procedure's full name, which the lock tells to others.
        now: the moment of the run, aware of its zone.
        dry_run: write nothing, and say what would be written.
    """
    stem = f"{directory}/{FOLDER}/release_{now:%Y%m%d_%H%M%S}"
    if dry_run:
        planned = [Action(verb="write", target=path, done=False) for path in _paths(root, stem)]
        return msgspec.structs.replace(report, actions=[*report.actions, *planned])
    try:
        with project_lock(root, task, now):
            page, file = _paths(root, stem)
            return with_file(root, file, with_page(root, page, TITLE, report, check=_CHECK), now, check=_CHECK)
    except NotAcquired as error:
        finding = Finding(
            check=_CHECK,
            subject="report file",
            status=Status.WARNING,
            message=f"No report file was written: {error}",
            remedy="Run it again, or keep what was printed.",
        )
        return msgspec.structs.replace(report, findings=[*report.findings, finding])


def _paths(root: Path, stem: str) -> tuple[str, str]:
    """Return the paths of page and document; a second run within a second gets others."""
    names = itertools.chain([stem], (f"{stem}_{number}" for number in itertools.count(2)))
    free = next(name for name in names if not os.path.lexists(root / f"{name}.json"))
    return f"{free}.md", f"{free}.json"

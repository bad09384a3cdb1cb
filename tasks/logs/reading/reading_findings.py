"""What every reader of logs has to tell of the folder and of files that it could not read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...core.report.model import Finding, Status
from ...core.text.formatting import count, listed, printable


def missing(directory: str) -> Finding:
    """Return the finding on a log folder that is not there."""
    return Finding(
        check="logs.folder",
        subject=directory,
        status=Status.SKIPPED,
        message="There is no log folder. Should there be one, look at maintenance.root and maintenance.logs.",
    )


def unusable(directory: str, why: str) -> Finding:
    """Return the finding on a log folder, or on settings, with which nothing can be read."""
    return Finding(
        check="logs.folder",
        subject=directory,
        status=Status.UNKNOWN,
        message=why,
        remedy="Put that right, or correct maintenance.logs; until then nobody watches the logs.",
    )


def unread(directory: str, problems: Mapping[str, str], refused: Mapping[str, str]) -> Iterator[Finding]:
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

"""GitHub Actions: what is not well as annotations, and reports that have a page in the summary of the step.

Both are described in GitHub's documentation, "Workflow commands for GitHub Actions".
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from ..report.model import Report, Status
from ..text.formatting import printable

_LEVELS = {Status.WARNING: "warning", Status.UNKNOWN: "error", Status.CRITICAL: "error"}


def is_run(environ: Mapping[str, str]) -> bool:
    """Tell whether this process belongs to a run of GitHub Actions."""
    return environ.get("GITHUB_ACTIONS") == "true"


def annotate(report: Report) -> Iterator[str]:
    """Yield a workflow command for each finding that is not well."""
    for finding in report.findings:
        if level := _LEVELS.get(finding.status):
            message = f"{finding.message} {finding.remedy or ''}".strip()
            yield f"::{level} title={_property(f'{report.task}: {finding.subject}')}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def add_to_summary(page: str, environ: Mapping[str, str]) -> str | None:
    """Append a page to the summary of the step, a file that the runner has made.

    Args:
        page: what is appended.
        environ: the environment of the process, which names the file.

    Returns:
        Why it could not be, as a sentence; ``None`` where it was.
    """
    path = environ.get("GITHUB_STEP_SUMMARY", "")
    if not path:
        return "The page was not added to the step's summary: GITHUB_STEP_SUMMARY is not set."
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "ab") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return f"The page was not added to the step's summary: {printable(Path(path))} is no regular file."
            file.write(f"{page}\n".encode("utf-8", "backslashreplace"))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        return f"The page was not added to the step's summary, {printable(Path(path))}: {printable(reason)}."
    return None

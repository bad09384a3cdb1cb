"""Reports of other procedures, so that nothing is measured twice: those that lie in files and are fresh enough."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import msgspec

from ..files import state_files
from .model import Finding, Report


class Source(NamedTuple):
    """A procedure's report, and where it is from.

    Attributes:
        report: the report; its name is in it.
        measured: when.
        reused: True where it lay in a file, False where the procedure was run for whoever asks.
    """

    report: Report
    measured: datetime
    reused: bool


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What is used of a report in a file."""

    updated: Annotated[datetime, msgspec.Meta(tz=True)]
    findings: list[Finding]
    summary: str = ""


def fresh(root: Path, path: str, procedure: str, *, now: datetime, days: float) -> Source | None:
    """Return the report in a file that is fresh enough; ``None`` where there is none that can be used.

    A report that is interrupted, of another version, or dated ahead is none.

    Args:
        root: the project.
        path: the file below it, as :func:`~tasks.core.output.report_files.with_file` writes it.
        procedure: the procedure's full name.
        now: the moment of the run.
        days: how old it may be.
    """
    kept = state_files.read(root, path, _Kept).content
    if kept is None or not timedelta() <= now - kept.updated <= timedelta(days=days):
        return None
    report = Report(task=procedure, summary=kept.summary, findings=kept.findings)
    return Source(report, kept.updated, reused=True)


def freshest(
    root: Path, path: Callable[[datetime], str], procedure: str, *, now: datetime, days: float
) -> Source | None:
    """Return the latest report among a procedure's files that is fresh enough; ``None`` where there is none.

    Args:
        root: the project.
        path: tells the file below it, by the moment of a run: one for each day, month or quarter.
        procedure: the procedure's full name.
        now: the moment of the run.
        days: how old it may be.
    """
    paths = {path(now - timedelta(days=each)) for each in (*range(int(days) + 1), days)}
    found = [source for each in paths if (source := fresh(root, each, procedure, now=now, days=days))]
    return max(found, key=lambda source: source.measured, default=None)


def rows(sources: Mapping[str, Source]) -> list[dict[str, Any]]:
    """Return where the findings are from, for the report: a table of procedure, status, day and how."""
    return [
        {
            "procedure": name,
            "status": source.report.status.value,
            "measured": source.measured.isoformat(timespec="seconds"),
            "how": "its report was used" if source.reused else "it was run",
        }
        for name, source in sources.items()
    ]

"""What the audit takes over from other procedures, so that nothing is measured twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from ..core import json_files
from ..core.report import Finding, Report, Status
from .checks import Check

DEPENDENCIES = Check("audit.dependencies", "security", 10, "no installed package has a known vulnerability")
REFERENCES = Check("audit.references", "data", 6, "materials and categories answer to each other")
CONFIGURATION = Check("audit.configuration", "data", 6, "configuration files are well")
BACKUPS = Check("audit.backups", "data", 8, "a recent backup was restored and compared")
CAPACITY = Check("audit.capacity", "capacity", 6, "nothing is near its limit")

CHECKS = (DEPENDENCIES, REFERENCES, CONFIGURATION, BACKUPS, CAPACITY)


class Taken(NamedTuple):
    """Which of another procedure's findings are those of a check.

    Attributes:
        procedure: its full name.
        checks: the beginnings of the identifiers of its findings.
    """

    procedure: str
    checks: tuple[str, ...]


SOURCES: Mapping[Check, Taken] = {
    DEPENDENCIES: Taken(
        "monthly.dependency-update",
        (
            "dependencies.audit",
            "dependencies.vulnerable",
            "dependencies.accepted",
            "dependencies.ignore",
            "dependencies.environment",
        ),
    ),
    REFERENCES: Taken(
        "monthly.config-review",
        ("configuration.references", "configuration.materials", "configuration.required", "configuration.units"),
    ),
    CONFIGURATION: Taken(
        "monthly.config-review",
        ("configuration.readable", "configuration.case", "configuration.present", "configuration.components"),
    ),
    BACKUPS: Taken("quarterly.backup-verification", ("backup.",)),
    CAPACITY: Taken("quarterly.capacity-planning", ("capacity.forecast",)),
}
"""Packages that are merely outdated, drift, and the like are other procedures' matter, and not part of the score."""


class Source(NamedTuple):
    """A procedure's report, and where the audit has it from.

    Attributes:
        report: the report; its name is in it.
        measured: when.
        reused: True where it lay in a file, False where the procedure was run for the audit.
    """

    report: Report
    measured: datetime
    reused: bool


def fresh(root: Path, path: str, procedure: str, *, now: datetime, days: float) -> Source | None:
    """Return the report in a file that is fresh enough; ``None`` where there is none that can be used.

    A report that is interrupted, of another version, or dated ahead is none.

    Args:
        root: the project.
        path: the file below it, as :func:`core.report_files.with_file` writes it.
        procedure: the procedure's full name.
        now: the moment of the audit.
        days: how old it may be.
    """
    content = json_files.read_object(root, path).content
    try:
        measured = datetime.fromisoformat(content["updated"])
        findings = msgspec.convert(content["findings"], list[Finding])
    except (KeyError, TypeError, ValueError, msgspec.ValidationError):
        return None
    if measured.tzinfo is None or not timedelta() <= now - measured <= timedelta(days=days):
        return None
    report = Report(task=procedure, summary=str(content.get("summary", "")), findings=findings)
    return Source(report, measured, reused=True)


def take_over(sources: Mapping[str, Source]) -> list[Finding]:
    """Return the findings of the checks that other procedures make: each that is not ok, or one that all is well."""
    return [finding for check in CHECKS for finding in _taken(check, sources)]


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


def _taken(check: Check, sources: Mapping[str, Source]) -> Iterator[Finding]:
    name, beginnings = SOURCES[check]
    source = sources.get(name)
    if source is None:
        yield check.finding(Status.UNKNOWN, name, f"There is no report of {name}.", f"Run inv {name}.")
        return
    failed = [each for each in source.report.findings if each.check.startswith("run.")]
    of_it = [each for each in source.report.findings if each.check.startswith(beginnings)]
    if failed:
        message = f"It could not be taken over from {name}: {failed[0].message}"
        yield check.finding(Status.UNKNOWN, name, message, f"Run inv {name}.")
        return
    if not of_it:
        yield check.finding(Status.SKIPPED, name, f"{name} found nothing to judge here.")
        return
    bad = [each for each in of_it if each.status not in {Status.OK, Status.SKIPPED}]
    for each in bad:
        yield msgspec.structs.replace(each, check=check.name)
    if not bad:
        well = any(each.status is Status.OK for each in of_it)
        day = source.measured.date()
        message = f"{name} found nothing wrong on {day}." if well else of_it[0].message
        yield check.finding(Status.OK if well else Status.SKIPPED, name, message)

"""What the audit takes over from other procedures, so that nothing is measured twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import msgspec

from ..core.report.model import INCOMPLETE, LOCKED_OUT, Finding, Status
from ..core.report.reused_reports import Source
from .checks import Check

DEPENDENCIES = Check("audit.dependencies", "security", 10, "no installed package has a known vulnerability")
REFERENCES = Check("audit.references", "data", 6, "materials and categories answer to each other")
CONFIGURATION = Check("audit.configuration", "data", 6, "configuration files are well")
BACKUPS = Check("audit.backups", "data", 8, "a recent backup was restored and compared")
CAPACITY = Check("audit.capacity", "capacity", 6, "nothing is near its limit")

CHECKS = (DEPENDENCIES, REFERENCES, CONFIGURATION, BACKUPS, CAPACITY)


_WELL = frozenset({Status.OK, Status.SKIPPED})
_FAILED = frozenset({*INCOMPLETE, LOCKED_OUT})


class ReusedReport(NamedTuple):
    """Which of another procedure's findings are those of a check.

    Attributes:
        procedure: its full name.
        checks: the beginnings of the identifiers of its findings.
    """

    procedure: str
    checks: tuple[str, ...]


SOURCES: Mapping[Check, ReusedReport] = {
    DEPENDENCIES: ReusedReport(
        "monthly.dependency-update",
        (
            "dependencies.audit",
            "dependencies.vulnerable",
            "dependencies.accepted",
            "dependencies.ignore",
            "dependencies.environment",
        ),
    ),
    REFERENCES: ReusedReport(
        "monthly.config-review",
        ("configuration.references", "configuration.materials", "configuration.required", "configuration.units"),
    ),
    CONFIGURATION: ReusedReport(
        "monthly.config-review",
        ("configuration.readable", "configuration.case", "configuration.present", "configuration.components"),
    ),
    BACKUPS: ReusedReport(
        "quarterly.backup-verification",
        (
            "backup.present",
            "backup.recent",
            "backup.size",
            "backup.verified",
            "backup.content",
            "backup.sources",
            "backup.external",
            "backup.copies",
            "backup.media",
        ),
    ),
    CAPACITY: ReusedReport("quarterly.capacity-planning", ("capacity.forecast",)),
}
"""Packages that are merely outdated, drift, and the like are other procedures' matter, and not part of the score."""


def is_well(source: Source) -> bool:
    """Tell whether all is well that the audit takes over of a report; what is not may have been mended since."""
    beginnings = tuple(
        begin for taken in SOURCES.values() if taken.procedure == source.report.task for begin in taken.checks
    )
    bad = [each for each in source.report.findings if each.status not in _WELL]
    return not any(each.check.startswith(beginnings) or each.check in _FAILED for each in bad)


def reused_findings(sources: Mapping[str, Source]) -> list[Finding]:
    """Return the findings of the checks that other procedures make: each that is not ok, or one that all is well."""
    return [finding for check in CHECKS for finding in _reused(check, sources)]


def _reused(check: Check, sources: Mapping[str, Source]) -> Iterator[Finding]:
    name, beginnings = SOURCES[check]
    source = sources.get(name)
    if source is None:
        yield check.finding(Status.UNKNOWN, name, f"There is no report of {name}.", f"Run inv {name}.")
        return
    failed = [each for each in source.report.findings if each.check in _FAILED]
    of_it = [each for each in source.report.findings if each.check.startswith(beginnings)]
    if failed:
        message = f"It could not be taken over from {name}: {failed[0].message}"
        yield check.finding(Status.UNKNOWN, name, message, f"Run inv {name}.")
        return
    if not of_it:
        yield check.finding(Status.SKIPPED, name, f"{name} found nothing to judge here.")
        return
    bad = [each for each in of_it if each.status not in _WELL]
    for each in bad:
        yield msgspec.structs.replace(each, check=check.name)
    if not bad:
        well = any(each.status is Status.OK for each in of_it)
        day = source.measured.date()
        others = source.report.status
        elsewhere = "" if others in _WELL else f" Of other matters it says {others.value}."
        message = f"Nothing against it ({check.what}) by {name} of {day}.{elsewhere}" if well else of_it[0].message
        yield check.finding(Status.OK if well else Status.SKIPPED, name, message)

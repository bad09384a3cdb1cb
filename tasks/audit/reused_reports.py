"""What the audit takes over from other procedures, so that nothing is measured twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from ..core.report.model import INCOMPLETE, LOCKED_OUT, Finding, Status
from ..core.report.reused_reports import Source
from .audit_checks import Check

DEPENDENCIES = Check("audit.dependencies", "security", 10, "no installed package has a known vulnerability")
REFERENCES = Check("audit.references", "data", 6, "materials and categories answer to each other")
CONFIGURATION = Check("audit.configuration", "data", 6, "configuration files are well")
BACKUPS = Check("audit.backups", "data", 8, "a recent backup was restored and compared")
CAPACITY = Check("audit.capacity", "capacity", 6, "nothing is near its limit")

CHECKS = (DEPENDENCIES, REFERENCES, CONFIGURATION, BACKUPS, CAPACITY)


_WELL = frozenset({Status.OK, Status.SKIPPED})
_FAILED = frozenset({*INCOMPLETE, LOCKED_OUT})


class ReusedReport(NamedTuple):
    """Which of another procedure's findings belong to a check of the audit.

    Attributes:
        procedure: its full name.
        checks: the ids of the checks of these findings.
    """

    procedure: str
    checks: frozenset[str]


def reused_reports(declared: Mapping[str, Mapping[str, Sequence[str]]]) -> dict[str, ReusedReport]:
    """Return by name of a check which findings belong to it.

    Args:
        declared: by full name of a procedure, what it declares: by name of a check, the ids of its findings.
    """
    return {
        check: ReusedReport(procedure, frozenset(ids))
        for procedure, checks in declared.items()
        for check, ids in checks.items()
    }


def is_well(source: Source, declared: Mapping[str, Sequence[str]]) -> bool:
    """Tell whether the findings that the audit reuses of a report are all well; others may have been mended since.

    Args:
        source: the report.
        declared: what its procedure declares: by name of a check, the ids of its findings.
    """
    reused = {check for ids in declared.values() for check in ids} | _FAILED
    return all(each.check not in reused or each.status in _WELL for each in source.report.findings)


def reused_findings(
    reused: Mapping[str, ReusedReport], sources: Mapping[str, Source], inapplicable: Mapping[str, str]
) -> list[Finding]:
    """Return the findings of the checks that other procedures make: each that is not ok, or one that all is well.

    Args:
        reused: by name of a check, which findings of another procedure belong to it.
        sources: the reports of these procedures, by name.
        inapplicable: by name of a check that does not apply to the project: why.
    """
    return [
        finding
        for check in CHECKS
        for finding in _reused(check, reused[check.name], sources, inapplicable.get(check.name))
    ]


def _reused(
    check: Check, reused: ReusedReport, sources: Mapping[str, Source], inapplicable: str | None
) -> Iterator[Finding]:
    name, ids = reused
    if inapplicable is not None:
        yield check.finding(Status.SKIPPED, name, inapplicable)
        return
    source = sources.get(name)
    if source is None:
        yield check.finding(Status.UNKNOWN, name, f"There is no report of {name}.", f"Run inv {name}.")
        return
    failed = [each for each in source.report.findings if each.check in _FAILED]
    of_it = [each for each in source.report.findings if each.check in ids]
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

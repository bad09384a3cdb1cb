"""Gates that take over what other procedures found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ..core.report.model import INCOMPLETE, LOCKED_OUT, Finding, Status
from ..core.report.reused_reports import Source
from ..core.text.formatting import count
from .gate import Answer, Gate, GateResult

_MOST = 2
"""Findings that are well and told in their own words, where they are on one subject."""


class ReportGate(NamedTuple):
    """A gate that takes over findings.

    Attributes:
        gate: the gate.
        procedure: the full name of the procedure that makes them.
        no: by the beginnings of their identifiers, the more special ones first: from which status on a finding is a
            no. What is less is told and keeps nothing back.
        of_commit: True where only what was measured since the last commit tells of what would be released.
    """

    gate: Gate
    procedure: str
    no: Mapping[str, Status]
    of_commit: bool = False


def evaluate(taken: ReportGate, source: Source) -> GateResult:
    """Return the gate's answer.

    Args:
        taken: the gate.
        source: the procedure's report.
    """
    name, findings = taken.procedure, source.report.findings
    if failed := next((each for each in findings if each.check in {*INCOMPLETE, LOCKED_OUT}), None):
        return GateResult(Answer.NOT_CHECKED, f"{name} did not run to its end: {failed.message}", f"Run inv {name}.")
    judged = [(each, lowest) for each in findings if (lowest := _lowest(taken, each)) is not None]
    ours = [each for each, _ in judged]
    if not ours:
        return GateResult(Answer.SKIPPED, f"{name} found nothing to judge here.")
    against = [each for each, lowest in judged if _is_no(each, lowest)]
    unknown = [each for each in ours if each.status is Status.UNKNOWN]
    for answer, these in ((Answer.NO_GO, against), (Answer.NOT_CHECKED, unknown)):
        if these:
            first = max(these, key=lambda each: each.status.severity)
            more = f" And {count(len(these) - 1, 'finding')} more of {name}." if len(these) > 1 else ""
            return GateResult(answer, f"{first.subject}: {first.message}{more}", first.remedy or f"Run inv {name}.")
    if all(each.status is Status.SKIPPED for each in ours):
        return GateResult(Answer.SKIPPED, ours[0].message, ours[0].remedy)
    warned = [each for each in ours if each.status is Status.WARNING]
    if warned:
        told = f"{warned[0].subject}: {warned[0].message} {_nothing_back(len(warned))}"
    else:
        well = [each for each in ours if each.status is Status.OK]
        alike = len(well) <= _MOST and len({each.subject for each in well}) == 1
        told = " ".join(each.message for each in well) if alike else f"{name} found nothing against it."
    when = f" (Measured on {source.measured:%Y-%m-%d at %H:%M}.)" if source.reused else ""
    return GateResult(Answer.GO, f"{told}{when}")


def _nothing_back(number: int) -> str:
    return (
        "This keeps nothing back."
        if number == 1
        else f"This and {count(number - 1, 'warning')} more keep nothing back."
    )


def _lowest(taken: ReportGate, finding: Finding) -> Status | None:
    return next((lowest for begin, lowest in taken.no.items() if finding.check.startswith(begin)), None)


def _is_no(finding: Finding, lowest: Status) -> bool:
    return finding.status is not Status.UNKNOWN and finding.status.severity >= lowest.severity

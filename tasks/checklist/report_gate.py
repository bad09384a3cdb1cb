"""Gates that the report of another procedure answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ..core.report.model import INCOMPLETE, LOCKED_OUT, Finding, Status
from ..core.report.reused_reports import Source
from ..core.text.formatting import count
from .gate import Answer, Gate, GateResult

_MOST = 2
"""Findings without a fault whose messages are shown, where they are on one subject."""


class ReportGate(NamedTuple):
    """A gate that findings of another procedure answer.

    Attributes:
        gate: the gate.
        procedure: the full name of the procedure that makes them.
        stops: by check id, the lowest status of a finding that is a no. Findings of other checks do not count; less
            severe ones are reported and keep nothing back.
        of_commit: True where only what was measured since the last commit counts.
    """

    gate: Gate
    procedure: str
    stops: Mapping[str, Status]
    of_commit: bool = False


_TITLES = {
    "backup": "a recent backup was verified",
    "configuration": "the configuration can be read and has not drifted",
    "dependencies": "no installed package has a known vulnerability",
    "providers": "every provider answers",
}

ERRORS = ReportGate(
    Gate("errors", "no critical errors have begun since the last release"),
    "daily.error-monitor",
    dict.fromkeys(("errors.critical", "logs.folder", "logs.refused", "logs.unreadable"), Status.CRITICAL),
)
DISK = ReportGate(
    Gate("disk", "there is room on the disk"),
    "daily.health-check",
    dict.fromkeys(("system.disk", "system.inodes"), Status.CRITICAL),
)


def report_gate(procedure: str, gate: str, stops: Mapping[str, str], of_commit: bool = False) -> ReportGate:
    """Return the gate that a procedure declares.

    Args:
        procedure: its full name.
        gate: the gate's name.
        stops: by check id, the lowest status that stops a release, as declared.
        of_commit: True where only a report that is newer than the last commit counts.
    """
    title = _TITLES.get(gate, f"{procedure} found nothing against it")
    return ReportGate(Gate(gate, title), procedure, {check: Status(each) for check, each in stops.items()}, of_commit)


def evaluate(gate: ReportGate, source: Source) -> GateResult:
    """Return the gate's answer.

    Args:
        gate: the gate.
        source: the procedure's report.
    """
    name, findings = gate.procedure, source.report.findings
    if failed := next((each for each in findings if each.check in {*INCOMPLETE, LOCKED_OUT}), None):
        return GateResult(Answer.NOT_CHECKED, f"{name} did not run to its end: {failed.message}", f"Run inv {name}.")
    if not findings:  # whoever looked at nothing has not judged anything
        return GateResult(Answer.NOT_CHECKED, f"{name} reported nothing, so nothing was judged.", f"Run inv {name}.")
    relevant = [(each, lowest) for each in findings if (lowest := _lowest(gate, each)) is not None]
    ours = [each for each, _ in relevant]
    if not ours:
        return GateResult(Answer.SKIPPED, f"{name} found nothing to judge here.")
    against = [each for each, lowest in relevant if _is_no(each, lowest)]
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
        message = f"{warned[0].subject}: {warned[0].message} {_nothing_back(len(warned))}"
    else:
        well = [each for each in ours if each.status is Status.OK]
        alike = len(well) <= _MOST and len({each.subject for each in well}) == 1
        message = " ".join(each.message for each in well) if alike else f"{name} found nothing against it."
    when = f" (Measured on {source.measured:%Y-%m-%d at %H:%M}.)" if source.reused else ""
    return GateResult(Answer.GO, f"{message}{when}")


def _nothing_back(number: int) -> str:
    return (
        "This keeps nothing back."
        if number == 1
        else f"This and {count(number - 1, 'warning')} more keep nothing back."
    )


def _lowest(gate: ReportGate, finding: Finding) -> Status | None:
    return gate.stops.get(finding.check)


def _is_no(finding: Finding, lowest: Status) -> bool:
    return finding.status is not Status.UNKNOWN and finding.status.severity >= lowest.severity

"""Findings that were looked at and accepted: for a reason, and until a day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from fnmatch import fnmatchcase
from typing import NamedTuple

import msgspec

from ..core.report.model import Finding, Status
from ..core.settings.model import Waiver
from ..core.text.formatting import printable

_WAIVABLE = frozenset({Status.WARNING, Status.UNKNOWN, Status.CRITICAL})


class Waived(NamedTuple):
    """Findings with what was accepted of them.

    Attributes:
        findings: the same, the accepted ones as ok, with what they were.
        notes: what there is to say of the waivers themselves.
    """

    findings: list[Finding]
    notes: list[Finding]


def waive(findings: Iterable[Finding], waivers: Sequence[Waiver], today: date) -> Waived:
    """Return the findings, those that are accepted as ok; of what nobody could look at, as skipped: it earns no points.

    A waiver holds to the end of its last day. One that has ended, and one to which nothing answers any more, are
    warnings: the first lets a finding count again, the second could hide one that is still to come.

    Args:
        findings: of the audit.
        waivers: those that the settings name; the subject is a shell pattern.
        today: by the clock of the run.
    """
    used: set[Waiver] = set()

    def waived(finding: Finding) -> Finding:
        matching = [each for each in waivers if finding.status in _WAIVABLE and _answers(each, finding)]
        used.update(matching)
        standing = next((each for each in matching if today <= each.until), None)
        return finding if standing is None else _accepted(finding, standing)

    return Waived([waived(finding) for finding in findings], [*_notes(waivers, used, today)])


def _answers(waiver: Waiver, finding: Finding) -> bool:
    return waiver.check == finding.check and fnmatchcase(finding.subject, waiver.subject)


def _accepted(finding: Finding, waiver: Waiver) -> Finding:
    message = f"Accepted until {waiver.until} ({printable(waiver.reason)}): {finding.message}"
    status = Status.SKIPPED if finding.status is Status.UNKNOWN else Status.OK
    return msgspec.structs.replace(finding, status=status, message=message, remedy=None)


def _notes(waivers: Sequence[Waiver], used: set[Waiver], today: date) -> Iterator[Finding]:
    for each in waivers:
        subject = printable(f"{each.check} {each.subject}")
        if today > each.until:
            message = f"It was accepted until {each.until} ({printable(each.reason)}); what it names counts again."
            remedy = "Mend it, or accept it anew in maintenance.audit.waivers until a later day."
        elif each not in used:
            message = f"Nothing answers to it ({printable(each.reason)})."
            remedy = "Take it out of maintenance.audit.waivers, or correct its check and subject."
        else:
            continue
        yield Finding(check="audit.waiver", subject=subject, status=Status.WARNING, message=message, remedy=remedy)

"""A gate of the checklist, its answer as a finding, and the verdict on the release from all answers: pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

import msgspec

from ..core.report.model import Finding, Status
from ..core.settings.model import Severity


class Answer(Enum):
    """What a gate says."""

    GO = "go"
    NO_GO = "no-go"
    NOT_CHECKED = "not checked"
    SKIPPED = "skipped"


class Gate(NamedTuple):
    """A gate.

    Attributes:
        name: as the settings and ``--skip`` have it.
        title: what is so where it says go, for people.
    """

    name: str
    title: str


class GateResult(NamedTuple):
    """A gate's answer.

    Attributes:
        answer: the answer.
        reason: why, as a sentence.
        remedy: what to do about it; ``None`` where there is nothing to do.
        lines: the last lines of a program that failed.
    """

    answer: Answer
    reason: str
    remedy: str | None = None
    lines: tuple[str, ...] = ()


class EvaluatedGate(NamedTuple):
    """A gate with its result, and what that means for the release."""

    gate: Gate
    severity: Severity
    result: GateResult


def finding(evaluated: EvaluatedGate) -> Finding:
    """Return a gate's answer as a finding: where it only warns, neither a no nor silence is worse than a warning."""
    gate, severity, result = evaluated
    stopped = {Answer.NO_GO: Status.CRITICAL, Answer.NOT_CHECKED: Status.UNKNOWN}
    if result.answer in stopped:
        status = stopped[result.answer] if severity == "block" else Status.WARNING
    else:
        status = Status.OK if result.answer is Answer.GO else Status.SKIPPED
    # A skipped gate shows as such by its status.
    message = result.reason if result.answer is Answer.SKIPPED else f"{result.answer.value}: {result.reason}"
    return Finding(
        check=f"release.{gate.name}",
        subject=gate.name,
        status=status,
        message=message,
        remedy=None if status is Status.OK else result.remedy,
        excerpt="\n".join(f"| {line}" for line in result.lines) or msgspec.UNSET,
    )


class Verdict(Enum):
    """May it be released?"""

    GO = "GO"
    NO_GO = "NO-GO"
    NOT_CHECKED = "NOT CHECKED"


def verdict(evaluated: Sequence[EvaluatedGate]) -> Verdict:
    """Return the verdict: one no of a gate that blocks is NO-GO; else one that could not be checked, NOT CHECKED.

    Where no gate says go, nothing was checked.
    """
    blocking = {each.result.answer for each in evaluated if each.severity == "block"}
    if Answer.NO_GO in blocking:
        return Verdict.NO_GO
    if Answer.NOT_CHECKED in blocking or all(each.result.answer is not Answer.GO for each in evaluated):
        return Verdict.NOT_CHECKED
    return Verdict.GO


def summary(evaluated: Sequence[EvaluatedGate], version: str) -> str:
    """Return the verdict with the gates that it comes from and the number of each answer, on one line.

    Args:
        evaluated: the results of the gates.
        version: what is to be released; empty where that is not known.
    """
    result = verdict(evaluated)
    stopping = {Verdict.NO_GO: Answer.NO_GO, Verdict.NOT_CHECKED: Answer.NOT_CHECKED}.get(result)
    because = [each.gate.name for each in evaluated if each.severity == "block" and each.result.answer is stopping]
    warned = [
        each.gate.name
        for each in evaluated
        if each.severity == "warn" and each.result.answer in {Answer.NO_GO, Answer.NOT_CHECKED}
    ]
    numbers = Counter(each.result.answer for each in evaluated)
    parts = [
        f"{result.value}{f' for {version}' if version else ''}",
        f" because of {', '.join(because)}" if because else "",
        f", warned by {', '.join(warned)}" if warned else "",
        f" ({', '.join(f'{numbers[each]} {each.value}' for each in Answer if numbers[each])})",
    ]
    return "".join(parts)

"""What a gate is: a question that must be answered before a release."""

from __future__ import annotations

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
    """A gate with what it said, and what that means for the release."""

    gate: Gate
    severity: Severity
    said: GateResult


def finding(judged: EvaluatedGate) -> Finding:
    """Return a gate's answer as a finding: where it only warns, neither a no nor silence is worse than a warning."""
    gate, severity, said = judged
    stopped = {Answer.NO_GO: Status.CRITICAL, Answer.NOT_CHECKED: Status.UNKNOWN}
    if said.answer in stopped:
        status = stopped[said.answer] if severity == "block" else Status.WARNING
    else:
        status = Status.OK if said.answer is Answer.GO else Status.SKIPPED
    # A skipped gate shows as such by its status.
    message = said.reason if said.answer is Answer.SKIPPED else f"{said.answer.value}: {said.reason}"
    return Finding(
        check=f"release.{gate.name}",
        subject=gate.name,
        status=status,
        message=message,
        remedy=None if status is Status.OK else said.remedy,
        excerpt="\n".join(f"| {line}" for line in said.lines) or msgspec.UNSET,
    )

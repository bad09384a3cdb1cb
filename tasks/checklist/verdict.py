"""The verdict on a release, from what the gates said: pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from enum import Enum

from .gate import Answer, EvaluatedGate


class Verdict(Enum):
    """May it be released?"""

    GO = "GO"
    NO_GO = "NO-GO"
    NOT_CHECKED = "NOT CHECKED"


def verdict(judged: Sequence[EvaluatedGate]) -> Verdict:
    """Return the verdict: one no of a gate that blocks is NO-GO; else one that could not be checked, NOT CHECKED.

    Where no gate says go, nothing was checked.
    """
    blocking = {each.said.answer for each in judged if each.severity == "block"}
    if Answer.NO_GO in blocking:
        return Verdict.NO_GO
    if Answer.NOT_CHECKED in blocking or all(each.said.answer is not Answer.GO for each in judged):
        return Verdict.NOT_CHECKED
    return Verdict.GO


def summary(judged: Sequence[EvaluatedGate], version: str) -> str:
    """Return the verdict with the gates that it comes from and how many said what, on one line.

    Args:
        judged: what the gates said.
        version: what is to be released; empty where that is not known.
    """
    result = verdict(judged)
    stopping = {Verdict.NO_GO: Answer.NO_GO, Verdict.NOT_CHECKED: Answer.NOT_CHECKED}.get(result)
    because = [each.gate.name for each in judged if each.severity == "block" and each.said.answer is stopping]
    warned = [
        each.gate.name
        for each in judged
        if each.severity == "warn" and each.said.answer in {Answer.NO_GO, Answer.NOT_CHECKED}
    ]
    numbers = Counter(each.said.answer for each in judged)
    parts = [
        f"{result.value}{f' for {version}' if version else ''}",
        f" because of {', '.join(because)}" if because else "",
        f", warned by {', '.join(warned)}" if warned else "",
        f" ({', '.join(f'{numbers[each]} {each.value}' for each in Answer if numbers[each])})",
    ]
    return "".join(parts)

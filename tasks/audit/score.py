"""The score of an audit, with its arithmetic: what each check was worth, what it got, and what was left out.

A check that is well has all of its points, one with a warning half of them, a critical one none. One that does not
apply or could not be made is left out of both sides, so that it neither helps nor harms; how many points that
concerns is shown beside the score, for a score of few checks says little.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from ..core.report.model import Finding, Status, worst
from ..core.text.formatting import count
from .audit_checks import Check

_SHARES = {Status.OK: 1.0, Status.WARNING: 0.5, Status.CRITICAL: 0.0}
"""Of its weight, what a check gets by its result; the others are left out."""


class Line(NamedTuple):
    """What one check got.

    Attributes:
        check: the check.
        result: the worst status among its findings; skipped where it has none.
        points: what it got; ``None`` where it is left out.
    """

    check: Check
    result: Status
    points: float | None


class Score(NamedTuple):
    """The score.

    Attributes:
        lines: by check, in the order in which they were declared.
        points: the sum of what was got.
        possible: the sum of what could be got.
        left_out: the weights of the checks without a result.
    """

    lines: tuple[Line, ...]
    points: float
    possible: int
    left_out: int

    @property
    def percent(self) -> int | None:
        """The score from 0 to 100, rounded down; ``None`` where no check has a result."""
        return math.floor(100 * self.points / self.possible + 1e-9) if self.possible else None


def score(checks: Sequence[Check], findings: Iterable[Finding]) -> Score:
    """Return the score of the findings.

    Args:
        checks: all that were declared.
        findings: theirs; those of other checks do not count.
    """
    found = [*findings]
    lines = [_line(check, [each.status for each in found if each.check == check.name]) for check in checks]
    evaluated = [line for line in lines if line.points is not None]
    possible = sum(line.check.weight for line in evaluated)
    return Score(
        tuple(lines),
        sum(line.points or 0.0 for line in evaluated),
        possible,
        sum(line.check.weight for line in lines) - possible,
    )


def arithmetic(found: Score) -> str:
    """Return how the score came about, as a sentence."""
    out = sum(line.points is None for line in found.lines)
    left_out = (
        f" {count(out, 'check')} of {count(found.left_out, 'point')} left out, for nothing was judged." if out else ""
    )
    if found.percent is None:
        return f"There is no score.{left_out}"
    lost = ", ".join(
        f"{line.check.name} {line.points - line.check.weight:g}"
        for line in found.lines
        if line.points is not None and line.points < line.check.weight
    )
    minus = f" ({lost})" if lost else ""
    return f"{found.percent} of 100: {found.points:g} of {count(found.possible, 'point')}{minus}.{left_out}"


def table(found: Score) -> list[dict[str, Any]]:
    """Return the score's lines for the report: a table of check, area, result, points and weight."""
    return [
        {
            "check": line.check.name,
            "area": line.check.area,
            "result": line.result.value,
            "points": line.points,
            "of": line.check.weight,
        }
        for line in found.lines
    ]


def _line(check: Check, statuses: Sequence[Status]) -> Line:
    result = worst(statuses) if statuses else Status.SKIPPED
    share = _SHARES.get(result)
    return Line(check, result, None if share is None else share * check.weight)

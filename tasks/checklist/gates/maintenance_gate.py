"""The gate *maintenance*: no procedure is overdue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ...core.text.formatting import count
from ..gate import Answer, Gate, GateResult

MAINTENANCE_GATE = Gate("maintenance", "no maintenance is overdue")


class MaintenanceState(NamedTuple):
    """What is known of the procedures, by their full names.

    Attributes:
        overdue: those that are overdue.
        never: those that never ran.
        doubts: by procedure of which nobody knows when it ran, why, as a sentence.
    """

    overdue: Sequence[str]
    never: Sequence[str]
    doubts: Mapping[str, str]


def evaluate_maintenance(state: MaintenanceState | None) -> GateResult:
    """Return the gate's answer.

    Args:
        state: of the procedures; ``None`` where nobody knows. What never ran is reported and keeps nothing back: it may
            not be wanted.
    """
    if state is None:
        return GateResult(Answer.SKIPPED, "No schedule is kept, so it is not known what is overdue.")
    overdue, never, doubts = state
    if overdue:
        names = ", ".join(overdue)
        return GateResult(
            Answer.NO_GO, f"{count(len(overdue), 'procedure')} overdue: {names}.", f"Run inv {overdue[0]}."
        )
    if doubts:
        first, reason = next(iter(doubts.items()))
        message = f"Of {count(len(doubts), 'procedure')} it is not known when they ran. {reason}"
        return GateResult(Answer.NOT_CHECKED, message, f"Run inv {first}.")
    unused = f"; {count(len(never), 'procedure')} never ran: {', '.join(never)}" if never else ""
    return GateResult(Answer.GO, f"Nothing is overdue{unused}.")

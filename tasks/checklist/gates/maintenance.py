"""Is no maintenance overdue?"""

from __future__ import annotations

from collections.abc import Sequence

from ...core.names import count
from ..gate import Answer, Gate, Said

GATE = Gate("maintenance", "no maintenance is overdue")


def judge(overdue: Sequence[str] | None) -> Said:
    """Return the gate's answer.

    Args:
        overdue: the full names of the procedures that are; ``None`` where nobody knows.
    """
    if overdue is None:
        return Said(Answer.SKIPPED, "No schedule is kept, so it is not known what is overdue.")
    if overdue:
        names = ", ".join(overdue)
        return Said(Answer.NO_GO, f"{count(len(overdue), 'procedure')} overdue: {names}.", f"Run inv {overdue[0]}.")
    return Said(Answer.GO, "Nothing is overdue.")

"""Is it on a branch that releases are made from?"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from ...core.text.formatting import listed, printable
from ..gate import Answer, Gate, GateResult
from ..repository import NoRepository, Repository

GATE = Gate("branch", "the branch is one that releases are made from")


def evaluate(repository: Repository | NoRepository, branches: Sequence[str]) -> GateResult:
    """Return the gate's answer.

    Args:
        repository: its state.
        branches: shell patterns of the branches that releases are made from.
    """
    if isinstance(repository, NoRepository):
        return GateResult(Answer.NOT_CHECKED, *repository)
    expected = listed(branches, len(branches))
    remedy = f"Switch to {expected}, or name this one in maintenance.release.branches."
    if not repository.branch:
        return GateResult(
            Answer.NO_GO,
            "The head is detached, so it is on no branch.",
            f"Switch to a branch: {expected} (maintenance.release.branches).",
        )
    name = printable(repository.branch)
    if not any(fnmatchcase(repository.branch, each) for each in branches):
        return GateResult(Answer.NO_GO, f"It is on {name}; releases are made from {expected}.", remedy)
    return GateResult(Answer.GO, f"It is on {name}.")

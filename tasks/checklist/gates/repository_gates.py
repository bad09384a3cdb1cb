"""The gates *tree* and *branch*: everything is committed, on a branch that releases are made from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase

from ...core.text.formatting import count, listed, printable
from ..gate import Answer, Gate, GateResult
from ..release_repository import NoRepository, Repository, unexpected

TREE_GATE = Gate("tree", "everything is committed")


def evaluate_tree(repository: Repository | NoRepository, is_kept: Callable[[str], bool]) -> GateResult:
    """Return the gate's answer.

    Args:
        repository: its state, from before anything was run that may write.
        is_kept: by path, whether an untracked file is the suite's own, or is one that a run of the project makes.
    """
    if isinstance(repository, NoRepository):
        return GateResult(Answer.NOT_CHECKED, *repository)
    if repository.under_way:
        what = repository.under_way
        return GateResult(Answer.NO_GO, f"A {what} is under way.", "Finish or abort it; git status says how.")
    changed, untracked = repository.changed, unexpected(repository, is_kept)
    parts = []
    if changed:
        parts.append(f"{count(len(changed), 'file')} not committed: {listed(changed, len(changed), 3)}")
    if untracked:
        parts.append(
            f"{count(len(untracked), 'file')} neither tracked nor ignored: {listed(untracked, len(untracked), 3)}"
        )
    if parts:
        return GateResult(Answer.NO_GO, f"{'; '.join(parts)}.", "Commit them, put them into .gitignore, or undo them.")
    if not repository.head:
        return GateResult(Answer.NOT_CHECKED, "There is no commit yet.", "Commit the project.")
    return GateResult(Answer.GO, f"Everything is in commit {repository.head[:12]}.")


BRANCH_GATE = Gate("branch", "the branch is one that releases are made from")


def evaluate_branch(repository: Repository | NoRepository, branches: Sequence[str]) -> GateResult:
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

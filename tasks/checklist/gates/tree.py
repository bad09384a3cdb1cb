"""Is what would be released what is committed?"""

from __future__ import annotations

from ...core.text.formatting import count, listed
from ..gate import Answer, Gate, GateResult
from ..repository import NoRepository, Repository, unexpected

GATE = Gate("tree", "everything is committed")


def evaluate(repository: Repository | NoRepository, own: tuple[str, ...]) -> GateResult:
    """Return the gate's answer.

    Args:
        repository: its state, from before anything was run that may write.
        own: paths that the suite writes itself, below the root.
    """
    if isinstance(repository, NoRepository):
        return GateResult(Answer.NOT_CHECKED, *repository)
    if repository.under_way:
        what = repository.under_way
        return GateResult(Answer.NO_GO, f"A {what} is under way.", "Finish or abort it; git status says how.")
    changed, untracked = repository.changed, unexpected(repository, own)
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

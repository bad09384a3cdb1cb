"""Do the project's linters pass?"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..commands import Command
from ..gate import Answer, Gate, GateResult

GATE = Gate("linters", "the project's linters find nothing")

_WORST_FIRST = (Answer.NO_GO, Answer.NOT_CHECKED, Answer.GO)


def evaluate(commands: Sequence[Command], carry_out: Callable[[Command], GateResult] | None) -> GateResult:
    """Return the gate's answer: all commands are run, whatever the others find.

    Args:
        commands: what looks at the code.
        carry_out: runs one; ``None`` in a dry run.
    """
    if not commands:
        return GateResult(
            Answer.SKIPPED,
            "No linter is configured: neither ruff, mypy nor flake8 has settings.",
            "Name the commands in maintenance.release.lint_commands.",
        )
    if carry_out is None:
        return GateResult(Answer.NOT_CHECKED, f"A dry run does not run {', '.join(map(str, commands))}.")
    said = [carry_out(each) for each in commands]
    said.sort(key=lambda each: _WORST_FIRST.index(each.answer))
    worst = said[0]
    return worst._replace(reason=" ".join(each.reason for each in said))

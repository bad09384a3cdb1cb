"""Do the project's tests pass?"""

from __future__ import annotations

from collections.abc import Callable

from ...core.programs.interpreter import Interpreter
from ..commands import Command
from ..gate import Answer, Gate, GateResult

GATE = Gate("tests", "the project's tests pass")


def evaluate(
    command: Command | None, interpreter: Interpreter, carry_out: Callable[[Command], GateResult] | None
) -> GateResult:
    """Return the gate's answer.

    Args:
        command: what tests the project; ``None`` where nothing does.
        interpreter: the project's, without which only a command of the settings can be run.
        carry_out: runs it; ``None`` in a dry run.
    """
    if command is None:
        return GateResult(
            Answer.SKIPPED,
            "No tests were found: no settings of pytest, and no test_*.py in tests or test.",
            "Name the command in maintenance.release.test_command.",
        )
    if carry_out is None:
        return GateResult(Answer.NOT_CHECKED, f"A dry run does not run {command}.")
    if command.origin and interpreter.python is None:
        return GateResult(
            Answer.NOT_CHECKED,
            f"{command.origin[:1].upper()}{command.origin[1:]}. {interpreter.reason}",
            interpreter.remedy,
        )
    return carry_out(command)

"""The gates *tests* and *linters*: the project's own commands pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ...core.programs.interpreter import Interpreter
from ..gate import Answer, Gate, GateResult
from ..project_commands import Command

TESTS_GATE = Gate("tests", "the project's tests pass")


def evaluate_tests(
    command: Command | None, interpreter: Interpreter, run_command: Callable[[Command], GateResult] | None
) -> GateResult:
    """Return the gate's answer.

    Args:
        command: what tests the project; ``None`` where nothing does.
        interpreter: the project's, without which only a command of the settings can be run.
        run_command: runs it; ``None`` in a dry run.
    """
    if command is None:
        return GateResult(
            Answer.SKIPPED,
            "No tests were found: no settings of pytest, and no test_*.py in tests or test.",
            "Name the command in maintenance.release.test_command.",
        )
    if run_command is None:
        return GateResult(Answer.NOT_CHECKED, f"A dry run does not run {command}.")
    if command.origin and interpreter.python is None:
        return GateResult(
            Answer.NOT_CHECKED,
            f"{command.origin[:1].upper()}{command.origin[1:]}. {interpreter.reason}",
            interpreter.remedy,
        )
    return run_command(command)


LINTERS_GATE = Gate("linters", "the project's linters find nothing")

_WORST_FIRST = (Answer.NO_GO, Answer.NOT_CHECKED, Answer.GO)


def evaluate_linters(commands: Sequence[Command], run_command: Callable[[Command], GateResult] | None) -> GateResult:
    """Return the gate's answer: all commands are run, also where one of them fails.

    Args:
        commands: what looks at the code.
        run_command: runs one; ``None`` in a dry run.
    """
    if not commands:
        return GateResult(
            Answer.SKIPPED,
            "No linter is configured: neither ruff, mypy nor flake8 has settings.",
            "Name the commands in maintenance.release.lint_commands.",
        )
    if run_command is None:
        return GateResult(Answer.NOT_CHECKED, f"A dry run does not run {', '.join(map(str, commands))}.")
    results = [run_command(each) for each in commands]
    results.sort(key=lambda each: _WORST_FIRST.index(each.answer))
    worst = results[0]
    return worst._replace(reason=" ".join(each.reason for each in results))

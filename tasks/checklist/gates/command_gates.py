"""The gates *tests* and *linters*: the project's own commands pass."""

from __future__ import annotations

from collections.abc import Callable

from ...core.programs.interpreter import Interpreter
from ...core.text.formatting import printable
from ..gate import Answer, Gate, GateResult
from ..project_commands import Command, Commands

TESTS_GATE = Gate("tests", "the project's tests pass")


def evaluate_tests(
    commands: Commands, interpreter: Interpreter, run_command: Callable[[Command], GateResult] | None
) -> GateResult:
    """Return the gate's answer.

    Args:
        commands: what tests the project, one command at most.
        interpreter: the project's, without which only a command of the settings can be run.
        run_command: runs it; ``None`` in a dry run.
    """
    if not commands.found:
        return _absent("test command", commands)
    (command,) = commands.found
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


def evaluate_linters(commands: Commands, run_command: Callable[[Command], GateResult] | None) -> GateResult:
    """Return the gate's answer: all commands are run, also where one of them fails.

    Args:
        commands: what looks at the code.
        run_command: runs one; ``None`` in a dry run.
    """
    if not commands.found:
        return _absent("linter", commands)
    if run_command is None:
        return GateResult(Answer.NOT_CHECKED, f"A dry run does not run {', '.join(map(str, commands.found))}.")
    results = [run_command(each) for each in commands.found]
    results.sort(key=lambda each: _WORST_FIRST.index(each.answer))
    worst = results[0]
    return worst._replace(reason=" ".join(each.reason for each in results))


def _absent(what: str, commands: Commands) -> GateResult:
    """Return the answer where there is no command: it does not apply, unless only a part of the files was seen."""
    remedy = f"Set {commands.setting}."
    if commands.cut:
        reason = f"No {what} was found, but not every file was looked at: {printable(commands.cut)}."
        return GateResult(Answer.NOT_CHECKED, reason, remedy)
    return GateResult(Answer.SKIPPED, f"No {what} was found. Looked for {commands.sought}.", remedy)

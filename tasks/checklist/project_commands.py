"""The project's own commands, its tests and its linters, run as somebody who works on it would run them."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Event
from typing import NamedTuple

from ..conventions.commands import PYTEST_UNANSWERED
from ..conventions.commands import Command as ConventionalCommand
from ..conventions.convention import Convention
from ..conventions.project_conventions import ProjectConventions
from ..core.programs.processes import Ended, run
from ..core.settings.model import ReleaseSettings
from ..core.text.formatting import duration, printable
from .gate import Answer, GateResult

_STYLE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_FRAME = " =-"
"""What pytest and others put around their last line."""

_LINES = 10
_LONGEST = 200
"""Characters of a line that are shown."""

_KEPT = 64_000
"""Bytes at the end of the output in which these lines are."""


_TESTS = "maintenance.release.test_command"
_LINTERS = "maintenance.release.lint_commands"


class Command(NamedTuple):
    """A command of the project's.

    Attributes:
        words: the program and its arguments.
        origin: why it is run, for people; empty where the settings name it.
        setting: the setting that names another.
        unanswered: exit statuses that mean that nothing was checked, and why, as the end of a sentence.
    """

    words: tuple[str, ...]
    origin: str
    setting: str
    unanswered: Mapping[int, str] = {}

    def __str__(self) -> str:
        """Return it as somebody would type it, in quotes."""
        program, *rest = self.words
        return f'"{printable(shlex.join([Path(program).name, *rest]))}"'


class Commands(NamedTuple):
    """The commands of one purpose.

    Attributes:
        found: the commands; none where neither the settings name one nor the project's files show one.
        sought: what was looked for, as a clause.
        setting: the setting that names others.
        cut: why not every file was looked at, as a clause; empty where each was.
    """

    found: tuple[Command, ...]
    sought: str
    setting: str
    cut: str = ""


def commands_for_tests(settings: ReleaseSettings, conventions: ProjectConventions) -> Commands:
    """Return the command that tests the project: that of the settings, else the one that its files show.

    Args:
        settings: those of the checklist.
        conventions: of the project; they are not looked for where the settings say it.
    """
    named = (settings.test_command,) if settings.test_command else ()
    return _of_settings(named, _TESTS) or _of_convention(conventions, conventions.test_command)


def commands_for_linting(settings: ReleaseSettings, conventions: ProjectConventions) -> Commands:
    """Return the linters that look at the project: those of the settings, else those that its files configure.

    Args:
        settings: those of the checklist.
        conventions: of the project; they are not looked for where the settings say it.
    """
    return _of_settings(settings.lint_commands, _LINTERS) or _of_convention(conventions, conventions.lint_commands)


def _of_settings(named: Sequence[str], setting: str) -> Commands | None:
    several = (tuple(shlex.split(each)) for each in named)
    found = tuple(Command(words, "", setting, PYTEST_UNANSWERED if "pytest" in words else {}) for words in several)
    return Commands(found, "", setting) if found else None


def _of_convention(
    conventions: ProjectConventions,
    found: Convention[ConventionalCommand] | Convention[tuple[ConventionalCommand, ...]],
) -> Commands:
    value = found.value or ()
    several = (value,) if isinstance(value, ConventionalCommand) else value
    commands = tuple(Command(each.words, each.reason, found.setting, each.unanswered) for each in several)
    return Commands(commands, found.sought, found.setting, conventions.files.cut)


def environment(python: Path | None, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a process that works on the project, from those of ours.

    Args:
        python: the interpreter of the project's environment, which becomes the active one; ``None``: it has none.
        environ: the process's environment.
    """
    variables = {**environ, "PYTHONDONTWRITEBYTECODE": "1"}
    if python is not None:
        variables.pop("PYTHONHOME", None)
        variables["VIRTUAL_ENV"] = str(python.parent.parent)
        variables["PATH"] = f"{python.parent}:{environ.get('PATH', '')}"
    return variables


def run_command(
    command: Command,
    root: Path,
    *,
    environ: Mapping[str, str],
    deadline_seconds: float,
    redact: Callable[[str], str],
    stop: Event,
) -> GateResult:
    """Run a command in the root, without a shell, and return its result.

    Args:
        command: what to run.
        root: the project.
        environ: its whole environment.
        deadline_seconds: how long it may take; then it is ended with all that it started.
        redact: takes secrets out of what it says.
        stop: ends it early where it is set.
    """
    program, *arguments = command.words
    found = shutil.which(program if "/" not in program else str(root / program), path=environ.get("PATH"))
    if found is None:
        return _not_there(command, program)
    ended = run([found, *arguments], folder=root, environ=environ, deadline_seconds=deadline_seconds, stop=stop)
    return command_result(command, ended, deadline_seconds=deadline_seconds, redact=redact, stopped=stop.is_set())


def _not_there(command: Command, program: str) -> GateResult:
    why = f", but {command.origin}" if command.origin else ""
    return GateResult(
        Answer.NOT_CHECKED,
        f"There is no program {printable(program)}{why}.",
        f"Install it in the project's environment (dependencies.python), or correct {command.setting}.",
    )


def command_result(
    command: Command, ended: Ended, *, deadline_seconds: float, redact: Callable[[str], str], stopped: bool
) -> GateResult:
    """Return the result of a command that has ended.

    Args:
        command: the command.
        ended: how it ended.
        deadline_seconds: how long it was given.
        redact: takes secrets out of its output.
        stopped: True where it was ended early.
    """
    if ended.problem:
        return GateResult(Answer.NOT_CHECKED, f"{printable(redact(ended.problem))}.", f"Correct {command.setting}.")
    if ended.succeeded:
        output = _last(ended, redact)
        return GateResult(Answer.GO, f"{command} passed{': ' if output else ''}{output}.")
    if stopped:
        return GateResult(Answer.NOT_CHECKED, f"{command} was told to stop before it had ended.", "Run it again.")
    return _failure(command, ended, deadline_seconds, last_lines(ended, redact))


def _failure(command: Command, ended: Ended, deadline_seconds: float, lines: tuple[str, ...]) -> GateResult:
    status = ended.status or 0
    if ended.overdue:
        return GateResult(
            Answer.NO_GO,
            f"{command} had not ended within {duration(deadline_seconds)}, and was ended with all that it started.",
            "See what it waits for, or raise maintenance.release.deadline_seconds.",
            lines,
        )
    if status in command.unanswered:
        reason = command.unanswered[status]
        return GateResult(Answer.NOT_CHECKED, f"{command}: {reason}.", f"Correct it, or set {command.setting}.", lines)
    if _lacks_module(command, ended):
        return _not_there(command, command.words[2])
    how = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
    return GateResult(Answer.NO_GO, f"{command} {how}.", f"Run {command} in the root, and mend what it tells.", lines)


def _lacks_module(command: Command, ended: Ended) -> bool:
    """Tell whether ``python -m MODULE`` failed for want of the module itself."""
    _, *arguments = command.words
    return arguments[:1] == ["-m"] and ended.last_words().endswith(f"No module named {arguments[1]}")


def _last(ended: Ended, redact: Callable[[str], str]) -> str:
    """Return the last line that it wrote to standard output, else to standard error, without frame and full stop."""
    for stream in (ended.output, ended.errors):
        if lines := _shown(stream, redact):
            return lines[-1].strip(_FRAME).rstrip(".!")
    return ""


def last_lines(ended: Ended, redact: Callable[[str], str]) -> tuple[str, ...]:
    """Return the last lines that a command wrote, to standard output first, without secrets.

    Args:
        ended: what it wrote.
        redact: takes secrets out of a text.
    """
    output, errors = (_shown(stream, redact)[-_LINES:] for stream in (ended.output, ended.errors))
    return tuple([*output, *errors][-_LINES:])


def _shown(stream: bytes, redact: Callable[[str], str]) -> Sequence[str]:
    text = stream[-_KEPT:].decode("utf-8", "replace")
    if len(stream) > _KEPT:
        text = text.partition("\n")[2]  # of a line that is cut, the end of a secret could remain
    text = redact(_STYLE.sub("", text))
    return [printable(line.rstrip())[:_LONGEST] for line in text.splitlines() if line.strip()]

"""The smoke test: does the project still start in this environment?"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Event
from typing import NamedTuple

from ...core.programs.processes import run
from ...core.secrets.redaction import shortened
from ...core.text.formatting import duration, printable
from ..environment import Environment, activation_variables

_LONGEST = 300
"""Characters of what it said."""


class SmokeResult(NamedTuple):
    """How the smoke test went.

    Attributes:
        passed: True where it ended with status 0.
        message: how, as the end of a sentence.
    """

    passed: bool
    message: str


def run_smoke_test(
    command: str,
    environment: Environment,
    root: Path,
    *,
    environ: Mapping[str, str],
    deadline_seconds: float,
    redact: Callable[[str], str],
    stop: Event,
) -> SmokeResult:
    """Run the smoke command in the root, with an environment active.

    It is run without a shell, and leaves no compiled modules behind.

    Args:
        command: what to run.
        environment: the one that is active.
        root: the project.
        environ: the process's environment.
        deadline_seconds: how long it may take.
        redact: takes secrets out of what it says.
        stop: ends it early where it is set.
    """
    variables = {**dict(activation_variables(environment, environ)), "PYTHONDONTWRITEBYTECODE": "1"}
    program, *arguments = shlex.split(command)
    ended = run(
        [_program_path(program, environment), *arguments],
        folder=root,
        environ=variables,
        deadline_seconds=deadline_seconds,
        stop=stop,
    )
    if ended.succeeded:
        return SmokeResult(passed=True, message="it passed")
    if ended.problem:
        return SmokeResult(passed=False, message=printable(redact(ended.problem)))
    if stop.is_set():
        return SmokeResult(passed=False, message="it was told to stop")
    if ended.overdue:
        return SmokeResult(passed=False, message=f"it had not ended within {duration(deadline_seconds)}, and was ended")
    last_words = shortened(printable(ended.last_words()), _LONGEST, redact)
    return SmokeResult(
        passed=False, message=f"it ended with status {ended.status}{': ' if last_words else ''}{last_words}"
    )


def _program_path(program: str, environment: Environment) -> str:
    """Return a program of the environment by its path: the search for it would go by our own ``PATH``."""
    own = environment.scripts / program
    return str(own) if "/" not in program and own.is_file() else program

"""The package managers pip and uv, run as programs, and why a call of one failed."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from threading import Event
from typing import NamedTuple

from packaging.version import Version

from ...core.programs.processes import Ended, run, whole_lines
from ...core.secrets.redaction import shortened
from ...core.text.formatting import duration, printable
from ..environment import Environment

_LONGEST_REASON = 400


class Refusal(NamedTuple):
    """A step that could not be done.

    Attributes:
        message: a sentence on what happened.
        remedy: what to do.
    """

    message: str
    remedy: str


def failure_reason(
    program: str,
    ended: Ended,
    messages: Iterable[str],
    *,
    deadline_seconds: float,
    redact: Callable[[str], str],
    stop: Event,
) -> str:
    """Return why a call of a program failed, as the end of a sentence.

    Args:
        program: its name.
        ended: how it ended.
        messages: what it said of the cause.
        deadline_seconds: how long it might take.
        redact: takes secrets out of a text.
        stop: whether the run is to end.
    """
    if ended.problem:
        return printable(ended.problem)
    if stop.is_set():
        return "it was told to stop"
    if ended.overdue:
        return f"{program} had not ended within {duration(deadline_seconds)}"
    words = shortened(printable(" ".join(messages)), _LONGEST_REASON, redact).rstrip(". ")
    return words or f"{program} ended with status {ended.status}"


_OLDEST = Version("22.3")
"""The first pip that works on another environment (``--python``); ``--report`` came with 22.2."""


class Pip(NamedTuple):
    """The environment's pip, and what all calls of it share.

    Attributes:
        environment: whose pip it is.
        root: the project, where it runs: paths in requirements are relative to it.
        environ: the process's environment; the user's ``PIP_`` variables count on purpose.
        deadline_seconds: how long one call may take.
        redact: takes secrets out of a text.
        stop: ends a call early where it is set.
    """

    environment: Environment
    root: Path
    environ: Mapping[str, str]
    deadline_seconds: float
    redact: Callable[[str], str]
    stop: Event

    def call(self, *arguments: str | Path) -> Ended:
        """Run it; it leaves no compiled modules of its own in the environment."""
        return run(
            [
                self.environment.python,
                *("-I", "-B", "-m", "pip", "--disable-pip-version-check", "--no-input", "--no-color"),
                *arguments,
            ],
            folder=self.root,
            environ=self.environ,
            deadline_seconds=self.deadline_seconds,
            stop=self.stop,
        )

    def refusal(self, what: str, ended: Ended, remedy: str) -> Refusal:
        """Return why a call of pip failed, as a sentence."""
        return Refusal(f"{what}: {self.reason(ended)}.", remedy)

    def reason(self, ended: Ended) -> str:
        """Return what a call of pip that failed says, as the end of a sentence."""
        return failure_reason(
            "pip",
            ended,
            [line.removeprefix("ERROR: ") for line in _errors(ended)],
            deadline_seconds=self.deadline_seconds,
            redact=self.redact,
            stop=self.stop,
        )

    def usable(self) -> Refusal | None:
        """Return why this pip cannot be used; ``None`` where it can."""
        ended = self.call("--version")
        python = printable(self.environment.python)
        match = re.match(rb"pip (\S+)", ended.output)
        if not ended.succeeded or match is None:
            if b"No module named pip" in ended.errors:
                return Refusal("The project's environment has no pip.", f"{python} -m ensurepip --upgrade")
            return self.refusal("The project's pip does not work", ended, f"{python} -m ensurepip --upgrade")
        version = match[1].decode("ascii", "replace")
        if Version(version) < _OLDEST:
            return Refusal(
                f"The project's pip is {version}; an update needs {_OLDEST} or a later one.",
                f"{python} -m pip install --upgrade pip",
            )
        return None


def _errors(ended: Ended) -> list[str]:
    """Return the lines of standard error that tell of the cause: pip's errors, else the last ones."""
    lines = [line.strip() for line in whole_lines(ended.errors) if line.strip()]
    return [line for line in lines if line.startswith("ERROR:")] or [
        line for line in lines if not line.startswith(("WARNING:", "[notice]", "note:", "hint:"))
    ][-3:]


_CAUSES = ("error:", "cause:", "×", "╰", "├", "│")  # noqa: RUF001 - uv's own signs


class Uv(NamedTuple):
    """uv, and what all calls of it share.

    Attributes:
        program: its path.
        environment: the live environment.
        environ: the process's environment; the user's ``UV_`` variables count on purpose.
        deadline_seconds: how long one call may take.
        redact: takes secrets out of a text.
        stop: ends a call early where it is set.
    """

    program: str
    environment: Environment
    environ: Mapping[str, str]
    deadline_seconds: float
    redact: Callable[[str], str]
    stop: Event

    def call(self, *arguments: str | Path, folder: Path) -> Ended:
        """Run it in a folder. It takes the Python that is there and never fetches another one."""
        left_out = {"VIRTUAL_ENV", "UV_PROJECT", "UV_FROZEN", "UV_LOCKED", "UV_PYTHON", "UV_WORKING_DIRECTORY"}
        environ = {name: value for name, value in self.environ.items() if name not in left_out}
        return run(
            [self.program, "--no-progress", "--color=never", *arguments],
            folder=folder,
            environ={**environ, "UV_PYTHON_DOWNLOADS": "never"},
            deadline_seconds=self.deadline_seconds,
            stop=self.stop,
        )

    def refusal(self, what: str, ended: Ended, remedy: str) -> Refusal:
        """Return why a call failed, as a sentence."""
        lines = [line.strip() for line in whole_lines(ended.errors) if line.strip()]
        first = next((number for number, line in enumerate(lines) if line.startswith(_CAUSES)), len(lines) - 3)
        why = failure_reason(
            "uv",
            ended,
            lines[max(0, first) :],
            deadline_seconds=self.deadline_seconds,
            redact=self.redact,
            stop=self.stop,
        )
        return Refusal(f"{what}: {why}.", remedy)


def find_uv(environ: Mapping[str, str]) -> str | None:
    """Return the path of uv; ``None`` where it is not on the ``PATH``."""
    return shutil.which("uv", path=environ.get("PATH", ""))

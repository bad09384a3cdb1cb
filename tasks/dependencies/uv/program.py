"""uv, as a program."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Event
from typing import NamedTuple

from ...core.programs.processes import Ended, run
from ..environment import Environment
from ..refusals import Refusal, reason

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
        lines = [line.strip() for line in ended.errors.decode("utf-8", "replace").splitlines() if line.strip()]
        first = next((number for number, line in enumerate(lines) if line.startswith(_CAUSES)), len(lines) - 3)
        why = reason(
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

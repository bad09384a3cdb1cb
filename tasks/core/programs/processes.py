"""Other programs, with a deadline and a bound on what they may say."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event
from time import monotonic
from typing import IO, NamedTuple

KEPT = 8 << 20
"""Bytes of a stream that are read; what a program says beyond them is cut off at its beginning."""

_TICK = 0.05
"""Seconds between two looks at whether it has ended or is to end."""

_GRACE = 3.0
"""Seconds between the request to end and the order."""


class Ended(NamedTuple):
    """How a program ended.

    Attributes:
        status: its exit status, negative for a signal; ``None`` where it could not be started.
        output: the end of what it wrote to standard output.
        errors: the end of what it wrote to standard error.
        overdue: True where it was ended at its deadline.
        problem: why it could not be started, as the end of a sentence; ``None`` where it was.
    """

    status: int | None
    output: bytes = b""
    errors: bytes = b""
    overdue: bool = False
    problem: str | None = None

    @property
    def succeeded(self) -> bool:
        """True where it ended by itself with status 0."""
        return self.status == 0 and not self.overdue

    def last_words(self) -> str:
        """Return the last line that is not blank, of standard error or else of standard output; empty: none."""
        for stream in (self.errors, self.output):
            lines = [line for line in whole_lines(stream) if line.strip()]
            if lines:
                return lines[-1].strip()
        return ""


def whole_lines(stream: bytes) -> list[str]:
    """Return the lines of a stream, without the first one where that may be cut: it could be half a secret."""
    lines = stream.decode("utf-8", "replace").splitlines()
    return lines[1:] if len(stream) >= KEPT else lines


def run(
    command: Sequence[str | Path],
    *,
    folder: Path,
    environ: Mapping[str, str],
    deadline_seconds: float,
    stop: Event | None = None,
) -> Ended:
    """Run a program in a process group of its own, which ends with it or at its deadline.

    What it writes goes to unnamed temporary files, so that neither a silent nor a talkative program is waited for.

    Args:
        command: the program and its arguments.
        folder: where it runs.
        environ: its whole environment.
        deadline_seconds: how long it may take.
        stop: ends it early where it is set; that counts as overdue.
    """
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(
                [str(word) for word in command],
                cwd=folder,
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            return Ended(None, problem=f"{command[0]} cannot be started: {reason}")
        try:
            overdue = not _ends(process, deadline_seconds, stop)
        finally:
            _end_group(process)
        return Ended(process.returncode, _tail(output), _tail(errors), overdue)


def _ends(process: subprocess.Popen[bytes], seconds: float, stop: Event | None) -> bool:
    """Wait for the end of a process; False where it came to its deadline."""
    until = monotonic() + seconds
    while True:
        with suppress(subprocess.TimeoutExpired):
            process.wait(_TICK)
            return True
        if monotonic() > until or (stop is not None and stop.is_set()):
            return False


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """End the process and those that it started, as far as they still run."""
    for number, seconds in ((signal.SIGTERM, _GRACE), (signal.SIGKILL, None)):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)


def _tail(stream: IO[bytes]) -> bytes:
    size = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, size - KEPT))
    return stream.read()

"""Running one process to its end, with a clock around the whole of it."""

from __future__ import annotations

import os
import pty
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from enum import Flag, auto
from pathlib import Path
from typing import IO

_RUSAGE_UNIT = 1 if sys.platform == "darwin" else 1024
"""Bytes in the unit of ``ru_maxrss``."""


class Terminal(Flag):
    """The streams of a process that are on a pseudo-terminal; the others are on files."""

    NONE = 0
    OUTPUT = auto()
    ERROR = auto()


@dataclass(frozen=True, slots=True)
class Command:
    """What to run.

    Attributes:
        arguments: the program and its arguments; no shell reads them.
        folder: where it runs.
        environment: variables added to ours. None of ours that starts with ``INVOKE_`` is passed on.
        terminal: the streams that are on a terminal.
    """

    arguments: Sequence[str | Path]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    terminal: Terminal = Terminal.NONE


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a process took and said.

    Attributes:
        seconds: wall time from before its start until after its end, in seconds.
        peak_bytes: the most memory that it, or any process it waited for, had resident, in bytes. Linux
            counts from the start of the fork, so this is never less than :func:`own_peak_bytes`.
        status: its exit status, negative for the number of the signal that ended it.
        output: what it wrote to standard output, unless that was a terminal.
        error: what it wrote to standard error, unless that was a terminal.
        shown: what it wrote to the terminal.
    """

    seconds: float
    peak_bytes: int
    status: int
    output: bytes
    error: bytes
    shown: bytes


def own_peak_bytes() -> int:
    """Return the most memory that this process has had resident until now, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RUSAGE_UNIT


def run(command: Command) -> Outcome:
    """Run *command* and measure it; what others left to be written goes to the disk before the clock starts.

    Raises:
        OSError: the program cannot be started.
    """
    with ExitStack() as opened:
        output, error = (opened.enter_context(tempfile.TemporaryFile()) for _ in range(2))
        here, there = (opened.enter_context(os.fdopen(end, "r+b", buffering=0)) for end in pty.openpty())
        os.sync()
        began = time.monotonic()
        process = _start(command, output, error, there)
        try:
            there.close()
            shown = _drain(here.fileno())
            _, wait_status, usage = os.wait4(process.pid, 0)
            seconds = time.monotonic() - began
        except BaseException:
            process.kill()
            process.wait()
            raise
        process.returncode = os.waitstatus_to_exitcode(wait_status)  # else Popen would wait once more
        output.seek(0)
        error.seek(0)
        peak = usage.ru_maxrss * _RUSAGE_UNIT
        return Outcome(seconds, peak, process.returncode, output.read(), error.read(), shown)


def _start(command: Command, output: IO[bytes], error: IO[bytes], terminal: IO[bytes]) -> subprocess.Popen[bytes]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("INVOKE_")}
    return subprocess.Popen(
        command.arguments,
        cwd=command.folder,
        env={**inherited, **command.environment},
        stdin=subprocess.DEVNULL,
        stdout=terminal if Terminal.OUTPUT in command.terminal else output,
        stderr=terminal if Terminal.ERROR in command.terminal else error,
    )


def _drain(terminal: int) -> bytes:
    """Return what comes from the terminal until nobody has its other end open: at once if the process has not."""
    pieces = []
    with suppress(OSError):  # how Linux says that the other end is closed
        while piece := os.read(terminal, 65536):
            pieces.append(piece)
    return b"".join(pieces)

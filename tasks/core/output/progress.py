"""A live count on a terminal for work that takes longer than a second, and nothing anywhere else."""

from __future__ import annotations

import sys
import time
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_PATIENCE = 1.0
"""Seconds of work before anything is shown."""

_INTERVAL = 0.25
"""Seconds between two updates: four a second look alive, and at half a millisecond each cost 0.2 % of the time."""


class Display:
    """The progress of one procedure; a context manager whose :meth:`advance` is given to it.

    Shown on standard error, so that standard output holds nothing but the report.

    Args:
        name: the procedure's name.
        stream: where it is shown, if that is a terminal.
    """

    def __init__(self, name: str, stream: TextIO | None = None) -> None:
        self._name = name
        self._stream = stream or sys.stderr
        self._lock = Lock()
        self._done = 0
        self._next = time.monotonic() + _PATIENCE
        self._shown: tuple[Progress, TaskID] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.pause()

    def pause(self) -> None:
        """Take the display away until work goes on."""
        with self._lock:
            if self._shown:
                self._shown[0].stop()
            self._shown = None

    def advance(self, count: int) -> None:
        """Count *count* further pieces of work; may be called from any thread."""
        with self._lock:
            self._done += count
            now = time.monotonic()
            if now < self._next or not self._stream.isatty():
                return
            self._next = now + _INTERVAL
            if self._shown is None:
                self._shown = self._begin()
            progress, task = self._shown
            progress.update(task, completed=self._done, refresh=True)

    def _begin(self) -> tuple[Progress, TaskID]:
        from rich.console import Console
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        progress = Progress(
            SpinnerColumn("line"),  # plain characters, which every terminal can show
            TextColumn("{task.description}"),
            TextColumn("{task.completed:,.0f} looked at"),
            TimeElapsedColumn(),
            console=Console(file=self._stream),
            transient=True,
            auto_refresh=False,
        )
        progress.start()
        return progress, progress.add_task(self._name, total=None)

"""The processes of the machine: which belong to the project, how many files they hold open, and which work most."""

from __future__ import annotations

import heapq
import time
from pathlib import Path, PurePath
from threading import Event
from typing import TYPE_CHECKING, NamedTuple

from .machine_figures import Busy, Holder, OpenFiles

if TYPE_CHECKING:
    import psutil

PATIENCE = 5.0
"""Seconds for one pass over all processes; a pass over 5,000 takes less than one."""

BUSIEST = 3
"""How many of the processes that work most are named."""

_NAME_LENGTH = 15
"""Characters of a process's name that Linux itself keeps (TASK_COMM_LEN). psutil lengthens such a name from the
command line, which may hold secrets."""


class Stopped(RuntimeError):
    """The examination was told to stop before this was measured."""

    def __init__(self) -> None:
        super().__init__("it was told to stop before that was done")


class Clocked(NamedTuple):
    """A process with the processor time it had used, in seconds, at a moment of the monotonic clock."""

    process: psutil.Process
    used: float
    moment: float


class Seen(NamedTuple):
    """What one pass over the processes gave."""

    open_files: OpenFiles
    clocked: list[Clocked]


def look(root: Path, stop: Event, patience: float = PATIENCE) -> Seen:
    """Look once at every process.

    A process belongs to the project where its working directory lies in *root*. This process, those that started
    it, such as the shell that it was typed into, and processes that end meanwhile are left out.

    Args:
        root: the project.
        stop: ends the pass early when set.
        patience: seconds after which the rest of the processes is left.

    Raises:
        Stopped: *stop* was set.
        psutil.Error, OSError: the processes cannot be listed.
    """
    import psutil

    here = root.resolve()
    own = psutil.Process()
    above = {parent.pid for parent in own.parents()}
    end = time.monotonic() + patience
    holders: list[Holder] = []
    clocked: list[Clocked] = []
    closed = left = 0
    pids = psutil.pids()
    for place, pid in enumerate(pids):
        if stop.is_set():
            raise Stopped
        if time.monotonic() >= end:
            left = len(pids) - place
            break
        if pid == own.pid:
            continue
        try:
            process = psutil.Process(pid)
            clocked.extend(_clocked(process))
            if pid not in above and PurePath(process.cwd()).is_relative_to(here):
                holders.append(_holder(process))
        except psutil.AccessDenied:
            closed += 1
        except (psutil.Error, OSError):  # it has ended
            continue
    return Seen(OpenFiles(tuple(holders), closed, left), clocked)


def busiest(clocked: list[Clocked], stop: Event, patience: float = PATIENCE) -> tuple[Busy, ...]:
    """Return the processes that have used most processor time since they were *clocked*, the busiest first.

    Processes that began later are not among them. It ends early when *stop* is set or *patience* seconds are over.
    """
    end = time.monotonic() + patience
    worked: list[tuple[float, psutil.Process]] = []
    for process, before, began in clocked:
        if stop.is_set() or time.monotonic() >= end:
            break
        for _, used, moment in _clocked(process):
            if used > before and moment > began:
                worked.append((100 * (used - before) / (moment - began), process))
    most = heapq.nlargest(BUSIEST, worked, key=lambda one: one[0])
    return tuple(Busy(_name(process), process.pid, percent) for percent, process in most)


def _clocked(process: psutil.Process) -> list[Clocked]:
    """Return *process* with its time; nothing where the system does not tell it, as macOS of other users' ones."""
    import psutil

    try:
        times = process.cpu_times()
    except (psutil.Error, OSError):
        return []
    return [Clocked(process, times.user + times.system, time.monotonic())]


def _holder(process: psutil.Process) -> Holder:
    return Holder(_name(process), process.pid, process.num_fds(), _limit(process))


def _limit(process: psutil.Process) -> int | None:
    """Return the soft limit of open files; ``None`` where there is none or it cannot be seen (macOS)."""
    import psutil

    resource = getattr(psutil, "RLIMIT_NOFILE", None)
    if resource is None:
        return None
    try:
        soft, _ = process.rlimit(resource)
    except (psutil.Error, OSError):
        return None
    return None if soft == psutil.RLIM_INFINITY else soft


def _name(process: psutil.Process) -> str:
    import psutil

    try:
        return process.name()[:_NAME_LENGTH]
    except (psutil.Error, OSError):
        return "unknown"

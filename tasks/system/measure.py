"""Measuring the machine: everything here asks the system, and nothing here judges."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from threading import Event
from typing import TypeVar

from ..core.files.disk_space import disk_space
from . import control_groups
from .machine_figures import Amount, Busy, Cpu, Disk, Figures, Load, Memory, OpenFiles, Times, Unmeasured
from .running_processes import Stopped, busiest, look

Measured = TypeVar("Measured")


def measure(root: Path, folders: Sequence[str], stop: Event, seconds: float) -> Figures:
    """Measure everything; what fails is :class:`Unmeasured` and the rest goes on.

    Args:
        root: the project.
        folders: folders of the project whose file systems count, below the root.
        stop: ends the measurement early when set.
        seconds: how long the processors are watched.
    """
    seen = attempt(lambda: look(root, stop))
    watched = attempt(lambda: processors(stop, seconds))
    worked: tuple[Busy, ...] | Unmeasured = ()
    open_files: OpenFiles | Unmeasured
    if isinstance(seen, Unmeasured):
        open_files = seen
    else:
        open_files, clocked = seen
        worked = attempt(lambda: busiest(clocked, stop))
    return Figures(
        cpu=watched,
        busiest=() if isinstance(worked, Unmeasured) else worked,
        load=attempt(load),
        memory=attempt(memory),
        swap=attempt(swap),
        disks=dict(disks(root, folders)),
        open_files=open_files,
    )


def attempt(measurement: Callable[[], Measured]) -> Measured | Unmeasured:
    """Return what *measurement* returns, or why the system did not let it."""
    import psutil

    try:
        return measurement()
    except OSError as error:
        return Unmeasured(error.strerror or str(error) or type(error).__name__)
    except (psutil.Error, RuntimeError) as error:  # of which NotImplementedError is one
        return Unmeasured(str(error) or type(error).__name__)


def processors(stop: Event, seconds: float) -> Cpu:
    """Watch the processors that this process may use for *seconds*.

    The time that this process itself uses meanwhile, in all its threads, does not count as busy: what runs beside
    the measurement is no work of the machine's. Waiting for the disk and stolen time are not busy either
    (:class:`Times`).

    Raises:
        Stopped: *stop* was set meanwhile.
        RuntimeError: the system counts no time of its processors.
        psutil.Error, OSError: it does not tell it.
    """
    groups = control_groups.own_groups()
    _, number = times()
    limits = control_groups.processor_limits(groups, number)
    began, own_before, used_before = time.monotonic(), time.process_time(), control_groups.processor_seconds([*limits])
    before, _ = times()
    if stop.wait(seconds):
        raise Stopped
    after, _ = times()
    used_after = control_groups.processor_seconds([*limits])
    own, elapsed = time.process_time() - own_before, time.monotonic() - began
    busy, used, stolen = shares(before, after, own)
    quota = control_groups.tightest(limits, used_before, used_after, elapsed, own)
    return Cpu(elapsed, number, busy, used, stolen, quota)


def times() -> tuple[Times, int]:
    """Return what the processors that this process may use have done so far, and how many they are.

    The system counts a virtual machine's guests in the time of users as well, and they count once here.
    """
    import psutil

    every = psutil.cpu_times(percpu=True)
    usable = [every[place] for place in usable_places(len(every))]
    busy = sum(_sum(one, "user", "nice", "system", "irq", "softirq") for one in usable)
    idle = sum(_sum(one, "idle", "iowait") for one in usable)
    stolen = sum(_sum(one, "steal") for one in usable)
    return Times(busy, idle, stolen), len(usable)


def usable_places(number: int) -> list[int]:
    """Return the places, in the system's list of *number* processors, of those that this process may use.

    Where some processors are switched off their numbers are not their places; then all of them count, as they do
    on systems that bind no process to processors (macOS).
    """
    if hasattr(os, "sched_getaffinity"):
        allowed = sorted(os.sched_getaffinity(0))
        if os.sysconf("SC_NPROCESSORS_CONF") == number and allowed[-1] < number:
            return allowed
    return [*range(number)]


def _sum(times: object, *names: str) -> float:
    return sum(getattr(times, name, 0.0) for name in names)


def shares(before: Times, after: Times, own: float) -> tuple[float, float, float]:
    """Return in percent of the time between two readings: busy with others' work, with ours, and stolen.

    The counters advance in steps of 10 ms and single ones may go back a step, so no share is below 0 or above 100.

    Args:
        before: the first reading.
        after: the second.
        own: seconds of processor time that this process used between them.

    Raises:
        RuntimeError: no time passed between them.
    """
    busy, idle, stolen = (
        max(0.0, after.busy - before.busy),
        max(0.0, after.idle - before.idle),
        max(0.0, after.stolen - before.stolen),
    )
    total = busy + idle + stolen
    if not total:
        raise RuntimeError("the system counted no time of its processors")
    return 100 * max(0.0, busy - own) / total, 100 * min(own, busy) / total, 100 * stolen / total


def load() -> Load:
    """Return the load averages for all processors of the machine: they count what runs on any of them.

    Raises:
        OSError: the system has none.
    """
    one, five, fifteen = os.getloadavg()
    return Load(one, five, fifteen, os.cpu_count() or 1)


def memory() -> Memory:
    """Return how much memory is not available to new work, of the machine and of the nearest control group."""
    import psutil

    machine = psutil.virtual_memory()
    group = control_groups.memory_limit(control_groups.own_groups(), machine.total)
    return Memory(Amount(machine.total - machine.available, machine.total), group)


def swap() -> Amount:
    """Return how much of the swap space is used, in bytes."""
    import psutil

    space = psutil.swap_memory()
    return Amount(space.used, space.total)


def disks(root: Path, folders: Sequence[str]) -> Iterator[tuple[str, Disk | Unmeasured]]:
    """Yield each file system once, by the first folder that lies on it: the root's, then those of *folders*.

    A folder that is a link counts where it leads, for that is the disk that fills; nothing but the size of the
    file system is asked there. Missing folders are left out.
    """
    known: set[int] = set()
    for folder in (".", *folders):
        path = root / folder
        try:
            device = path.stat().st_dev
        except FileNotFoundError:
            if folder != ".":
                continue
        except OSError:
            pass  # asking for its size says why
        else:
            if device in known:
                continue
            known.add(device)
        yield folder, attempt(partial(disk, path))


def disk(path: Path) -> Disk:
    """Return how full the file system of *path* is, as ``df`` counts: used of used and available to ordinary users.

    Raises:
        RuntimeError: it has no size, as those that the kernel makes up.
        OSError: it does not tell.
    """
    space = disk_space(path)
    if not space.total:
        raise RuntimeError("the file system has no size")
    return Disk(Amount(space.used, space.total), Amount(space.inodes_used, space.inodes_total))

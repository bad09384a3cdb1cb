"""What was measured, as plain values: the judgement needs nothing else, so tests can give it any machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Unmeasured:
    """A measurement that failed; *reason* is the end of a sentence, without its full stop."""

    reason: str


@dataclass(frozen=True)
class Times:
    """What processors did since the machine started, in seconds summed over them.

    Attributes:
        busy: at work, for a virtual machine's guests and for interrupts included.
        idle: without work, waiting for the disk (iowait) included: another process could have had that time.
        stolen: not given to this machine by the one that it runs on (steal); nothing here worked in it.
    """

    busy: float
    idle: float
    stolen: float


@dataclass(frozen=True)
class Quota:
    """The processor time that a control group may use and what it used of it.

    Attributes:
        processors: how many processors' time it may use; half a processor is 0.5.
        percent: the part of that which it used.
    """

    processors: float
    percent: float


@dataclass(frozen=True)
class Busy:
    """A process at work: its name, its pid and its time in percent of one processor."""

    name: str
    pid: int
    percent: float


@dataclass(frozen=True)
class Cpu:
    """The processors over some seconds.

    Attributes:
        seconds: how long they were watched.
        processors: how many of them this process may use; only those were watched.
        percent: how much of their time others than this process used.
        own_percent: how much of it this process used.
        stolen_percent: how much of it the machine below did not give.
        quota: the tightest limit of a control group, where there is one below the number of processors.
    """

    seconds: float
    processors: int
    percent: float
    own_percent: float
    stolen_percent: float
    quota: Quota | None = None


@dataclass(frozen=True)
class Load:
    """The mean number of processes that ran or waited over 1, 5 and 15 minutes, for *processors* of the machine."""

    one: float
    five: float
    fifteen: float
    processors: int


@dataclass(frozen=True)
class Amount:
    """Some of something: *used* of *total*, in bytes or in inodes."""

    used: int
    total: int

    @property
    def percent(self) -> float:
        """The used part in percent, to one decimal; 0 of nothing."""
        return round(100 * self.used / self.total, 1) if self.total else 0.0


@dataclass(frozen=True)
class Memory:
    """The memory of the machine and, where one has a lower limit, of the control group that is nearest to its own."""

    machine: Amount
    group: Amount | None = None


@dataclass(frozen=True)
class Disk:
    """One file system: *space* in bytes and *inodes*, both as far as ordinary users may use them.

    The totals leave out what is kept for the administrator, so that 100 percent is reached when the project can
    write no more. A file system without a fixed number of inodes has none in total.
    """

    space: Amount
    inodes: Amount


@dataclass(frozen=True)
class Holder:
    """A process of the project with the number of its open files and, where it can be seen, its soft limit."""

    name: str
    pid: int
    files: int
    limit: int | None


@dataclass(frozen=True)
class OpenFiles:
    """The processes that work in the project's tree.

    Attributes:
        holders: these processes.
        closed: how many processes of others could not be looked at for want of rights.
        left: how many processes were not reached in time.
    """

    holders: tuple[Holder, ...]
    closed: int = 0
    left: int = 0


DiskFigures: TypeAlias = Mapping[str, Disk | Unmeasured]
"""File systems by the first folder of the project that lies on each: ``.``, ``logs``."""


@dataclass(frozen=True)
class Figures:
    """Everything measured in one examination; *busiest* are the processes that worked most meanwhile, most first."""

    cpu: Cpu | Unmeasured
    busiest: tuple[Busy, ...]
    load: Load | Unmeasured
    memory: Memory | Unmeasured
    swap: Amount | Unmeasured
    disks: DiskFigures
    open_files: OpenFiles | Unmeasured

"""From the measured figures to findings: pure, so that every machine can be judged in a test.

Percentages are rounded to one decimal before they are judged, so that what is shown is what was compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ..core.report.model import Finding, Metric, Status
from ..core.settings.model import HealthSettings
from ..core.text.formatting import count, duration, printable, size
from .machine_figures import Amount, Busy, Cpu, Disk, DiskFigures, Figures, Holder, Load, Memory, OpenFiles, Unmeasured

LOAD_PER_PROCESSOR = 2.0
"""The 5-minute load per processor above which it is a warning. At 1 every processor is in use and nobody waits; above
2 whatever runs has, as a mean over five minutes, at least one other waiting for its place. Between the two lie busy
minutes, and on Linux work that waits for the disk, which the load counts as well."""

DISK_MARGIN = 10.0
"""Points of percent below the critical limit from which a disk is a warning: time to act before nothing can be
written."""

SWAP_PERCENT = 80.0
"""How full the swap space may be while the memory is above its own limit. By itself a full swap space holds what
nobody has asked for in a long time and is no trouble; with the memory full as well, nothing is left to give."""

OPEN_FILES_PERCENT = 80.0
"""The part of its limit that a process may have open. At the limit every further file, socket or log that it opens
fails (EMFILE, getrlimit(2)); a fifth is room for a burst."""


def findings(limits: HealthSettings, figures: Figures) -> Iterator[Finding]:
    """Yield at least one finding per measurement, in the order in which people look at a machine."""
    yield _cpu(limits, figures.cpu, figures.busiest)
    yield _load(figures.load)
    yield _memory(limits, figures.memory)
    yield _swap(limits, figures.swap, figures.memory)
    yield from disk_findings(limits, figures.disks)
    yield from _open_files(figures.open_files)


def room_findings(limits: HealthSettings, memory: Memory | Unmeasured, disks: DiskFigures) -> Iterator[Finding]:
    """Yield what is told of memory and disks, without which nothing works."""
    yield _memory(limits, memory)
    yield from disk_findings(limits, disks)


def disk_findings(limits: HealthSettings, disks: DiskFigures) -> Iterator[Finding]:
    """Yield what is told of each file system: its space and its inodes."""
    for folder, disk in disks.items():
        yield from _disk(limits, printable(folder), disk)


def metrics(figures: Figures) -> Iterator[Metric]:
    """Yield the numbers that later procedures compare with: percentages, bytes, inodes, loads."""
    if isinstance(figures.cpu, Cpu):
        yield Metric(name="system.cpu", value=round(figures.cpu.percent, 1), unit="%", subject="processors")
    if isinstance(figures.load, Load):
        for name, value in (("1", figures.load.one), ("5", figures.load.five), ("15", figures.load.fifteen)):
            yield Metric(name=f"system.load_{name}", value=round(value, 2), unit="processes", subject="load")
    if isinstance(figures.memory, Memory):
        yield from _used("system.memory_", figures.memory.machine, "memory")
    if isinstance(figures.swap, Amount):
        yield from _used("system.swap_", figures.swap, "swap")
    yield from disk_metrics(figures.disks)


def disk_metrics(disks: DiskFigures) -> Iterator[Metric]:
    """Yield bytes and inodes of each file system, used and in all."""
    for folder, disk in disks.items():
        if isinstance(disk, Disk):
            subject = printable(folder)
            yield from _used("disk.", disk.space, subject)
            yield Metric(name="disk.inodes_used", value=disk.inodes.used, unit="inodes", subject=subject)
            yield Metric(name="disk.inodes_total", value=disk.inodes.total, unit="inodes", subject=subject)


def _used(prefix: str, amount: Amount, subject: str) -> Iterator[Metric]:
    yield Metric(name=f"{prefix}used_bytes", value=amount.used, unit="B", subject=subject)
    yield Metric(name=f"{prefix}total_bytes", value=amount.total, unit="B", subject=subject)


def data(figures: Figures) -> dict[str, Any]:
    """Return the figures that no metric holds, flat; what was not measured is missing."""
    cpu, load, memory, open_files = figures.cpu, figures.load, figures.memory, figures.open_files
    measured: dict[str, Any] = {}
    if isinstance(cpu, Cpu):
        measured |= {
            "watched_seconds": round(cpu.seconds, 2),
            "processors": cpu.processors,
            "own_cpu_percent": round(cpu.own_percent, 1),
            "stolen_cpu_percent": round(cpu.stolen_percent, 1),
        }
        if cpu.quota:
            measured |= {"quota_processors": cpu.quota.processors, "quota_percent": round(cpu.quota.percent, 1)}
    if isinstance(load, Load):
        measured["load_processors"] = load.processors
    if isinstance(memory, Memory) and memory.group:
        measured |= {"group_memory_used_bytes": memory.group.used, "group_memory_total_bytes": memory.group.total}
    if isinstance(open_files, OpenFiles):
        measured["project_processes"] = len(open_files.holders)
        measured["closed_processes"] = open_files.closed
        measured["open_files_most"] = max((holder.files for holder in open_files.holders), default=0)
    return measured


def summary(figures: Figures) -> str:
    """Return one line: how full processors, memory and the root's disk are."""
    disk = figures.disks.get(".")
    parts = {
        "processors": round(_cpu_percent(figures.cpu), 1) if isinstance(figures.cpu, Cpu) else None,
        "memory": _nearest(figures.memory).percent if isinstance(figures.memory, Memory) else None,
        "disk": disk.space.percent if isinstance(disk, Disk) else None,
    }
    return ", ".join(f"{name} unknown" if value is None else f"{name} {value} %" for name, value in parts.items())


def _unmeasured(check: str, subject: str, figures: Unmeasured) -> Finding:
    return Finding(
        check=check,
        subject=subject,
        status=Status.UNKNOWN,
        message=f"It could not be measured: {printable(figures.reason)}.",
        remedy="See that this account may ask the system for it, then run it again.",
    )


def _cpu_percent(cpu: Cpu) -> float:
    """Return what is judged: the processors, or the quota where more of that was used."""
    return max(cpu.percent, cpu.quota.percent if cpu.quota else 0.0)


def _cpu(limits: HealthSettings, cpu: Cpu | Unmeasured, busiest: Sequence[Busy]) -> Finding:
    check, subject = "system.cpu", "processors"
    if isinstance(cpu, Unmeasured):
        return _unmeasured(check, subject, cpu)
    percent = round(_cpu_percent(cpu), 1)
    busy = percent > limits.cpu_percent
    message = f"The processors were {cpu.percent:.1f} % busy ({cpu.processors} of them, over {duration(cpu.seconds)})."
    if cpu.quota:
        message += (
            f" The control group may use {_processors(cpu.quota.processors)}, and {cpu.quota.percent:.1f} % "
            "of that was used."
        )
    if busy:
        message += f" Up to {limits.cpu_percent:g} % is expected."
        if busiest:
            names = ", ".join(f"{printable(one.name)} (pid {one.pid}, {one.percent:.0f} %)" for one in busiest)
            message += f" Busiest, in percent of one processor: {names}."
    return Finding(
        check=check,
        subject=subject,
        status=Status.WARNING if busy else Status.OK,
        message=message,
        value=percent,
        unit="%",
        warning=limits.cpu_percent,
        remedy="Look with top whether that work is wanted now; if it is, look again when it is done." if busy else None,
    )


def _processors(number: float) -> str:
    """Return a number of processors, which may be a fraction: ``1 processor``, ``0.5 processors``."""
    return f"{number:.3g} processor{'' if number == 1 else 's'}"


def _load(load: Load | Unmeasured) -> Finding:
    check, subject = "system.load", "load"
    if isinstance(load, Unmeasured):
        return _unmeasured(check, subject, load)
    each = round(load.five / load.processors, 2)
    high = each > LOAD_PER_PROCESSOR
    expected = f" Up to {LOAD_PER_PROCESSOR:g} per processor is expected over 5 minutes." if high else ""
    return Finding(
        check=check,
        subject=subject,
        status=Status.WARNING if high else Status.OK,
        message=(
            f"The load was {load.one:.2f}, {load.five:.2f} and {load.fifteen:.2f} over 1, 5 and 15 minutes, "
            f"{each:.2f} per processor over 5 minutes ({count(load.processors, 'processor')}).{expected}"
        ),
        value=each,
        unit="processes per processor",
        warning=LOAD_PER_PROCESSOR,
        remedy="Look with top or ps what runs, and what waits for the disk (state D)." if high else None,
    )


def _nearest(memory: Memory) -> Amount:
    """Return what is judged: of the machine and the control group the one that is nearer to its limit."""
    amounts = [memory.machine, *([memory.group] if memory.group else [])]
    return max(amounts, key=lambda amount: amount.percent)


def _memory(limits: HealthSettings, memory: Memory | Unmeasured) -> Finding:
    check, subject = "system.memory", "memory"
    if isinstance(memory, Unmeasured):
        return _unmeasured(check, subject, memory)
    percent = _nearest(memory).percent
    full = percent > limits.memory_percent
    message = f"{_amount(memory.machine)} of the memory is in use."
    if memory.group:
        message += f" The control group uses {_amount(memory.group)} of what it may."
    return Finding(
        check=check,
        subject=subject,
        status=Status.WARNING if full else Status.OK,
        message=message + (f" Up to {limits.memory_percent:g} % is expected." if full else ""),
        value=percent,
        unit="%",
        warning=limits.memory_percent,
        remedy="Look with top, sorted by memory, what could end or needs less." if full else None,
    )


def _amount(amount: Amount) -> str:
    return f"{amount.percent} % ({size(amount.used)} of {size(amount.total)})"


def _swap(limits: HealthSettings, swap: Amount | Unmeasured, memory: Memory | Unmeasured) -> Finding:
    check, subject = "system.swap", "swap"
    if isinstance(swap, Unmeasured):
        return _unmeasured(check, subject, swap)
    if not swap.total:
        message = "This machine has no swap space."
        return Finding(check=check, subject=subject, status=Status.SKIPPED, message=message)
    short = isinstance(memory, Memory) and memory.machine.percent > limits.memory_percent
    full = short and swap.percent > SWAP_PERCENT
    expected = f" Up to {SWAP_PERCENT:g} % is expected while the memory is as full as it is." if full else ""
    return Finding(
        check=check,
        subject=subject,
        status=Status.WARNING if full else Status.OK,
        message=f"{_amount(swap)} of the swap space is in use.{expected}",
        value=swap.percent,
        unit="%",
        warning=SWAP_PERCENT if short else None,
        remedy="End what needs the memory, before the system ends something itself." if full else None,
    )


def _disk(limits: HealthSettings, folder: str, disk: Disk | Unmeasured) -> Iterator[Finding]:
    if isinstance(disk, Unmeasured):
        yield _unmeasured("system.disk", folder, disk)
        return
    free = disk.space.total - disk.space.used
    yield _filled(
        "system.disk",
        folder,
        disk.space.percent,
        limits=limits,
        message=f"The disk is {disk.space.percent} % full, {size(free)} of {size(disk.space.total)} are free",
        remedy="Make room: inv weekly.log-rotation and inv weekly.cache-cleanup free what the project has collected.",
    )
    if not disk.inodes.total:
        message = "This file system sets no number of inodes that could be used up."
        yield Finding(check="system.inodes", subject=folder, status=Status.SKIPPED, message=message)
        return
    left = count(disk.inodes.total - disk.inodes.used, "more file")
    yield _filled(
        "system.inodes",
        folder,
        disk.inodes.percent,
        limits=limits,
        message=f"{disk.inodes.percent} % of the inodes are in use, {left} can be created",
        remedy="Delete small files that nobody needs; du --inodes counts them per folder.",
    )


def _filled(check: str, folder: str, percent: float, *, limits: HealthSettings, message: str, remedy: str) -> Finding:
    """Judge how full something on a disk is."""
    warning = max(0.0, limits.disk_percent - DISK_MARGIN)
    status, expected = Status.OK, ""
    if percent > limits.disk_percent:
        status, expected = Status.CRITICAL, f"; up to {limits.disk_percent:g} % can be borne"
    elif percent > warning:
        status, expected = Status.WARNING, f"; up to {warning:g} % is expected"
    return Finding(
        check=check,
        subject=folder,
        status=status,
        message=f"{message}{expected}.",
        value=percent,
        unit="%",
        warning=warning,
        critical=limits.disk_percent,
        remedy=None if status is Status.OK else remedy,
    )


def _open_files(seen: OpenFiles | Unmeasured) -> Iterator[Finding]:
    check, subject = "system.open_files", "processes"
    if isinstance(seen, Unmeasured):
        yield _unmeasured(check, subject, seen)
        return
    near = [holder for holder in seen.holders if _percent(holder) > OPEN_FILES_PERCENT]
    for holder in near:
        yield Finding(
            check=check,
            subject=f"{printable(holder.name)} (process {holder.pid})",
            status=Status.WARNING,
            message=(
                f"It has {holder.files:,} of {holder.limit or 0:,} files open, {_percent(holder)} %; "
                f"up to {OPEN_FILES_PERCENT:g} % is expected."
            ),
            value=_percent(holder),
            unit="%",
            warning=OPEN_FILES_PERCENT,
            remedy="Look with lsof -p at what it holds; close what it forgot, or raise ulimit -n before it is started.",
        )
    closed = f" {count(seen.closed, 'process', 'processes')} could not be looked at for want of rights."
    if seen.left:
        yield Finding(
            check=check,
            subject=subject,
            status=Status.UNKNOWN,
            message=f"{count(seen.left, 'process', 'processes')} could not be looked at in time.",
            value=seen.left,
            unit="processes",
            remedy="Run it again when the machine is less busy.",
        )
    elif not near:
        yield _few_open_files(seen.holders, closed if seen.closed else "")


def _few_open_files(holders: Sequence[Holder], closed: str) -> Finding:
    check, subject = "system.open_files", "processes"
    if not holders:
        message = f"No process of the project was seen.{closed}"
        return Finding(check=check, subject=subject, status=Status.SKIPPED, message=message)
    most = max(holders, key=lambda holder: (_percent(holder), holder.files))
    limit = f"{most.files:,}" if most.limit is None else f"{most.files:,} of {most.limit:,}"
    unseen = " (no limit is seen)" if most.limit is None else ""
    return Finding(
        check=check,
        subject=subject,
        status=Status.OK,
        message=(
            f"{count(len(holders), 'process', 'processes')} of the project, at most {limit} files open{unseen}.{closed}"
        ),
        value=_percent(most),
        unit="%",
        warning=OPEN_FILES_PERCENT,
    )


def _percent(holder: Holder) -> float:
    """Return the part of its limit that *holder* has open; 0 where it has none."""
    return 0.0 if holder.limit is None else Amount(holder.files, max(holder.limit, 1)).percent

"""The machine's part of ``daily.health-check`` and ``emergency.recover``: one look at what can run short."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from threading import Event

from ..core.report.model import Report
from ..core.settings.model import Settings
from . import system_findings
from .machine_figures import Disk
from .measure import attempt, disks, measure, memory


def examine(settings: Settings, *, now: datetime, stop: Event, seconds: float = 1.0) -> Report:
    """Measure the machine and judge it by ``maintenance.health``.

    It may run in a thread beside other work: the time that this process uses meanwhile does not count as busy.

    Args:
        settings: the project's settings, ``root`` absolute.
        now: the moment of the examination, aware of its zone.
        stop: ends the examination early when set; what was not measured by then is unknown.
        seconds: how long the processors are watched.
    """
    folders = settings.logs.directory, settings.cache.directory
    figures = measure(Path(settings.root), folders, stop, seconds)
    return Report(
        summary=system_findings.summary(figures),
        findings=[*system_findings.findings(settings.health, figures)],
        metrics=[*system_findings.metrics(figures)],
        data={"system": {"measured": now.isoformat(), **system_findings.data(figures)}},
    )


def examine_room(settings: Settings) -> Report:
    """Measure memory and disks only, which takes no time, and judge them by ``maintenance.health``.

    Args:
        settings: the project's settings, ``root`` absolute.
    """
    used = attempt(memory)
    figures = dict(disks(Path(settings.root), (settings.logs.directory, settings.cache.directory)))
    root = figures.get(".")
    return Report(
        summary=f"disk {root.space.percent} %" if isinstance(root, Disk) else "disk unknown",
        findings=[*system_findings.room_findings(settings.health, used, figures)],
        metrics=[*system_findings.disk_metrics(figures)],
    )

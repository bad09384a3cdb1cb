"""The machine's part of ``daily.health-check``: one look at everything that can run short."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from threading import Event

from ..core.report import Report
from ..core.settings.model import Settings
from . import judgement
from .measure import measure


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
        summary=judgement.summary(figures),
        findings=[*judgement.findings(settings.health, figures)],
        metrics=[*judgement.metrics(figures)],
        data={"system": {"measured": now.isoformat(), **judgement.data(figures)}},
    )

"""What both procedures do with what they measured: the entry in the history of measurements."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from ..core.report.model import Action, Finding
from ..core.run.clock import Withheld, clock_doubt
from ..core.settings.model import Settings
from ..core.text.formatting import count
from . import provider_history
from .exchange_outcome import Asked
from .response_figures import entry


class Memory(NamedTuple):
    """What became of the history: its part of a report."""

    findings: list[Finding]
    actions: list[Action]
    files: list[str]


def path(settings: Settings) -> str:
    """Return the path of the history, below the root."""
    return provider_history.history_path(settings.logs.directory)


def remember(settings: Settings, everyone: Sequence[Asked], source: str, now: datetime) -> Memory:
    """Keep what was measured, if anything was, in both records; the caller holds the project's lock."""
    made = entry(everyone, source, now)
    if made is None:
        return Memory([], [], [])
    root, directory = Path(settings.root), settings.logs.directory
    withheld = withheld_for_clock(settings, source, now)
    provider_history.record(root, directory, made, now)
    problem = provider_history.append(
        root, directory, made, now=now, days=settings.health.history_days, clock_doubted=bool(withheld)
    )
    if problem is not None:
        return Memory([problem, *withheld], [], [])
    return Memory(withheld, [Action(verb="write", target=path(settings))], [path(settings)])


def withheld_for_clock(settings: Settings, task: str, now: datetime, *, dry_run: bool = False) -> list[Finding]:
    """Return the finding on measurements that are kept because the clock is not believed, if there are any."""
    doubt, days = clock_doubt(settings, now), settings.health.history_days
    if doubt is None or not (
        number := provider_history.outdated(Path(settings.root), settings.logs.directory, now=now, days=days)
    ):
        return []
    left = Withheld(number, ("measurement", "measurements"), count(days, "day"), "entries")
    return [doubt.finding(left, subject=path(settings), task=task, dry_run=dry_run)]

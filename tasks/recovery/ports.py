"""What recovery asks of others: domains do not know each other, so its collection hands it their work."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import NamedTuple, TypeAlias

from ..core.report.model import Report
from ..core.settings.model import Settings

TASK = "emergency.recover"

Ask: TypeAlias = Callable[[Sequence[str], str], bool]
"""Shows lines, asks a question, and returns whether the answer was yes."""

STEPS = ("leftovers", "cache", "logs", "structure", "providers")
"""What recovery does, in this order: what frees space comes first, and least of all is lost by what comes first."""


class Ports(NamedTuple):
    """The work of other domains; all of it knows already whether this is a dry run.

    Attributes:
        room: measures memory and disks (checks ``system.…``, metrics ``disk.…``).
        configuration: reads the configured files.
        plan_clearing: reports what clearing the cache would delete, and changes nothing.
        clean: cleans the cache: every entry, or only the expired ones; *again*: also where this run has done so.
        rotate: archives the logs; *again*: also where this run has done so.
        providers: asks every provider once.
        records: by path below the root, the procedure that keeps this file from run to run.
    """

    room: Callable[[], Report]
    configuration: Callable[[Event], Report]
    plan_clearing: Callable[[], Report]
    clean: Callable[[bool, bool], Report]
    rotate: Callable[[bool], Report]
    providers: Callable[[Event], Report]
    records: Mapping[str, str]


class Context(NamedTuple):
    """What every step is given.

    Attributes:
        settings: the project's settings, ``root`` absolute.
        ports: the work of other domains.
        steps: those to take, of :data:`STEPS`.
        yes: clear the cache without asking.
        ask: asks whoever sits at the terminal; ``None`` where nobody does.
        now: the moment of the run, aware of its zone.
        stop: ends it after the step at hand.
        dry_run: change nothing.
        has_cache: False where the project has no cache and no setting asks for one: then none is made.
    """

    settings: Settings
    ports: Ports
    steps: tuple[str, ...]
    yes: bool
    ask: Ask | None
    now: datetime
    stop: Event
    dry_run: bool
    has_cache: bool = True

    @property
    def root(self) -> Path:
        """The project."""
        return Path(self.settings.root)

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders that the project and the suite write to, below the root: logs, cache, each kind of entry."""
        cache = self.settings.cache
        kinds = (f"{cache.directory}/{kind}" for kind in cache.expiry_hours)
        return (self.settings.logs.directory, *((cache.directory, *kinds) if self.has_cache else ()))

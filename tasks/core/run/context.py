"""What a procedure is given: the run that it is a part of."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from .commands import Commands

if TYPE_CHECKING:
    from ..output.confirmation import Confirm
    from ..report.model import Report
    from ..report.reused_reports import Source
    from ..secrets.keys import Key
    from ..settings.loading import Loaded
    from ..settings.model import Section, Settings
    from .composition import Part
    from .definition import Definition

    Own = TypeVar("Own", bound=Section)


class Declared(Protocol):
    """What carries a declaration: a task that the decorator has made."""

    @property
    def definition(self) -> Definition:
        """The declaration."""
        ...


def nobody(_lines: Sequence[str], _question: str, _stop: Event) -> bool | None:
    """Answer no question: there is nobody to ask."""
    return None


class Execute(Protocol):
    """Executes another procedure within the run and returns its report."""

    def __call__(
        self, definition: Definition, arguments: Mapping[str, Any], *, dry: bool, again: bool = False
    ) -> Report:
        """Execute it, unless the run has done so with the same arguments: then return the report of that.

        Args:
            definition: what to execute.
            arguments: those that differ from its defaults, as the command line gives them.
            dry: make a dry run, which never stands for a run.
            again: execute it in any case.

        Raises:
            UsageError: an argument cannot be used.
            Interrupted: Ctrl-C; it carries the report of what was done until then.
        """
        ...


@dataclass(frozen=True)
class Run:
    """What a procedure is given.

    Attributes:
        loaded: the settings and where each came from.
        now: when the procedure began, aware of its zone.
        dry: True where Invoke was called with ``--dry``.
        advance: called with how much work was done since its last call; shows progress on a terminal.
        execute: executes another procedure as a part of this one.
        definition: the procedure's own declaration.
        confirm: asks whoever sits at the terminal, if anybody does.
        task: the procedure's full name, as people call it.
        shared: what the procedures of one command keep for each other: what is found out once.
        commands: how the suite was called.
    """

    loaded: Loaded
    now: datetime
    dry: bool
    advance: Callable[[int], None]
    execute: Execute
    definition: Definition
    confirm: Confirm = nobody
    task: str = ""
    shared: dict[str, Any] = field(default_factory=dict)
    commands: Commands = field(default_factory=Commands)

    @property
    def settings(self) -> Settings:
        """The settings."""
        return self.loaded.settings

    def section(self, kind: type[Own]) -> Own:
        """Return the procedure's own section of the settings, which its declaration names.

        Args:
            kind: the type of the section, as declared.

        Raises:
            TypeError: the declaration names another type.
        """
        definition = self.definition
        holder = self.settings if definition.is_ours else getattr(self.settings, "own", None)
        found = getattr(holder, definition.section, None)
        if not isinstance(found, kind):
            raise TypeError(f"{definition.name} declares no settings of the type {kind.__name__}")
        return found

    def before(self, moment: datetime | timedelta | None) -> datetime | None:
        """Return a moment that may be given as how long before now."""
        return self.now - moment if isinstance(moment, timedelta) else moment

    @cached_property
    def keys(self) -> dict[str, Key]:
        """The keys that the settings name, by their variables: the environment's, else those of the project's .env."""
        from ..secrets.keys import find_keys

        settings = self.settings
        names = (
            *settings.configuration.environment_keys,
            *(each.key_env for each in settings.providers.values()),
            *(each.variable for each in settings.backups.repositories.values()),
        )
        return find_keys(Path(settings.root), names, os.environ)

    @cached_property
    def redact(self) -> Callable[[str], str]:
        """Takes the keys, and everything else that looks like a secret, out of a text."""
        from ..secrets.redaction import redactor

        return redactor(key.value for key in self.keys.values())

    def compose(
        self,
        parts: Mapping[str, Part],
        *,
        dry_run: bool,
        side_by_side: bool = False,
        advance: Callable[[int], None] | None = None,
    ) -> Report:
        """Run *parts* under the project's lock, join what they report, and keep it in the declared report file.

        Args:
            parts: what to run, by name; each takes an event that ends it early, and returns a report.
            dry_run: write nothing, and report that it would be written.
            side_by_side: run the parts in threads, so that together they take as long as the slowest of them.
            advance: called with how many parts have ended; by default, that is shown as progress.

        Raises:
            LockedByOther: another changing run is at work in this project.
            Interrupted: Ctrl-C; it carries the report of what was found until then.
        """
        from .composition import compose
        from .own_files import report_path

        return compose(
            parts,
            Path(self.settings.root),
            self.definition.name,
            report_path(self.definition, self.settings, self.now),
            now=self.now,
            advance=advance or self.advance,
            side_by_side=side_by_side,
            dry_run=dry_run,
        )

    def recent_report(self, definition: Definition, *, days: float) -> Source | None:
        """Return another procedure's latest report in its file, where it is no older than *days*; else ``None``."""
        from ..report.reused_reports import freshest
        from .own_files import report_path

        return freshest(
            Path(self.settings.root),
            lambda moment: report_path(definition, self.settings, moment).path,
            definition.name,
            now=self.now,
            days=days,
        )

    def new_report(self, definition: Definition, *, dry: bool, again: bool = False) -> Source:
        """Execute another procedure as nobody's attendance allows, and return its report.

        Args:
            definition: the other procedure.
            dry: make a dry run.
            again: execute it even where the run has done so already.

        Raises:
            Interrupted: Ctrl-C; it carries the other procedure's report.
        """
        from ..report.reused_reports import Source

        return Source(self.execute(definition, definition.unattended, dry=dry, again=again), self.now, reused=False)

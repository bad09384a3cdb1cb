"""A procedure as Invoke sees it: a task that takes the run and returns a report.

Imported whenever ``inv`` starts, so nothing heavy is imported here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from invoke import Argument, Call, Context, Task, task

if TYPE_CHECKING:
    from ..output.confirmation import Confirm
    from ..report.model import Report
    from ..secrets.keys import Key
    from ..settings.loading import Loaded
    from ..settings.model import Settings

    Body = TypeVar("Body", bound=Callable[..., Report])
    Check = Callable[[Settings, Any], Any]
    Requirement = Callable[[Settings], None]


def nobody(_lines: Sequence[str], _question: str, _stop: Event) -> bool | None:
    """Answer no question: there is nobody to ask."""
    return None


class Perform(Protocol):
    """Performs another procedure within the run and returns its report."""

    def __call__(
        self, procedure: Procedure, name: str, arguments: Mapping[str, Any], *, dry: bool, anew: bool = False
    ) -> Report:
        """Perform it, unless the run has done so with the same arguments: then return the report of that.

        Args:
            procedure: what to perform.
            name: its full name.
            arguments: those that differ from its defaults, as the command line gives them.
            dry: make a dry run, which never stands for a run.
            anew: perform it in any case.

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
        advance: told how much work was done since its last call; shows progress on a terminal.
        perform: performs another procedure as a part of this one.
        confirm: asks whoever sits at the terminal, if anybody does.
        task: the procedure's full name, as people call it.
    """

    loaded: Loaded
    now: datetime
    dry: bool
    advance: Callable[[int], None]
    perform: Perform
    confirm: Confirm = nobody
    task: str = ""

    @property
    def settings(self) -> Settings:
        """The settings."""
        return self.loaded.settings

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
        """Takes the keys, and whatever else looks like a secret, out of a text."""
        from ..secrets.redaction import redactor

        return redactor(key.value for key in self.keys.values())


class Procedure(Task[Any]):
    """A task whose body takes a :class:`Run` in the place of Invoke's context and returns a report.

    Our executor calls the body. Any other executor calls the task, which then prints its own report and
    ends the process with its exit status.

    Attributes:
        checks: per parameter, what makes the procedure's argument of the text given on the command line;
            all are called before anything runs, with the settings and the value.
        page: the parameter that asks for the report as a page; ``None`` where it has no page.
        requires: called before anything runs, with the settings; raises where the procedure cannot use them.
        together: called before anything runs, with all arguments as they were given; raises where they contradict each
            other.
        whole: the parameters that take nothing away from a run, whatever their value: one with ``--accept`` is
            the month's review all the same, one with ``--kind`` is not the week's clean-up.
    """

    def __init__(
        self,
        *args: Any,
        checks: Mapping[str, Check] | None = None,
        page: str | None = None,
        requires: Requirement | None = None,
        together: Callable[[Mapping[str, Any]], None] | None = None,
        whole: Iterable[str] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.checks = dict(checks or {})
        self.page = page
        self.requires = requires
        self.together = together
        self.whole = frozenset(whole)

    def is_whole(self, settings: Settings, arguments: Mapping[str, Any]) -> bool:
        """Tell whether a run with these arguments does all that a run without any does."""
        parameters = self.argspec(self.body).parameters
        return all(
            name in self.whole or (name in parameters and self._is_default(settings, name, value))
            for name, value in arguments.items()
        )

    def _is_default(self, settings: Settings, name: str, value: Any) -> bool:
        default = self.argspec(self.body).parameters[name].default
        check = self.checks.get(name)
        return bool(value == default or (check is not None and value == check(settings, default)))

    def get_arguments(self, ignore_unknown_help: bool | None = None) -> list[Argument]:
        """Return the flags; a repeatable one must have a value, which Invoke's parser does not see to."""
        arguments = super().get_arguments(ignore_unknown_help)
        for argument in arguments:
            if argument.kind is list:
                argument.raw_value = None  # what the parser takes for "no value given yet"
        return arguments

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run alone, under an executor that is not ours; *args* is Invoke's context."""
        from .runner import run_alone

        context: Context = args[0]
        run_alone(Call(self, args=args[1:], kwargs=kwargs), context.config)


def procedure(**options: Any) -> Callable[[Body], Procedure]:
    """Make a task of a function that takes a :class:`Run` and returns a report.

    Args:
        options: those of Invoke's ``@task``, and those of :class:`Procedure`.
    """
    decorator: Callable[[Body], Procedure] = task(klass=Procedure, **options)
    return decorator

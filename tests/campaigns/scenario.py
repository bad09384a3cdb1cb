"""What a trial runs, and how to tell that it has done its work."""

from __future__ import annotations

import fnmatch
import json
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from tasks.core.run.definition import Definition
from tasks.core.run.registry import procedure_named, procedures

from .injection import Ended
from .projects import Place

REPOSITORY = Path(__file__).resolve().parents[2]
INV = str(Path(sys.executable).with_name("inv"))


class Inv(Protocol):
    """Runs ``inv`` on a place, without a fault."""

    def __call__(self, place: Place, *arguments: str) -> Ended:
        """Run it to its end."""
        ...


Check: TypeAlias = Callable[[Place], Iterator[str]]
"""Yields what is not as it must be, as sentences."""


def _nothing(_place: Place) -> Iterator[str]:
    yield from ()


def _no_preparation(_place: Place, _inv: Inv) -> None:
    pass


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A call of a procedure on a project prepared for it.

    Attributes:
        procedure: its full name.
        arguments: its flags.
        prepare: makes of the new project what the call needs.
        missing: what the call has not done, where it has not done all of its work.
        not_undone: where the run after an interruption undoes its work, and the one after that does it: what is not as
            it was before.
        lost: what is gone that must be there at every moment, also between a fault and the next run.
        changes: patterns of paths below the root that it may change, beside the logs and the suite's own files.
        watched: beginnings of paths in the place; the calls that name one of these get faults.
        unread: pieces of paths whose reading gets no faults: code of others.
        writes: whether a program writes a log meanwhile.
        afterwards: further calls of the run after a fault: a procedure that has run and reported a failure is not due.
        repeats: whether a second run after a complete one succeeds as well, in the place of refusing.
        settings: settings of its own, by section.
        anew: whether each trial prepares its own project, because what is prepared is named after its path.
        in_copy: whether it is started in a copy of the suite's folder, as what writes beside ``tasks.py`` must be.
        slow: takes many seconds.
    """

    procedure: str
    arguments: tuple[str, ...] = ()
    prepare: Callable[[Place, Inv], None] = _no_preparation
    missing: Check = _nothing
    not_undone: Check | None = None
    lost: Check = _nothing
    changes: tuple[str, ...] = ()
    watched: tuple[str, ...] = ("project",)
    unread: tuple[str, ...] = ()
    writes: bool = False
    afterwards: tuple[tuple[str, ...], ...] = ()
    repeats: bool = True
    settings: Mapping[str, Any] = field(default_factory=dict)
    anew: bool = False
    in_copy: bool = False
    slow: bool = False

    @property
    def name(self) -> str:
        """The call as it is typed."""
        return " ".join([self.procedure, *self.arguments])

    @property
    def definition(self) -> Definition:
        """The procedure's declaration."""
        return procedure_named(self.procedure)

    def may_change(self, path: str) -> bool:
        """Whether a path below the root is one of :attr:`changes`."""
        return any(fnmatch.fnmatchcase(path, pattern) for pattern in self.changes)

    def not_done(self, place: Place) -> Iterator[str]:
        """Yield what the call has not done: the scenario's own, its report and its entry in the history."""
        yield from self.missing(place)
        yield from _missing_report(self.definition, place)
        if self.definition.cadence not in {None, "never"}:
            before = place.remembered("history") or []
            entries = [json.loads(each) for each in history(place) if each not in before]
            if not any((each["kind"], each.get("task")) == ("run", self.procedure) for each in entries):
                yield "the history has no entry of the run"


def changing() -> list[Definition]:
    """Return the suite's procedures that change something: those that offer a dry run."""
    return [each for each in procedures() if each.is_ours and "dry_run" in each.parameters]


def history(place: Place) -> list[str]:
    """Return the lines of the project's history."""
    path = place.project / "logs/maintenance_history.jsonl"
    return path.read_text("utf-8").splitlines() if path.exists() else []


def _missing_report(definition: Definition, place: Place) -> Iterator[str]:
    if definition.report is None:
        return
    pattern = re.sub(r"\{\w+\}", "*", definition.report.path)
    reports = [*(place.project / "logs").glob(pattern)]
    if not reports:
        yield "its report is not there"
    for path in reports:
        if not json.loads(path.read_bytes()):
            yield f"its report {path.name} is empty"


def copy_suite(place: Place) -> None:
    """Make a folder from which ``inv`` runs the suite; its code is the repository's."""
    place.suite.mkdir()
    shutil.copy(REPOSITORY / "tasks.py", place.suite)
    (place.suite / "tasks").symlink_to(REPOSITORY / "tasks")

"""Running other procedures for one that takes over what they found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from ..report.reused_reports import Source, freshest
from .procedure import Procedure, Run


class Other(NamedTuple):
    """A procedure whose report is taken over.

    Attributes:
        procedure: what is run where its report is not fresh.
        arguments: with which.
        path: tells where in the log folder it keeps its report, by the moment of a run.
    """

    procedure: Procedure
    arguments: Mapping[str, Any]
    path: Callable[[datetime], str]


def kept(run: Run, name: str, other: Other, *, days: float) -> Source | None:
    """Return the other procedure's latest report that is no older than so many days; ``None`` where there is none."""
    settings = run.settings
    return freshest(
        Path(settings.root),
        lambda moment: f"{settings.logs.directory}/{other.path(moment)}",
        name,
        now=run.now,
        days=days,
    )


def made(run: Run, name: str, other: Other, *, dry: bool, anew: bool = False) -> Source:
    """Run the other procedure and return its report.

    Args:
        run: that of the procedure which takes it over.
        name: the other's full name.
        other: the other procedure.
        dry: make a dry run.
        anew: run it even where the run has done so already.

    Raises:
        Interrupted: Ctrl-C; it carries the other procedure's report.
    """
    return Source(run.perform(other.procedure, name, other.arguments, dry=dry, anew=anew), run.now, reused=False)

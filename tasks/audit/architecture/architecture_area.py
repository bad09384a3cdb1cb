"""The whole area: every check yields at least one finding."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from threading import Event

from ...core.report.model import Finding, Status
from ...core.settings.model import Settings
from .components import components, unreferenced
from .cycles import cycles
from .declared import CYCLES, SIZES, UNREFERENCED
from .graph import analyse
from .places import places
from .sizes import sizes
from .sources import Walk, sources


def examine(root: Path, settings: Settings, stop: Event, advance: Callable[[int], None]) -> list[Finding]:
    """Return what is to be told of the project's architecture. Nothing of it is executed or written.

    Args:
        root: the project.
        settings: all settings.
        stop: ends the work early where it is set; what was not done is unknown then.
        advance: told of each file of code that was looked at.
    """
    return [places(root, settings.audit.places), *_code(root, settings, stop, advance)]


def _code(root: Path, settings: Settings, stop: Event, advance: Callable[[int], None]) -> Iterator[Finding]:
    packages = settings.audit.packages
    left_out = frozenset(
        str(PurePosixPath(each))
        for each in (settings.logs.directory, settings.cache.directory, settings.backups.directory)
    )
    walk = Walk(root, stop)
    found = sources(walk, root, packages, left_out)
    if not found and not walk.problems and not stop.is_set():
        yield from _without(Status.SKIPPED, "There is no Python code.")
        return
    known = components(root, settings.configuration.components, packages, found)
    graph = analyse(root, found, [each.module for each in known], stop, advance)
    if stop.is_set():
        yield from _without(Status.UNKNOWN, "The code was not looked at: the audit was interrupted.")
        return
    yield from cycles(graph, walk.problems)
    if graph.lines:
        yield sizes(graph.lines, settings.audit.module_lines)
    else:
        yield SIZES.finding(Status.UNKNOWN, "modules", "No module could be read.", "See to the findings on code first.")
    yield unreferenced(root, known, graph, Walk(root, stop), left_out)


def _without(status: Status, message: str) -> Iterator[Finding]:
    for check in (CYCLES, SIZES, UNREFERENCED):
        yield check.finding(status, "code", message)

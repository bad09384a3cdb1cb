"""The area *architecture*: expected files and folders, the sizes of modules, and what is found in the imports."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from threading import Event

from ...core.report.model import Finding, Status
from ...core.settings.model import Settings
from ...core.text.formatting import count, listed, printable
from ..audit_checks import CYCLES, PLACES, SIZES, UNREFERENCED
from .code_files import CodeWalk, find_code
from .import_cycles import cycle_findings
from .import_graph import analyse_imports
from .unused_components import find_components, unused_finding


def examine_architecture(
    root: Path, settings: Settings, roots: Sequence[str], stop: Event, advance: Callable[[int], None]
) -> list[Finding]:
    """Return the findings on the project's architecture. Nothing of it is executed or written.

    Args:
        root: the project.
        settings: all settings.
        roots: the folders that the project's modules are imported from, below the root.
        stop: ends the work early where it is set; what was not done is unknown then.
        advance: called for each file of code.
    """
    return [places_finding(root, settings.audit.places), *_code(root, settings, roots, stop, advance)]


def _code(
    root: Path, settings: Settings, roots: Sequence[str], stop: Event, advance: Callable[[int], None]
) -> Iterator[Finding]:
    packages = settings.audit.packages
    left_out = frozenset(
        str(PurePosixPath(each))
        for each in (settings.logs.directory, settings.cache.directory, settings.backups.directory)
    )
    walk = CodeWalk(root, stop)
    found = find_code(walk, root, packages, roots, left_out)
    if not found and not walk.problems and not stop.is_set():
        yield from _without(Status.SKIPPED, "There is no Python code.")
        return
    known = find_components(settings.configuration.components, packages, roots, found)
    graph = analyse_imports(root, found, [each.module for each in known], stop, advance)
    if stop.is_set():
        yield from _without(Status.UNKNOWN, "The code was not looked at: the audit was interrupted.")
        return
    yield from cycle_findings(graph, walk.problems)
    if graph.lines:
        yield size_finding(graph.lines, settings.audit.module_lines)
    else:
        yield SIZES.finding(Status.UNKNOWN, "modules", "No module could be read.", "See to the findings on code first.")
    yield unused_finding(root, known, graph, CodeWalk(root, stop), left_out)


def _without(status: Status, message: str) -> Iterator[Finding]:
    for check in (CYCLES, SIZES, UNREFERENCED):
        yield check.finding(status, "code", message)


def places_finding(root: Path, expected: Sequence[str]) -> Finding:
    """Return the finding on the places; one that differs in upper and lower case only is shown with what is there.

    A disk that ignores case opens either spelling, so the names are compared with those in the folder.
    """
    if not expected:
        return PLACES.finding(Status.SKIPPED, "project", "No places are expected: maintenance.audit.places is empty.")
    found = {place: _as_spelled(root, place) for place in expected}
    missing = [place for place, spelled in found.items() if spelled is None]
    otherwise = {place: spelled for place, spelled in found.items() if spelled not in {None, _normalized(place)}}
    if not missing and not otherwise:
        return PLACES.finding(
            Status.OK, "project", f"All of {count(len(expected), 'expected place')} are there.", value=0, unit="places"
        )
    parts = [f"missing: {listed(missing, len(missing))}"] if missing else []
    parts += [f'"{printable(spelled)}" is there in the place of "{place}"' for place, spelled in otherwise.items()]
    return PLACES.finding(
        Status.WARNING,
        "project",
        f"Of {count(len(expected), 'expected place')}, {'; '.join(parts)}.",
        "Add or rename them, or correct maintenance.audit.places.",
        value=len(missing) + len(otherwise),
        unit="places",
    )


def _normalized(place: str) -> str:
    return str(PurePosixPath(place))


def _as_spelled(root: Path, place: str) -> str | None:
    """Return a place as the disk has it; ``None`` where there is none in any case."""
    found = PurePosixPath()
    for part in PurePosixPath(place).parts:
        names = _names(root / found)
        alike = [part] if part in names else sorted(name for name in names if name.casefold() == part.casefold())
        if not alike:
            return None
        found /= alike[0]
    return str(found)


def _names(folder: Path) -> set[str]:
    try:
        return {each.name for each in folder.iterdir()}
    except OSError:
        return set()


_LARGEST_SHOWN = 5


def size_finding(lines: Mapping[str, int], limit: int) -> Finding:
    """Return the finding on the modules' sizes, the largest first.

    Args:
        lines: by the path of a file, how many lines of code it has.
        limit: of these lines.
    """
    largest = sorted(lines, key=lambda path: (-lines[path], path))
    over = [path for path in largest if lines[path] > limit]
    most = lines[largest[0]] if largest else 0
    if not over:
        return SIZES.finding(
            Status.OK,
            "modules",
            f"The largest of {count(len(lines), 'module')} has {count(most, 'line')} of code.",
            value=most,
            unit="lines",
            warning=limit,
        )
    shown = ", ".join(f"{printable(path)} ({lines[path]:,})" for path in over[:_LARGEST_SHOWN])
    rest = f" and {len(over) - _LARGEST_SHOWN:,} more" if len(over) > _LARGEST_SHOWN else ""
    return SIZES.finding(
        Status.WARNING,
        printable(over[0]),
        f"{count(len(over), 'module has', 'modules have')} more than {count(limit, 'line')} of code: {shown}{rest}.",
        "Divide them by what changes together.",
        value=most,
        unit="lines",
        warning=limit,
    )

"""Are the files and folders that belong to the project there?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from ...core.report.model import Finding, Status
from ...core.text.formatting import count, listed, printable
from .declared import PLACES


def places(root: Path, expected: Sequence[str]) -> Finding:
    """Return the finding on the places; one that differs in upper and lower case only is told with what is there.

    A disk that does not tell cases apart opens either spelling, so the names are compared with those in the folder.
    """
    if not expected:
        return PLACES.finding(Status.SKIPPED, "project", "No places are expected: maintenance.audit.places is empty.")
    found = {place: _as_spelled(root, place) for place in expected}
    missing = [place for place, spelled in found.items() if spelled is None]
    otherwise = {place: spelled for place, spelled in found.items() if spelled not in {None, _plain(place)}}
    if not missing and not otherwise:
        return PLACES.finding(
            Status.OK, "project", f"All of {count(len(expected), 'expected place')} are there.", value=0, unit="places"
        )
    told = [f"missing: {listed(missing, len(missing))}"] if missing else []
    told += [f'"{printable(spelled)}" is there in the place of "{place}"' for place, spelled in otherwise.items()]
    return PLACES.finding(
        Status.WARNING,
        "project",
        f"Of {count(len(expected), 'expected place')}, {'; '.join(told)}.",
        "Add or rename them, or correct maintenance.audit.places.",
        value=len(missing) + len(otherwise),
        unit="places",
    )


def _plain(place: str) -> str:
    return str(PurePosixPath(place))


def _as_spelled(root: Path, place: str) -> str | None:
    """Return a place as the disk has it; ``None`` where there is none, whatever the case."""
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

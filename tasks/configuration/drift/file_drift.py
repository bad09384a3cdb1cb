"""How the present state of every reviewed file differs from what was accepted: pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from ...core.text.formatting import count
from ..secret_values import Sealer
from .comparison import Change, compare
from .drift_baseline import Accepted
from .flattening import Leaf, flatten


class PresentFile(NamedTuple):
    """A file as it is.

    Attributes:
        name: the name under which it is remembered.
        path: its path below the root.
        value: what it says.
        text: its text, to find lines in; empty where lines must not be shown.
        secret: True where every value in it is.
    """

    name: str
    path: str
    value: Any
    text: str
    secret: bool = False


class DriftedFile(NamedTuple):
    """How one file differs from what was accepted.

    Attributes:
        name: the name under which it is remembered.
        path: its path below the root; the name where it is gone.
        accepted: when it was accepted (ISO 8601); empty where it never was.
        changes: what changed; a file that is new or gone is one change at the empty path.
        text: as in :class:`Present`.
    """

    name: str
    path: str
    accepted: str
    changes: list[Change]
    text: str


def flattened_files(
    files: Iterable[PresentFile], sealer: Sealer, redact: Callable[[str], str]
) -> dict[str, dict[str, Leaf]]:
    """Return the values of each file by their paths, by the file's name."""
    return {each.name: flatten(each.value, sealer, redact, secret=each.secret) for each in files}


def drifted_files(
    accepted: Mapping[str, Accepted],
    files: Iterable[PresentFile],
    values: Mapping[str, Mapping[str, Leaf]],
    unread: Iterable[str],
) -> list[DriftedFile]:
    """Return the files that differ from what was accepted.

    Args:
        accepted: what was, by name.
        files: what is.
        values: the flattened values of *files*.
        unread: names of files that are there and cannot be read: nothing is known of those.
    """
    found = []
    present = {each.name: each for each in files}
    for name, each in present.items():
        if name not in accepted:
            whole = [Change("added", "", new=count(len(values[name]), "value"), values=len(values[name]))]
            found.append(DriftedFile(name, each.path, "", whole, ""))
        elif changes := compare(accepted[name].values, values[name]):
            found.append(DriftedFile(name, each.path, accepted[name].accepted, changes, each.text))
    for name in sorted(accepted.keys() - present.keys() - {*unread}):
        before = accepted[name].values
        whole = [Change("removed", "", old=count(len(before), "value"), values=len(before))]
        found.append(DriftedFile(name, name, accepted[name].accepted, whole, ""))
    return found

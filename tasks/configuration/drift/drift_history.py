"""The history of drift, a JSON object on each line: when a change was seen first, and when one was accepted.

That a change is being accepted is written before the baseline is, and that it was, afterwards: a run that is killed in
between leaves what the next one needs to tell whether it was.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from ...core.files import safe_files, state_files
from ...core.files.state_files import StateFile
from ...core.text.formatting import printable

Entry: TypeAlias = Mapping[str, Any]

_SAME = ("event", "file", "path", "change", "old", "new")
"""Entries that agree in these are the same: drift is not recorded again until something else happened there."""

_LIMIT = 200_000_000


class History(NamedTuple):
    """The lines that are kept.

    Attributes:
        lines: each whole, without its end.
        problem: why they could not be read; the file is left alone then, or kept aside.
        broken: True where it is to be kept aside.
    """

    lines: list[bytes]
    problem: str | None = None
    broken: bool = False


def read_history(root: Path, path: str) -> History:
    """Return the history in the file *path* below *root*; a line that was cut short stays as it is."""
    try:
        return History(state_files.read_bytes(root, path, limit=_LIMIT).splitlines())
    except FileNotFoundError:
        return History([])
    except state_files.Distrusted as error:
        return History([], str(error), broken=True)
    except safe_files.Refused as error:
        return History([], str(error))
    except OSError as error:
        return History([], f"{printable(path)} cannot be read: {error.strerror}.")


def new_entries(history: History, entries: Iterable[Entry]) -> list[Entry]:
    """Return the entries that are not the last of their file and path already."""
    last: dict[tuple[Any, Any], Any] = {}
    for line in history.lines:
        entry = _entry(line)
        last[entry.get("file"), entry.get("path")] = _mark(entry)
    return [entry for entry in entries if last.get((entry.get("file"), entry.get("path"))) != _mark(entry)]


def unfinished_entries(history: History, updated: str) -> list[Entry]:
    """Return what a run had accepted that was killed before it could write so.

    Args:
        history: what is kept.
        updated: when the baseline was written last; an acceptance of another moment did not come that far.
    """
    last = {(entry.get("file"), entry.get("path")): entry for entry in map(_entry, history.lines)}
    return [
        {**entry, "event": "accepted"}
        for entry in last.values()
        if entry.get("event") == "accepting" and entry.get("at") == updated
    ]


def _entry(line: bytes) -> Entry:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return entry if isinstance(entry, dict) else {}


def _mark(entry: Entry) -> str:
    return json.dumps([entry.get(name) for name in _SAME], default=str)


def write_history(root: Path, path: str, history: History, entries: Iterable[Entry], *, most: int) -> str | None:
    """Add entries, and drop the oldest lines beyond *most* bytes.

    Returns:
        The path under which a file that is not believed was kept; ``None`` where there was none.

    Raises:
        Refused, OSError: nothing was written.
    """
    if history.problem is not None and not history.broken:
        raise safe_files.Refused(history.problem)
    lines = [*history.lines, *(json.dumps(entry, ensure_ascii=True).encode() for entry in entries)]
    total, first = 0, len(lines)
    while first and (total := total + len(lines[first - 1]) + 1) <= most:
        first -= 1
    state: StateFile[object] = StateFile(exists=True, broken=history.broken)
    return state_files.write(root, path, b"".join(line + b"\n" for line in lines[first:]), state)

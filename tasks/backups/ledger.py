"""When each archive was restored last and found well: so that in turn all of them are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..core import json_files
from .store import Backup

FILE = "verified.json"


def read_ledger(root: Path, directory: str) -> tuple[dict[str, str], json_files.Found]:
    """Return the moments (ISO 8601) by the names of archives, and what reading the file gave."""
    found = json_files.read_object(root, f"{directory}/{FILE}")
    return {name: moment for name, moment in found.content.items() if isinstance(moment, str)}, found


def turn(found: Sequence[Backup], ledger: Mapping[str, str], runs: int) -> list[Backup]:
    """Return the archives to restore in this run: the newest, and of the others those that wait longest.

    Args:
        found: all archives, the newest first.
        ledger: when each was restored last.
        runs: in how many runs each archive is to have its turn, at least 1.
    """
    newest, others = [*found[:1]], [*found[1:]]
    waiting = sorted(others, key=lambda backup: (ledger.get(backup.name, ""), backup.name))
    return newest + waiting[: math.ceil(len(others) / max(runs, 1))]


def write_ledger(
    root: Path, directory: str, ledger: Mapping[str, str], before: json_files.Found, names: Sequence[str]
) -> None:
    """Keep the moments of the archives that are still there.

    Raises:
        Refused, OSError: it was not written.
    """
    kept = {name: ledger[name] for name in names if name in ledger}
    json_files.write_object(root, f"{directory}/{FILE}", kept, before)

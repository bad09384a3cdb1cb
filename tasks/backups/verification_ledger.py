"""When each archive had its turn, and when it was found well last: so that in turn all of them are restored."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from ..core.files import json_files
from .store import Backup

FILE = "verified.json"


class Turn(NamedTuple):
    """When an archive was tried last, and when it was restored last; ISO 8601, ``None`` for never."""

    tried: str
    restored: str | None


def read_ledger(root: Path, directory: str, now: datetime) -> tuple[dict[str, Turn], json_files.Found]:
    """Return the turns by the names of archives, and what reading the file gave; what lies ahead counts as none."""
    found = json_files.read_object(root, f"{directory}/{FILE}")
    turns = {name: each for name, row in found.content.items() if (each := _turn(row, now))}
    return turns, found


def _turn(row: Any, now: datetime) -> Turn | None:
    match row:
        case {"tried": str(tried), "restored": (str() | None) as restored}:
            try:
                return Turn(tried, restored) if datetime.fromisoformat(tried) <= now else None
            except (ValueError, TypeError):
                return None
    return None


def turn(found: Sequence[Backup], ledger: Mapping[str, Turn], runs: int) -> list[Backup]:
    """Return the archives to restore in this run: the newest, and of the others those that wait longest.

    Args:
        found: all archives, the newest first.
        ledger: when each had its turn.
        runs: in how many runs each archive is to have its turn, at least 1.
    """
    newest = next((backup for backup in found if backup.is_whole), None)
    others = [backup for backup in found if backup is not newest]
    waiting = sorted(others, key=lambda backup: (_since(ledger, backup), backup.name))
    return [*([newest] if newest else []), *waiting[: math.ceil(len(others) / max(runs, 1))]]


def _since(ledger: Mapping[str, Turn], backup: Backup) -> str:
    return ledger[backup.name].tried if backup.name in ledger else ""


def write_ledger(
    root: Path, directory: str, ledger: Mapping[str, Turn], before: json_files.Found, names: Collection[str]
) -> None:
    """Keep the turns of the archives that are still there.

    Raises:
        Refused, OSError: it was not written.
    """
    kept = {name: turn._asdict() for name, turn in ledger.items() if name in names}
    json_files.write_object(root, f"{directory}/{FILE}", kept, before)

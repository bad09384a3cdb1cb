"""Whether a backup is recent, of a size like those before it, and of what is still there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import PurePosixPath
from statistics import median

from ..core.text.formatting import count, printable
from .selection import Selected
from .store import Backup, held_of

FEWEST = 4
"""Backups before one whose size is judged: with fewer, nobody knows what is usual."""

_DEVIATIONS = 5
_NORMAL = 1.4826
"""A normal distribution's standard deviation in its median absolute deviations."""

_SHARE = 0.2
"""Of the median, that a size may always differ: data that hardly changes has hardly any deviation."""


def days_old(backup: Backup, now: datetime) -> float:
    """Return the age of a backup in days."""
    return (now - backup.made).total_seconds() / 86_400


def usual_sizes(before: Sequence[Backup]) -> tuple[float, float] | None:
    """Return the range of sizes that is usual, in bytes; ``None`` with fewer than four backups before.

    It is the median and five standard deviations on each side, estimated by the median absolute deviation so that one
    odd backup does not widen it, and at least a fifth of the median.
    """
    if len(before) < FEWEST:
        return None
    sizes = [backup.size for backup in before]
    middle = median(sizes)
    spread = _DEVIATIONS * _NORMAL * median(abs(size - middle) for size in sizes)
    reach = max(spread, _SHARE * middle)
    return max(0.0, middle - reach), middle + reach


def vanished(found: Sequence[Backup], selected: Selected, sources: Sequence[str]) -> str:
    """Return, in words, the places of which the last backup holds files and none is there now; empty: none has gone.

    Args:
        found: the backups, the newest first.
        selected: what is there to back up.
        sources: what is to be backed up, as the settings have it.
    """
    last = next((each.manifest for each in found if each.is_whole and not each.is_state_before), None)
    if last is None:
        return ""
    there = {PurePosixPath(each.path).parts[0] for each in selected.entries if each.is_file}
    gone = {place: number for place, number in held_of(last, sources).items() if place not in there}
    return ", ".join(f"{printable(place)} ({count(number, 'file')})" for place, number in sorted(gone.items()))

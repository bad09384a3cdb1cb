"""Whether a backup is recent, and of a size like those before it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from statistics import median

from .store import Backup

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

"""What there is now: the disk, its inodes, and how much the project's folders hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from threading import Event
from typing import NamedTuple

from ..core.files import safe_files
from ..core.files.disk_space import disk_space
from ..core.files.disk_usage import usage_by_entry
from ..core.settings.model import Settings
from ..core.text.formatting import printable
from .recorded_sizes import BACKUPS, CACHE, DISK, INODES, LOGS

_MEGABYTE = 1_000_000


class Amount(NamedTuple):
    """How much is used, how much there is in all, and the limit below that; ``None`` where there is none."""

    used: float
    total: float | None
    limit: float | None


class Present(NamedTuple):
    """What was measured now.

    Attributes:
        amounts: by the name of the series.
        folders: bytes of what lies in the root, by name.
        closed: by the name of a series, why what it holds is not known, as a sentence.
    """

    amounts: dict[str, Amount]
    folders: Counter[str]
    closed: dict[str, str]


def measure(settings: Settings, stop: Event) -> Present:
    """Measure the file system of the root, and the project's folders in one walk.

    Raises:
        OSError: the root cannot be read.
    """
    root = Path(settings.root)
    folders = usage_by_entry(root, stop)
    amounts = {DISK: _space(root, settings), INODES: _inodes(root, settings)}
    limits = folder_limits(settings)
    closed: dict[str, str] = {}
    for name, directory in (
        (LOGS, settings.logs.directory),
        (CACHE, settings.cache.directory),
        (BACKUPS, settings.backups.directory),
    ):
        try:
            held = _folder_size(root, directory, folders, stop)
        except safe_files.Refused as error:
            closed[name] = str(error)
        except OSError as error:
            closed[name] = f"{printable(directory)} cannot be read: {error.strerror}."
        else:
            if held is not None:
                amounts[name] = Amount(held, limits.get(name), limits.get(name))
    return Present({name: amount for name, amount in amounts.items() if amount is not None}, folders, closed)


def folder_limits(settings: Settings) -> Mapping[str, float]:
    """Return the limits of folders in bytes: the configured ones, of the logs else that of emergency recovery."""
    limits = {LOGS: settings.logs.emergency_total_mb, **settings.capacity.limits_mb}
    return {name: megabytes * _MEGABYTE for name, megabytes in limits.items()}


def _folder_size(root: Path, directory: str, folders: Counter[str], stop: Event) -> float | None:
    """Return how much a folder holds; ``None`` where it is missing.

    Raises:
        Refused, OSError: it is none of the project's, or cannot be read.
    """
    if directory in folders:
        return folders[directory]
    try:
        with safe_files.folder(root, directory):
            return usage_by_entry(root / directory, stop).total()
    except FileNotFoundError:
        return None


def _space(root: Path, settings: Settings) -> Amount | None:
    """Return the space as far as ordinary users may use it, as ``df`` counts it."""
    space = disk_space(root)
    limit = space.total * settings.health.disk_percent / 100
    return Amount(space.used, space.total, limit) if space.total else None


def _inodes(root: Path, settings: Settings) -> Amount | None:
    """Return the inodes; ``None`` on a file system that has no fixed number of them."""
    space = disk_space(root)
    limit = space.inodes_total * settings.health.disk_percent / 100
    return Amount(space.inodes_used, space.inodes_total, limit) if space.inodes_total else None

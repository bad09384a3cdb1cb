"""What the backups say together: which are outdated, which size is usual, and which sources have vanished. Pure."""

from __future__ import annotations

import fnmatch
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from statistics import median

from ..core.text.formatting import count, printable
from .backup_folder import Backup, newest_whole
from .manifest import Manifest
from .source_selection import Selected


def outdated(
    found: list[Backup],
    now: datetime,
    keep: int,
    days: float,
    sources: Sequence[str],
    unread: Collection[str] = (),
) -> list[Backup]:
    """Return the backups to delete: those beyond the newest *keep* that were made *days* before the newest whole one.

    Where no newer backup comes, because nothing changes or the clock is wrong, none becomes older by that.

    Copies of states before a restoring are counted by themselves. Never deleted are the newest whole backup, and of
    each source the newest whole one that holds anything of it: where a disk was not mounted, all that came later hold
    nothing of it.

    Args:
        found: all of them, the newest first.
        now: the moment of the run.
        keep: how many of each sort stay, however old; at least one does.
        days: for how long the others stay; with 0, none of them does.
        sources: what is backed up, as the settings have it.
        unread: paths of files and folders that cannot be read now.
    """
    precious = _irreplaceable(found, sources) | _last_copies(found, unread)
    newest = newest_whole(found)
    oldest = min(now, newest.made) - timedelta(days=days) if newest is not None else None
    gone = []
    for sort in (False, True):
        of_it = [backup for backup in found if backup.is_state_before is sort]
        gone += [
            backup
            for place, backup in enumerate(of_it)
            if place >= max(keep, 1)
            and (not days or (oldest is not None and backup.made < oldest))
            and backup.name not in precious
        ]
    return gone


def files_by_source(manifest: Manifest, sources: Iterable[str]) -> Counter[str]:
    """Return how many files a backup holds below each place in the root that the sources begin with."""
    places = {PurePosixPath(source).parts[0] for source in sources if PurePosixPath(source).parts}
    tops = Counter(entry.name.partition("/")[0] for entry in manifest.entries if entry.is_file)
    matched = {top for top in tops if any(fnmatch.fnmatchcase(top, place) for place in places)}
    return Counter({top: number for top, number in tops.items() if top in matched})


def _irreplaceable(found: Iterable[Backup], sources: Sequence[str]) -> set[str]:
    names: set[str] = set()
    seen: set[str] = set()
    for backup in found:
        if backup.manifest is not None and backup.is_whole and not backup.is_state_before:
            places = {*files_by_source(backup.manifest, sources)}
            if not names or places - seen:
                names.add(backup.name)
            seen |= places
    return names


def _last_copies(found: Iterable[Backup], unread: Collection[str]) -> set[str]:
    """Return the newest backups that hold files which cannot be read now, or which are below such a folder."""
    names: set[str] = set()
    seen: set[str] = set()
    for backup in found:
        if unread and backup.manifest is not None and backup.is_whole and not backup.is_state_before:
            held = {entry.name for entry in backup.manifest.entries if entry.is_file and _is_below(entry.name, unread)}
            if held - seen:
                names.add(backup.name)
            seen |= held
    return names


def _is_below(path: str, places: Collection[str]) -> bool:
    return path in places or any(str(above) in places for above in PurePosixPath(path).parents)


FEWEST = 4
"""Earlier backups that are needed before a size counts as unusual."""

_DEVIATIONS = 5

_NORMAL = 1.4826
"""A normal distribution's standard deviation in its median absolute deviations."""

_SHARE = 0.2
"""Of the median, that a size may always differ: data that hardly changes has hardly any deviation."""


def days_old(backup: Backup, now: datetime) -> float:
    """Return how many days ago a backup held the project's state."""
    return (now - backup.as_of).total_seconds() / 86_400


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
    """Return, in words, the places with files in the last backup and none now; empty: nothing has vanished.

    Args:
        found: the backups, the newest first.
        selected: what is there to back up.
        sources: what is to be backed up, as the settings have it.
    """
    newest = newest_whole(found)
    if newest is None or newest.manifest is None:
        return ""
    last = newest.manifest
    there = {each.path.partition("/")[0] for each in selected.entries if each.is_file}
    gone = {place: number for place, number in files_by_source(last, sources).items() if place not in there}
    return ", ".join(f"{printable(place)} ({count(number, 'file')})" for place, number in sorted(gone.items()))

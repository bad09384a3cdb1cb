"""Which files of a snapshot are restored, and which part of a repository is read in this run: pure."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from datetime import datetime
from random import Random

from .repository_backend import ListedFile, Listing, Snapshot

_MOST = 300

_CHARACTERS = 60_000
"""Of files that are named in one call of a program: systems bound what an argument list may hold."""

PARTS = 256
"""The most parts in which restic reads its data."""

_CANDIDATES = 5


def files_to_restore(listing: Listing, limit: float, now: datetime) -> tuple[list[ListedFile], bool]:
    """Return the files to restore, and whether that is the whole snapshot.

    Args:
        listing: the files of a snapshot.
        limit: bytes that may be restored.
        now: on another day the sample is another one.
    """
    if not listing.cut and sum(each.size for each in listing.files) <= limit:
        return listing.files, True
    files = sorted(listing.files)
    Random(now.toordinal()).shuffle(files)  # noqa: S311 - which files are looked at is no secret
    chosen, characters, left = [], 0, limit
    for each in files:
        if each.size <= left and characters + len(each.path) <= _CHARACTERS:
            chosen.append(each)
            characters += len(each.path)
            left -= each.size
        if len(chosen) == _MOST:
            break
    return chosen, False


def candidates(snapshots: Sequence[Snapshot]) -> list[Snapshot]:
    """Return the snapshots that may be the newest of this project, where several share a repository.

    It is the newest of each origin where the program names one, and else the newest ones, a few in all.
    """
    seen: set[str] = set()
    found = []
    for each in snapshots:
        if not each.of or each.of not in seen:
            found.append(each)
            seen.add(each.of)
    return found[:_CANDIDATES]


def holds_project(listing: Listing, files: Collection[str]) -> bool | None:
    """Tell whether a snapshot holds a file of the project; ``None`` where not all of it was listed and none was seen.

    Args:
        listing: the snapshot's files, by whatever path the project had where it was saved.
        files: the project's, by their paths below its root.
    """
    for each in listing.files:
        place = 0
        while place >= 0:
            if each.path[place:] in files:
                return True
            place = each.path.find("/", place) + 1 or -1
    return None if listing.cut else False


def next_data_part(before: tuple[int, int] | None, percent: float) -> tuple[int, int]:
    """Return which part of how many of a repository's data is read next; 0 of 0 where none is.

    Args:
        before: the part that was read last and of how many, as it was kept; ``None`` where nothing was.
        percent: how much is read in one run.
    """
    if not percent:
        return 0, 0
    of = min(math.ceil(100 / percent), PARTS)
    if before is not None and before[1] == of:
        return before[0] % of + 1, of
    return 1, of

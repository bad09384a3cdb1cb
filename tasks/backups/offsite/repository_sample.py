"""Which files of a snapshot are restored, and which part of a repository is read in this run: pure."""

from __future__ import annotations

import math
from datetime import datetime
from random import Random

from .repository_backend import ListedFile, Listing

_MOST = 300

_CHARACTERS = 60_000
"""Of files that are named in one call of a program: systems bound what an argument list may hold."""

_PARTS = 256
"""The most parts in which restic reads its data."""


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


def next_data_part(before: object, percent: float) -> tuple[int, int]:
    """Return which part of how many of a repository's data is read next; 0 of 0 where none is.

    Args:
        before: the part that was read last and of how many, as it was kept: ``[2, 10]``.
        percent: how much is read in one run.
    """
    if not percent:
        return 0, 0
    of = min(math.ceil(100 / percent), _PARTS)
    match before:
        case [int(part), int(parts)] if parts == of:
            return part % of + 1, of
    return 1, of

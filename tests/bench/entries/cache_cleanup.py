"""The clean-up of a cache of 200,000 files against the ``find`` calls that people write for it."""

from __future__ import annotations

from pathlib import Path

from ..cache_files import EXPIRY_HOURS, CacheFiles, count, kind_folder
from ..entry import Entry, Quantity, Side
from ..process import Command, Outcome
from ..suite import inv


def entry(scale: float) -> Entry:
    """Return the entry with 200,000 times *scale* files."""
    files = CacheFiles.scaled(200_000, scale, size=100)

    def problem(project: Path, _outcome: Outcome) -> str | None:
        for kind in EXPIRY_HOURS:
            left, expected = count(project, kind), files.of_kind(kind) - files.expired(kind)
            if left != expected:
                return f"left {left:,} files in {kind} where {expected:,} had not expired"
        return None

    return Entry(
        name="cache-cleanup",
        about="the clean-up of 200,000 cache files, half of them expired, against find -delete",
        quantity=Quantity.TIME,
        bar=0.9,
        rounds=3,
        changes_input=True,
        ours=Side(
            "inv weekly.cache-cleanup", files, lambda project: inv("weekly.cache-cleanup", root=project), problem
        ),
        peer=Side("three calls of find -mmin -delete", files, _find, problem),
    )


def _find(project: Path) -> Command:
    calls = " && ".join(
        f'find "${place}" -type f -mmin +{hours * 60} -delete' for place, hours in enumerate(EXPIRY_HOURS.values(), 1)
    )
    return Command(("/bin/sh", "-c", calls, "sh", *(kind_folder(project, kind) for kind in EXPIRY_HOURS)), project)

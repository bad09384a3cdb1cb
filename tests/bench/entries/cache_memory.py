"""Whether the memory of a clean-up grows with the cache."""

from __future__ import annotations

import json
from pathlib import Path

from ..cache_files import EXPIRY_HOURS, CacheFiles
from ..entry import Entry, Quantity, Side
from ..process import Command, Outcome
from ..suite import inv


def entry(scale: float) -> Entry:
    """Return the entry with 1,000,000 and 200,000 times *scale* files."""
    return Entry(
        name="cache-cleanup-memory",
        about="the memory of a clean-up of 1,000,000 files against that of 200,000",
        quantity=Quantity.MEMORY,
        bar=1.1,
        rounds=1,
        changes_input=False,
        ours=_side(CacheFiles.scaled(1_000_000, scale, size=0)),
        peer=_side(CacheFiles.scaled(200_000, scale, size=0)),
    )


def _side(files: CacheFiles) -> Side:
    def problem(_project: Path, outcome: Outcome) -> str | None:
        planned, expired = _planned(outcome), sum(map(files.expired, EXPIRY_HOURS))
        return None if planned == expired else f"would delete {planned:,} files where {expired:,} have expired"

    return Side(f"inv weekly.cache-cleanup --dry-run on {files.number:,} files", files, _dry_run, problem)


def _dry_run(project: Path) -> Command:
    return inv("weekly.cache-cleanup", "--dry-run", root=project, settings={"INVOKE_MAINTENANCE_OUTPUT": "json"})


def _planned(outcome: Outcome) -> int:
    """Return how many deletions the run's JSON document lists."""
    actions = json.loads(outcome.output)["reports"][0]["actions"]
    return sum(action["count"] for action in actions if action["verb"] == "delete")

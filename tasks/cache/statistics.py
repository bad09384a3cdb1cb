"""What the clean-up leaves for others to read: ``stats.json`` in the cache and the weekly report.

``stats.json`` belongs to the project: its keys (``hit_rate``, ``cache_size`` and whatever else it writes)
stay as they are, and the clean-up sets four of its own, listed at :func:`statistics`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..core import json_files
from ..core.files import Refused
from ..core.settings.model import Settings
from .outcome import Note, Outcome
from .sweep import Tally

FILE = "stats.json"

REPORT_SCHEMA = 1

_RUNS_KEPT = 100
"""Runs of one day told apart in its report; the day's totals count the earlier ones as well."""


def record(root: Path, settings: Settings, outcome: Outcome, now: datetime, *, dry_run: bool) -> None:
    """Write both files, or in a dry run only note that they would be written."""
    for check, path, content in (
        ("cache.statistics", f"{settings.cache.directory}/{FILE}", statistics),
        ("cache.report", report_path(settings, now), weekly_report),
    ):
        found = json_files.read_object(root, path)
        note = Note(check, path, found.problem)
        outcome.notes.append(note)
        if not found.replaceable:
            continue
        note.planned = True
        if dry_run:
            continue
        try:
            note.aside = json_files.write_object(root, path, content(found.content, outcome, now), found)
            note.written = True
        except Refused as error:
            note.problem = str(error)
        except OSError as error:
            note.problem = f"{path} cannot be written: {error.strerror}."


def report_path(settings: Settings, now: datetime) -> str:
    """Return the path of the weekly report of the day of *now*, below the root."""
    return f"{settings.logs.directory}/cache_reports/cache_report_{now:%Y%m%d}.json"


def statistics(before: Mapping[str, Any], outcome: Outcome, now: datetime) -> dict[str, Any]:
    """Return the content of ``stats.json``: all that *before* held, with our four keys set.

    They are ``updated`` (ISO 8601), ``entries`` and ``bytes`` of the whole cache, and ``kinds``: per folder
    ``entries``, ``bytes`` and ``oldest``, when its oldest entry was written.
    """
    return {**before, "updated": now.isoformat(), **_state(outcome)}


def weekly_report(before: Mapping[str, Any], outcome: Outcome, now: datetime) -> dict[str, Any]:
    """Return the day's report: the state now, the day's totals, and each run of the day.

    A second run of the day replaces the state and adds to the rest, so that growth can be read from the
    first run's ``entries_before`` and ``bytes_before`` of any day.
    """
    runs = before.get("runs")
    earlier = runs if isinstance(runs, list) else []
    done = {"deleted": outcome.expired, "freed_bytes": outcome.freed_bytes, "moved": outcome.moved}
    run = {
        "started": now.isoformat(),
        "entries_before": outcome.files_before,
        "bytes_before": outcome.bytes_before,
        **done,
    }
    totals = before.get("totals")
    so_far = totals if isinstance(totals, dict) else {}
    return {
        "schema": REPORT_SCHEMA,
        "date": f"{now:%Y-%m-%d}",
        "updated": now.isoformat(),
        **_state(outcome),
        "totals": {key: _number(so_far.get(key)) + number for key, number in done.items()},
        "runs": [*earlier, run][-_RUNS_KEPT:],
    }


def _state(outcome: Outcome) -> dict[str, Any]:
    return {
        "entries": outcome.files_left,
        "bytes": outcome.bytes_left,
        "kinds": {name: _kind(tally) for name, tally in sorted(outcome.tallies.items())},
    }


def _kind(tally: Tally) -> dict[str, Any]:
    oldest = tally.oldest_ns
    return {
        "entries": tally.files_left,
        "bytes": tally.bytes_left,
        "oldest": None if oldest is None else datetime.fromtimestamp(oldest // 10**9, UTC).isoformat(),
    }


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0

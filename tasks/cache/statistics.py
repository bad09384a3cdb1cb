"""What the clean-up leaves for others to read: ``stats.json`` in the cache and the weekly report.

``stats.json`` belongs to the project: its keys (``hit_rate``, ``cache_size`` and whatever else it writes)
stay as they are, and the clean-up sets a single one of its own, ``maintenance``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..core.files import json_files
from ..core.files.safe_files import Refused
from ..core.settings.model import Settings
from ..core.text.formatting import printable
from .cleanup_outcome import CleanupOutcome, Note
from .sweep_tally import Tally

FILE = "stats.json"

REPORT_SCHEMA = 1

_STATE = ("entries", "bytes", "incomplete", "kinds", "other")

_RUNS_KEPT = 100
"""Runs of one day told apart in its report; the day's totals count the earlier ones as well."""


def record(root: Path, settings: Settings, outcome: CleanupOutcome, now: datetime, *, dry_run: bool) -> None:
    """Write both files, or in a dry run only note that they would be written.

    An interrupted run has no numbers for ``stats.json``, but what it did belongs into the day's report.
    """
    files = [("cache.report", report_path(settings, now), weekly_report)]
    if not outcome.interrupted:
        files.insert(0, ("cache.statistics", f"{settings.cache.directory}/{FILE}", statistics))
    for check, path, content in files:
        found = json_files.read_object(root, path)
        if content is weekly_report and found.content and not isinstance(found.content.get("runs"), list):
            found = json_files.Found({}, f"{printable(path)} is no report of a clean-up.", broken=True)
        note = Note(check, path, found.problem, broken=found.broken, planned=found.replaceable)
        outcome.notes.append(note)
        if found.broken:
            note.remedy = "Look at what wrote it."
        elif not found.replaceable:
            note.remedy = "Move it away, or see that it can be read."
        if note.planned and not dry_run:
            _write(root, note, content(found.content, outcome, now), found)


def _write(root: Path, note: Note, content: dict[str, Any], found: json_files.Found) -> None:
    try:
        note.aside = json_files.write_object(root, note.path, content, found)
    except Refused as error:
        note.problem, note.remedy = str(error), "Move it away."
    except OSError as error:
        note.problem = f"{printable(note.path)} cannot be written: {error.strerror}."
        note.remedy = "Make room and see that the folder can be written."
    else:
        note.written = True


def report_path(settings: Settings, now: datetime) -> str:
    """Return the path of the weekly report of the day of *now*, below the root."""
    return f"{settings.logs.directory}/cache_reports/cache_report_{now:%Y%m%d}.json"


def statistics(before: Mapping[str, Any], outcome: CleanupOutcome, now: datetime) -> dict[str, Any]:
    """Return the content of ``stats.json``: all that *before* held, with our key ``maintenance`` set.

    It holds ``updated`` (ISO 8601), ``entries`` and ``bytes`` of the whole cache, ``incomplete``: the folders
    that could not be read to their end and so are missing in the numbers, ``kinds``: per kind ``entries``,
    ``bytes`` and ``oldest`` (when its oldest entry was written), and ``other``: the same for all that lies
    outside the kinds.
    """
    return {**before, "maintenance": {"updated": now.isoformat(), **_state(outcome)}}


def weekly_report(before: Mapping[str, Any], outcome: CleanupOutcome, now: datetime) -> dict[str, Any]:
    """Return the day's report: the state now, the day's totals, and each run of the day.

    A second run of the day replaces the state and adds to the rest, so that growth can be read from the
    first run's ``entries_before`` and ``bytes_before`` of any day. An interrupted run leaves the state as the
    last complete one found it.
    """
    runs = before.get("runs")
    earlier = runs if isinstance(runs, list) else []
    total = outcome.total
    done = {"deleted": total.expired, "deleted_bytes": total.expired_bytes, "moved": outcome.moved}
    run = {
        "started": now.isoformat(),
        "entries_before": None if outcome.interrupted else total.files + total.expired,
        "bytes_before": None if outcome.interrupted else total.bytes + total.expired_bytes,
        **done,
        "interrupted": outcome.interrupted,
    }
    totals = before.get("totals")
    so_far = totals if isinstance(totals, dict) else {}
    state = _state(outcome) if not outcome.interrupted else {key: before.get(key) for key in _STATE}
    return {
        "schema": REPORT_SCHEMA,
        "date": f"{now:%Y-%m-%d}",
        "updated": now.isoformat(),
        **state,
        "totals": {key: _number(so_far.get(key)) + number for key, number in done.items()},
        "runs": [*earlier, run][-_RUNS_KEPT:],
    }


def _state(outcome: CleanupOutcome) -> dict[str, Any]:
    total = outcome.total
    return {
        "entries": total.files,
        "bytes": total.bytes,
        "incomplete": outcome.incomplete,
        "kinds": {printable(name): _counted(tally) for name, tally in sorted(outcome.tallies.items())},
        "other": _counted(outcome.elsewhere),
    }


def _counted(tally: Tally) -> dict[str, Any]:
    return {"entries": tally.files, "bytes": tally.bytes, "oldest": _moment(tally.oldest_ns)}


def _moment(nanoseconds: int | None) -> str | None:
    """Return a moment in ISO 8601; ``None`` where there is none, or where it is out of every calendar's range."""
    if nanoseconds is None:
        return None
    try:
        return datetime.fromtimestamp(nanoseconds // 10**9, UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return None


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0

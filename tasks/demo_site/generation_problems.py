"""The problems planted in the demo project's record of its work, and in the growth of its cache."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from ..core.report.model import Status
from .planted import Planted

_RECORD = "logs/performance.json"
_COMPONENTS = ("caption", "text")

_LAST_DAY, _FAILED = 50, 9

_REPORTS = "logs/cache_reports/cache_report_{:%Y%m%d}.json"
_MEGABYTES = (12, 20, 31, 48)
"""What each of four weekly clean-ups left."""


def plant(site: Path, now: datetime) -> Iterator[Planted]:
    """Plant them in the project at *site* and yield them."""
    records = [*_records(now)]
    (site / _RECORD).write_text(json.dumps(records, indent=1), encoding="utf-8")
    share = (_LAST_DAY - _FAILED) / _LAST_DAY
    yield Planted("generations that fail", "generation.success_rate", _RECORD, share, Status.WARNING)
    yield Planted("a falling success rate", "generation.success_fall", "text", None, Status.WARNING)

    for week, megabytes in enumerate(_MEGABYTES):
        written = now - timedelta(weeks=len(_MEGABYTES) - week)
        path = site / _REPORTS.format(written)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(_cache_report(written, megabytes * 1_000_000)), encoding="utf-8")
    growth = 100 * (_MEGABYTES[-1] / _MEGABYTES[0] - 1)
    yield Planted("a growing cache", "cache.growth", "cache", growth, Status.WARNING)


def _records(now: datetime) -> Iterator[dict[str, object]]:
    """Yield 60 days of generations, the latest last: nearly all well, then captions as before and texts that fail."""
    chance = random.Random("generation")  # noqa: S311 - varied, not secret
    month = 30
    for day in range(2 * month, 1, -1):
        for number in range(20):
            component = _COMPONENTS[number % 2]
            rate = 0.85 if component == "text" and day <= month else 0.98
            yield _record(chance, now - timedelta(days=day, minutes=number), component, success=chance.random() < rate)
    for number in range(_LAST_DAY, 0, -1):
        success = number > _FAILED
        component = _COMPONENTS[number % 2] if success else "text"
        yield _record(chance, now - timedelta(minutes=20 * number), component, success=success)


def _record(chance: random.Random, moment: datetime, component: str, *, success: bool) -> dict[str, object]:
    return {
        "timestamp": moment.isoformat(timespec="milliseconds"),
        "component": component,
        "duration": round(chance.uniform(2, 9), 3),
        "success": success,
        "tokens": chance.randrange(80, 700),
    }


def _cache_report(written: datetime, size: int) -> dict[str, object]:
    nothing = {"deleted": 0, "deleted_bytes": 0, "moved": 0}
    entries = size // 1500
    run = {"started": written.isoformat(), "entries_before": entries, "bytes_before": size, **nothing}
    return {
        "schema": 1,
        "date": f"{written:%Y-%m-%d}",
        "updated": written.isoformat(),
        "entries": entries,
        "bytes": size,
        "incomplete": [],
        "kinds": {"api_responses": {"entries": entries, "bytes": size, "oldest": None}},
        "other": {"entries": 0, "bytes": 0, "oldest": None},
        "totals": nothing,
        "runs": [{**run, "interrupted": False}],
    }

"""What was measured of the demo project's disk and logs in the last weeks: steady growth, and clean-ups."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from ..core.report.model import Status
from ..core.settings.model import HealthSettings
from .planted import Planted

SETTINGS = {"high_percent": 0, "horizon_days": 36_000, "limits_mb": {"logs": 20}}
"""Settings with which a growing disk is reported on every machine, also on one with a large and empty disk."""

_DAYS = 30
_MEGABYTE = 1_000_000
_TOOTH_DAYS = 7


def plant(site: Path, now: datetime) -> Iterator[Planted]:
    """Plant them in the project at *site* and yield them.

    The disk's history ends at what is used of the real disk now, and would reach the limit in as many days again.
    """
    status = os.statvfs(site)
    used = (status.f_blocks - status.f_bfree) * status.f_frsize
    limit = (used + status.f_bavail * status.f_frsize) * HealthSettings().disk_percent / 100
    daily = min(abs(limit - used), 0.9 * used) / _DAYS
    for days in range(_DAYS, 0, -1):
        _health_report(site, now - timedelta(days=days), round(used - days * daily))
    yield Planted(
        "a disk that fills steadily",
        "capacity.forecast",
        "disk",
        None,
        Status.CRITICAL if used >= limit else Status.WARNING,
    )

    totals = [
        {"reviewed": (now - timedelta(days=days)).isoformat(), "bytes": (1 + 2 * (-days % _TOOTH_DAYS)) * _MEGABYTE}
        for days in range(_DAYS, 0, -1)
    ]
    review = {"schema": 1, "reviewed": totals[-1]["reviewed"], "logs": {}, "totals": totals}
    (site / "logs/log_review.json").write_text(json.dumps(review), encoding="utf-8")
    yield Planted("logs that grow and are cleaned up: no alarm", "capacity.forecast", "logs", None, Status.OK)


def _health_report(site: Path, moment: datetime, used: int) -> None:
    """Write what the health check kept of a day: the bytes that were used of the disk."""
    run = {"started": moment.isoformat(), "status": "ok", "figures": {"disk.used_bytes .": used}}
    path = site / f"logs/health_reports/health_report_{moment:%Y%m%d}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"schema": 1, "status": "ok", "runs": [run]}), encoding="utf-8")

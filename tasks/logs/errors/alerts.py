"""``alerts/alert_YYYYMMDD_HHMMSS.json``: one file for everything that a visit has to tell, however much it is."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from ...core.files import safe_files
from .groups import Group

FOLDER = "alerts"


def alert_path(root: Path, directory: str, now: datetime) -> str:
    """Return a path that is free, below the root; two visits in one second get two."""
    base = f"{directory}/{FOLDER}/alert_{now:%Y%m%d_%H%M%S}"
    names = itertools.chain([base], (f"{base}_{number}" for number in itertools.count(2)))
    return next(f"{name}.json" for name in names if not (root / f"{name}.json").exists())


def alert(told: Mapping[str, tuple[Group, int]], window_hours: float, now: datetime) -> dict[str, Any]:
    """Return the content of an alert.

    Args:
        told: per fingerprint the group, and how many records the window holds.
        window_hours: the window.
        now: when the alert is written.
    """
    return {
        "schema": 1,
        "created": now.isoformat(),
        "window_hours": window_hours,
        "severity": "critical"
        if any(group.patterns or group.level == "CRITICAL" for group, _ in told.values())
        else "warning",
        "groups": [
            {
                "group": key,
                "state": group.state.value,
                "level": group.level,
                "title": group.title,
                "patterns": group.patterns,
                "in_window": window,
                "count": group.count,
                "first_seen": group.first_seen,
                "last_seen": group.last_seen,
                "log": group.log,
                "sample": group.sample,
            }
            for key, (group, window) in told.items()
        ],
    }


def is_critical(group: Group) -> bool:
    """Tell whether a group is critical: by its level, or by a pattern of the settings."""
    return bool(group.patterns) or group.level == "CRITICAL"


def write(root: Path, path: str, content: dict[str, Any]) -> None:
    """Write an alert, whole or not at all.

    Raises:
        Refused, OSError: it was not written.
    """
    safe_files.write(root, path, json.dumps(content, indent=2).encode("ascii") + b"\n")

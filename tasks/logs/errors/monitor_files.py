"""The files of the error monitor: ``error_tracking.json`` and ``alerts/alert_YYYYMMDD_HHMMSS.json``.

The tracking file keeps the groups and how far each log was read, from one run to the next. One alert holds
everything that a run has to report, however much it is.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import msgspec

from ...core.files import safe_files, state_files
from ...core.files.state_files import Plain, StateFile
from ..reading.log_stream import Cursor
from .error_groups import ErrorGroup
from .fingerprint import VERSION

TRACKING_FILE = "error_tracking.json"

SCHEMA = 1

_TIMES = ("first_seen", "last_seen", "alerted", "resolved", "muted_until")


class Tracking(NamedTuple):
    """What is kept between two visits.

    Attributes:
        groups: by their fingerprint.
        cursors: by the name of the log.
        visited: when the last visit was.
    """

    groups: dict[str, ErrorGroup]
    cursors: dict[str, Cursor]
    visited: datetime


def tracking_path(directory: str) -> str:
    """Return the path of the file below the root, for a log folder."""
    return f"{directory}/{TRACKING_FILE}"


class _Content(msgspec.Struct, frozen=True, kw_only=True):
    """What the file holds."""

    schema: Literal[1]
    visited: Annotated[datetime, msgspec.Meta(tz=True)]
    logs: dict[Plain, Cursor] = {}
    groups: dict[str, ErrorGroup] = {}

    def __post_init__(self) -> None:
        """Refuse times that are none.

        Raises:
            ValueError: a time has no zone.
        """
        for group in self.groups.values():
            for name in _TIMES:
                if (text := getattr(group, name)) is not None and datetime.fromisoformat(text).tzinfo is None:
                    raise ValueError(f"{name} is {text!r}, without a zone")


def read_tracking(root: Path, directory: str, now: datetime) -> tuple[Tracking, StateFile[_Content]]:
    """Return what is kept, and what reading the file gave: a file that cannot be used holds nothing."""
    state = state_files.read(root, tracking_path(directory), _Content)
    if state.content is None:
        return Tracking({}, {}, now), state
    # Fingerprints of another version would never be met again, and all groups would be new.
    groups = {key: group for key, group in state.content.groups.items() if _is_current(key)}
    return Tracking(groups, state.content.logs, state.content.visited), state


def _is_current(key: str) -> bool:
    return key.startswith(f"{VERSION}:")


def tracking_content(tracking: Tracking) -> dict[str, Any]:
    """Return the file's content."""
    built: dict[str, Any] = msgspec.to_builtins(
        {"schema": SCHEMA, "visited": tracking.visited.isoformat(), "logs": tracking.cursors}
    )
    return {**built, "groups": msgspec.to_builtins(tracking.groups)}


ALERT_FOLDER = "alerts"


def alert_path(root: Path, directory: str, now: datetime) -> str:
    """Return a path that is free, below the root; two visits in one second get two."""
    base = f"{directory}/{ALERT_FOLDER}/alert_{now:%Y%m%d_%H%M%S}"
    names = itertools.chain([base], (f"{base}_{number}" for number in itertools.count(2)))
    return next(f"{name}.json" for name in names if not (root / f"{name}.json").exists())


def alert_content(alerting: Mapping[str, tuple[ErrorGroup, int]], window_hours: float, now: datetime) -> dict[str, Any]:
    """Return the content of an alert.

    Args:
        alerting: per fingerprint the group, and how many records the window holds.
        window_hours: the window.
        now: when the alert is written.
    """
    return {
        "schema": 1,
        "created": now.isoformat(),
        "window_hours": window_hours,
        "severity": "critical"
        if any(group.patterns or group.level == "CRITICAL" for group, _ in alerting.values())
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
            for key, (group, window) in alerting.items()
        ],
    }


def write_alert(root: Path, path: str, content: dict[str, Any]) -> None:
    """Write an alert, whole or not at all.

    Raises:
        Refused, OSError: it was not written.
    """
    safe_files.write(root, path, json.dumps(content, indent=2).encode("ascii") + b"\n")

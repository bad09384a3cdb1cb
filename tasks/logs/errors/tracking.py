"""``error_tracking.json``: the groups of errors and how far each log was read, from one visit to the next."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from ...core.files import json_files
from ...core.text.formatting import printable
from ..reading.streams import Cursor
from .fingerprint import VERSION
from .groups import Group

FILE = "error_tracking.json"

SCHEMA = 1

_LENGTH = re.compile(r"[0-9]{1,9}")
_FARTHEST = (1 << 63) - 1
"""What the system takes for an offset."""

_TIMES = ("first_seen", "last_seen", "alerted", "resolved", "muted_until")


class Tracking(NamedTuple):
    """What is kept between two visits.

    Attributes:
        groups: by their fingerprint.
        cursors: by the name of the log.
        visited: when the last visit was.
    """

    groups: dict[str, Group]
    cursors: dict[str, Cursor]
    visited: datetime


def tracking_path(directory: str) -> str:
    """Return the path of the file below the root, for a log folder."""
    return f"{directory}/{FILE}"


def read(root: Path, directory: str, now: datetime) -> tuple[Tracking, json_files.Found]:
    """Return what is kept, and what reading the file gave: a file that cannot be used holds nothing."""
    path = tracking_path(directory)
    found = json_files.read_object(root, path)
    if not found.content:
        return Tracking({}, {}, now), found
    try:
        return _tracking(found.content), found
    except (msgspec.ValidationError, ValueError, TypeError, KeyError) as error:
        problem = f"{printable(path)} is not what the error monitor writes: {printable(error)}."
        return Tracking({}, {}, now), json_files.Found({}, problem, broken=True)


def _tracking(content: Mapping[str, Any]) -> Tracking:
    if content.get("schema") != SCHEMA:
        raise ValueError(f"its schema is {content.get('schema')!r} where {SCHEMA} was expected")
    cursors = msgspec.convert(content.get("logs", {}), dict[str, Cursor])
    for name, cursor in cursors.items():
        lengths = (*cursor.head, *cursor.before)
        if not 0 <= cursor.offset <= _FARTHEST or not all(map(_LENGTH.fullmatch, lengths)):
            raise ValueError(f"the place in {name} is none")
    groups = msgspec.convert(content.get("groups", {}), dict[str, Group])
    for group in groups.values():
        for name in _TIMES:
            if (text := getattr(group, name)) is not None and datetime.fromisoformat(text).tzinfo is None:
                raise ValueError(f"{name} is {text!r}, without a zone")
    # Fingerprints of another version would never be met again, and all groups would be new.
    visited = datetime.fromisoformat(content["visited"])
    return Tracking({key: group for key, group in groups.items() if _is_current(key)}, cursors, visited)


def _is_current(key: str) -> bool:
    return key.startswith(f"{VERSION}:")


def content(tracking: Tracking) -> dict[str, Any]:
    """Return the file's content."""
    built: dict[str, Any] = msgspec.to_builtins(
        {"schema": SCHEMA, "visited": tracking.visited.isoformat(), "logs": tracking.cursors}
    )
    return {**built, "groups": msgspec.to_builtins(tracking.groups)}

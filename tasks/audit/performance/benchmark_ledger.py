"""Benchmarks of earlier audits: read back, whatever lies there, and added to."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from ...core.files import json_files
from .benchmarks import Machine

FILE = "audit_benchmarks.json"
"""In the log folder."""

SCHEMA = 1
_KEPT = 100


class Entry(NamedTuple):
    """The benchmarks of one audit: when, on which machine, and the seconds of each by name."""

    moment: datetime
    machine: str
    seconds: dict[str, float]


def read(root: Path, directory: str) -> tuple[list[Entry], json_files.Found]:
    """Return the entries that can be used, the oldest first, and what reading the file gave."""
    found = json_files.read_object(root, f"{directory}/{FILE}")
    rows = found.content.get("runs")
    if found.content and (found.content.get("schema") != SCHEMA or not isinstance(rows, list)):
        problem = f"{directory}/{FILE} holds no benchmarks of this version."
        return [], json_files.Found({}, problem, broken=True)
    entries = [entry for row in rows or () if (entry := _entry(row))]
    return sorted(entries, key=lambda entry: entry.moment), found


def write(
    root: Path, directory: str, seconds: Mapping[str, float], machine: Machine, now: datetime, before: json_files.Found
) -> None:
    """Add an entry.

    Raises:
        Refused, OSError: it was not written, and the old file is where it was.
    """
    entry = {"moment": now.isoformat(), **machine._asdict(), "seconds": dict(seconds)}
    rows: Sequence[Any] = before.content.get("runs") or []
    json_files.write_object(root, f"{directory}/{FILE}", {"schema": SCHEMA, "runs": [*rows, entry][-_KEPT:]}, before)


def _entry(row: Any) -> Entry | None:
    try:
        moment = datetime.fromisoformat(row["moment"])
        seconds = {str(name): float(value) for name, value in row["seconds"].items()}
        machine = str(row["identity"])
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    usable = moment.tzinfo is not None and all(0 < value < math.inf for value in seconds.values())
    return Entry(moment, machine, seconds) if usable else None

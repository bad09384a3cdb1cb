"""The checksums that the last audit kept: read back, whatever lies there, and written anew."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from ...core.files import json_files
from .inventory import Record

FILE = "audit_checksums.json"
"""In the log folder."""

SCHEMA = 1


class Kept(NamedTuple):
    """What the last audit kept.

    Attributes:
        records: by path below the root.
        taken: when; ``None`` where there was no audit, or its file cannot be used.
        found: what reading the file gave.
    """

    records: dict[str, Record]
    taken: datetime | None
    found: json_files.Found


def read(root: Path, directory: str) -> Kept:
    """Read the ledger in the log folder."""
    found = json_files.read_object(root, f"{directory}/{FILE}")
    content = found.content
    files, taken = content.get("files"), _moment(content.get("taken"))
    if content and (content.get("schema") != SCHEMA or not isinstance(files, dict) or taken is None):
        problem = f"{directory}/{FILE} is no list of checksums of this version."
        return Kept({}, None, json_files.Found({}, problem, broken=True))
    records = {path: record for path, row in (files or {}).items() if (record := _record(row))}
    return Kept(records, taken, found)


def write(root: Path, directory: str, records: Mapping[str, Record], now: datetime, before: Kept) -> None:
    """Keep the records; a file that could not be used is kept aside.

    Raises:
        Refused, OSError: it was not written, and the old one is where it was.
    """
    content = {"schema": SCHEMA, "taken": now.isoformat(), "files": {path: [*row] for path, row in records.items()}}
    json_files.write_object(root, f"{directory}/{FILE}", content, before.found)


def _moment(text: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None


def _record(row: Any) -> Record | None:
    match row:
        case [str(sha256), int(size), int(mtime_ns)]:
            return Record(sha256, size, mtime_ns)
    return None

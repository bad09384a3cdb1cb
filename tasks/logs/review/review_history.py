"""``log_review.json``: how large each log was at the last review, to measure its growth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from ...core.files import json_files
from ...core.text.formatting import printable
from ..reading.log_stream import ArchivedPart

HISTORY_FILE = "log_review.json"

SCHEMA = 1


class LogSize(msgspec.Struct, frozen=True, kw_only=True):
    """A log at a review: its size in bytes, and its inode."""

    bytes: int
    inode: int


class LastReview(NamedTuple):
    """The last review: when, and the sizes of the logs by name; ``None`` and nothing before the first."""

    reviewed: datetime | None
    sizes: dict[str, LogSize]


def history_path(directory: str) -> str:
    """Return the path of the file below the root, for a log folder."""
    return f"{directory}/{HISTORY_FILE}"


def read_history(root: Path, directory: str) -> tuple[LastReview, json_files.Found]:
    """Return the last review, and what reading the file gave: one that cannot be used holds nothing."""
    path = history_path(directory)
    found = json_files.read_object(root, path)
    if not found.content:
        return LastReview(None, {}), found
    try:
        reviewed = datetime.fromisoformat(found.content["reviewed"])
        sizes = msgspec.convert(found.content["logs"], dict[str, LogSize])
        if found.content["schema"] != SCHEMA or reviewed.tzinfo is None:
            raise ValueError("it is of another form")  # noqa: TRY301 - one sentence for every such file
    except (msgspec.ValidationError, ValueError, TypeError, KeyError) as error:
        problem = f"{printable(path)} is not what the log review writes: {printable(error)}."
        return LastReview(None, {}), json_files.Found({}, problem, broken=True)
    return LastReview(reviewed, sizes), found


def history_content(before: Mapping[str, Any], sizes: Mapping[str, LogSize], now: datetime) -> dict[str, Any]:
    """Return the file's content.

    Args:
        before: what it held; the totals that earlier versions kept in it stay, for the capacity planning reads them.
        sizes: the logs.
        now: the moment of the review.
    """
    totals = {"totals": before["totals"]} if isinstance(before.get("totals"), list) else {}
    return {"schema": SCHEMA, "reviewed": now.isoformat(), "logs": msgspec.to_builtins(sizes), **totals}


def log_growth(
    before: LogSize | None, now: LogSize, packed: Sequence[ArchivedPart], reviewed: datetime | None
) -> int | None:
    """Return how many bytes were written to a log since the last review.

    What was archived meanwhile counts: the headers of the archives say how much was taken out of the file.

    Returns:
        ``None`` where it cannot be known: there was no review, or somebody else cut or replaced the log.
    """
    if before is None or reviewed is None:
        return None
    origins = [each.origin for each in packed if each.origin and _not_before(each.origin.rotated, reviewed)]
    if not origins and before.inode != now.inode:
        return None
    written = now.bytes + sum(origin.released for origin in origins) - before.bytes
    return written if written >= 0 else None


def _not_before(moment: str, reviewed: datetime) -> bool:
    with suppress(ValueError, TypeError):
        return datetime.fromisoformat(moment) >= reviewed
    return False

"""``log_review.json``: how large each log was at the last review, to measure its growth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import msgspec

from ...core.files import state_files
from ...core.files.state_files import Number, Plain, Size, StateFile
from ..reading.log_stream import ArchivedPart

HISTORY_FILE = "log_review.json"


class LogSize(msgspec.Struct, frozen=True, kw_only=True):
    """A log at a review: its size in bytes, and its inode."""

    bytes: Size
    inode: Number


class _Content(msgspec.Struct, frozen=True, kw_only=True):
    """What the file holds."""

    schema: Literal[1] = 1
    reviewed: Annotated[datetime, msgspec.Meta(tz=True)]
    logs: dict[Plain, LogSize]
    totals: Any = None


class LastReview(NamedTuple):
    """The last review: when, and the sizes of the logs by name; ``None`` and nothing before the first.

    Attributes:
        reviewed: when.
        sizes: of the logs, by name.
        totals: what earlier versions kept in the file, which the capacity planning reads; ``None`` where nothing is.
    """

    reviewed: datetime | None
    sizes: dict[str, LogSize]
    totals: list[Any] | None = None


def history_path(directory: str) -> str:
    """Return the path of the file below the root, for a log folder."""
    return f"{directory}/{HISTORY_FILE}"


def read_history(root: Path, directory: str) -> tuple[LastReview, StateFile[_Content]]:
    """Return the last review, and what reading the file gave: one that cannot be used holds nothing."""
    state = state_files.read(root, history_path(directory), _Content)
    if state.content is None:
        return LastReview(None, {}), state
    totals = state.content.totals if isinstance(state.content.totals, list) else None
    return LastReview(state.content.reviewed, state.content.logs, totals), state


def history_content(totals: list[Any] | None, sizes: Mapping[str, LogSize], now: datetime) -> dict[str, Any]:
    """Return the file's content.

    Args:
        totals: those that earlier versions kept in it, if they did.
        sizes: the logs.
        now: the moment of the review.
    """
    kept = {} if totals is None else {"totals": totals}
    return {"schema": 1, "reviewed": now.isoformat(), "logs": msgspec.to_builtins(sizes), **kept}


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

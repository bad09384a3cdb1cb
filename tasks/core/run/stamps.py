"""What each run of a procedure leaves, so that it is known when it last ran and what came of it.

One small file per procedure, in the folder ``schedule`` of the logs. It tells of the last run that came to its end,
and of an attempt since then that did not.
"""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Annotated, NamedTuple

import msgspec

from ..errors import UserError
from ..files import json_files
from ..files.lock import folder_lock
from ..files.safe_files import folder
from ..report.model import Report, Status
from ..text.formatting import printable

FOLDER = "schedule"
"""In the folder of the logs."""

SCHEMA = 1

_Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class Completed(msgspec.Struct, frozen=True):
    """A run that came to its end, whatever it found.

    Attributes:
        began: when, with the offset of the zone it ran in.
        ended: when, likewise.
        status: what it found.
        duration_seconds: how long it took.
    """

    began: _Moment
    ended: _Moment
    status: Status
    duration_seconds: float


class Attempt(msgspec.Struct, frozen=True):
    """A run that did not come to its end: when it began, and why, as a sentence."""

    began: _Moment
    reason: str


class Stamp(NamedTuple):
    """What the runs of a procedure left.

    Attributes:
        completed: the last run that came to its end; ``None`` where none is known.
        attempt: one after it that did not.
        problem: why nothing is known, as a sentence; ``None`` where that is what is known.
    """

    completed: Completed | None = None
    attempt: Attempt | None = None
    problem: str | None = None


class _Content(msgspec.Struct, frozen=True, kw_only=True):
    """What the file holds."""

    task: str
    completed: Completed | None
    attempt: Attempt | None
    schema: int = SCHEMA


def path_of(directory: str, task: str) -> str:
    """Return where a procedure's stamp lies, below the root; *directory* is that of the logs."""
    return f"{directory}/{FOLDER}/{task}.json"


def read(root: Path, directory: str, task: str) -> Stamp:
    """Return what the runs of a procedure left.

    Args:
        root: the project.
        directory: the folder of the logs, below it.
        task: the procedure's name, ``weekly.cache-cleanup``.
    """
    return _read(root, path_of(directory, task))[0]


def _read(root: Path, path: str) -> tuple[Stamp, json_files.Found]:
    found = json_files.read_object(root, path)
    if found.problem or not found.content:
        # What a full disk leaves is a file without a byte.
        is_empty = found.problem is None and os.path.lexists(root / path)
        problem = f"{printable(path)} is empty." if is_empty else found.problem
        return Stamp(problem=problem), found
    try:
        content = msgspec.convert(found.content, _Content)
        if content.schema != SCHEMA:
            raise msgspec.ValidationError(f"its schema is {content.schema}")  # noqa: TRY301 - one way out
    except msgspec.ValidationError as error:
        problem = f"{printable(path)} is no stamp of this suite: {printable(error)}."
        return Stamp(problem=problem), json_files.Found({}, problem, broken=True)
    return Stamp(content.completed, content.attempt), found


def record(root: Path, directory: str, task: str, report: Report, *, ended: datetime, reason: str | None) -> str | None:
    """Write down that a procedure has run.

    Args:
        root: the project.
        directory: the folder of the logs, below it.
        task: the procedure's name.
        report: what the runner made of its report, with its times.
        ended: when it ended, aware of its zone.
        reason: why it did not come to its end; ``None`` where it did.

    Returns:
        Why it could not be written, as a sentence; ``None`` where it was.
    """
    path, began = path_of(directory, task), datetime.fromisoformat(report.started or ended.isoformat())
    try:
        with folder(root, f"{directory}/{FOLDER}", create=True) as descriptor, folder_lock(descriptor):
            before, found = _read(root, path)
            if not found.replaceable:
                return found.problem
            if reason is None:
                completed = Completed(began, ended, report.status, report.duration_seconds)
                content = _Content(task=task, completed=completed, attempt=None)
            else:
                content = _Content(task=task, completed=before.completed, attempt=Attempt(began, reason))
            json_files.write_object(root, path, msgspec.to_builtins(content), found)
    except UserError as error:
        return str(error)
    except OSError as error:
        return f"{printable(path)} cannot be written: {error.strerror}."
    return None

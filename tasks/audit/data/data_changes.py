"""What happened to each data file since the last audit, and whether that can be explained: pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from .data_checksums import ChecksumRecord


class ChangeKind(StrEnum):
    """What became of a file."""

    NEW = "new"
    SAME = "same"
    CHANGED = "changed"
    SILENT = "changed silently"  # other bytes under the same time and size: no program that writes leaves that
    GONE = "gone"


class CommitHistory(NamedTuple):
    """What Git knows.

    Attributes:
        tracked: the paths that it tracks, below the root.
        modified: those of them whose present state (gone included) is in no commit.
        commits: the last commit since the last audit that touched a path, in words.
    """

    tracked: frozenset[str]
    modified: frozenset[str]
    commits: Mapping[str, str]


class DataChange(NamedTuple):
    """One file and what became of it.

    Attributes:
        path: below the root.
        kind: what became of it.
        explained: True where nothing needs to be looked at.
        why: what explains it, or what is missing, as the end of a sentence.
        once: True where it is reported this time only, because nothing could ever explain it.
    """

    path: str
    kind: ChangeKind
    explained: bool
    why: str
    once: bool = False


def data_changes(
    before: Mapping[str, ChecksumRecord], now: Mapping[str, ChecksumRecord], history: CommitHistory | None
) -> list[DataChange]:
    """Return what became of each file that is not the same, by path.

    With a history a change is explained by a commit, and an uncommitted one is not; where Git does not track the
    file, or there is no repository, a change that moved the file's time is assumed to be somebody's work.

    Args:
        before: at the last audit.
        now: at this one.
        history: what Git knows; ``None``: there is none.
    """
    found = []
    for path in sorted(before.keys() | now.keys()):
        kind = _kind(before.get(path), now.get(path))
        if kind is not ChangeKind.SAME:
            found.append(_explained(path, kind, history))
    return found


def records_to_keep(
    before: Mapping[str, ChecksumRecord], now: Mapping[str, ChecksumRecord], found: list[DataChange]
) -> dict[str, ChecksumRecord]:
    """Return the records to keep: the present ones, but for unexplained changes those from before.

    So what is unexplained is reported again until it is explained or undone.
    """
    reported_again = [change.path for change in found if not change.explained and not change.once]
    return {**now, **{path: before[path] for path in reported_again}}


def _kind(before: ChecksumRecord | None, now: ChecksumRecord | None) -> ChangeKind:
    if before is None:
        return ChangeKind.NEW
    if now is None:
        return ChangeKind.GONE
    if before.sha256 == now.sha256:
        return ChangeKind.SAME
    same = (before.size, before.mtime_ns) == (now.size, now.mtime_ns)
    return ChangeKind.SILENT if same else ChangeKind.CHANGED


def _explained(path: str, kind: ChangeKind, history: CommitHistory | None) -> DataChange:
    if kind is ChangeKind.NEW:
        return DataChange(path, kind, explained=True, why="it is new")
    commit = history.commits.get(path) if history else None
    if commit and history and path not in history.modified:
        return DataChange(path, kind, explained=True, why=commit)
    if kind is ChangeKind.SILENT:
        return DataChange(path, kind, explained=False, why="its bytes are others, its size and time are the same")
    if history and (path in history.tracked or path in history.modified):
        return DataChange(path, kind, explained=False, why="no commit has it")
    if kind is ChangeKind.GONE:
        return DataChange(path, kind, explained=False, why="nothing tells why", once=True)
    return DataChange(path, kind, explained=True, why="it was written since")

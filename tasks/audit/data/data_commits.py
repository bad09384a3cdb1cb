"""What Git knows of data files: which it tracks, which differ from their last commit, who committed them last."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from ...core.programs import git
from ...core.text.formatting import printable
from .data_changes import CommitHistory

_RECORD, _FIELD = "\x1e", "\x1f"


def read_commits(root: Path, paths: Sequence[str], since: datetime) -> tuple[CommitHistory | None, str]:
    """Return what Git knows of the folders of the paths.

    Args:
        root: the project, which may be below the repository's top.
        paths: those of interest, below the root.
        since: commits before it explain nothing.

    Returns:
        The history or ``None``, and why there is none, as the end of a sentence.
    """
    tops = sorted({path.partition("/")[0] for path in paths})
    if not tops:
        return None, "there are no data files"
    folders = [f":(literal){top}" for top in tops]
    try:
        tracked = git.ask(root, "ls-files", "-z", "--", *folders)
        modified = git.ask(root, "diff-index", "--name-only", "--relative", "-z", "HEAD", "--", *folders)
        log = git.ask(
            root,
            "log",
            "-z",
            f"--since={since.isoformat()}",
            "--relative",
            "--name-only",
            "--no-renames",
            f"--format={_RECORD}%h{_FIELD}%an{_FIELD}%cs",
            "--",
            *folders,
        )
    except git.GitError as reason:
        return None, str(reason)
    return CommitHistory(frozenset(_split(tracked)), frozenset(_split(modified)), _commits(log)), ""


def _split(text: str) -> list[str]:
    return [name for name in text.split("\0") if name]


def _commits(log: str) -> dict[str, str]:
    """Return the newest commit of each path, in words; the log has the newest first."""
    found: dict[str, str] = {}
    for record in log.split(_RECORD)[1:]:
        head, _, names = record.partition("\0")
        commit, author, day = head.strip("\n").split(_FIELD)
        for name in _split(names):
            found.setdefault(name.lstrip("\n"), f"commit {commit} of {day} by {printable(author)}")
    return found

"""The files that Git tracks."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from ...core.programs import git
from ...core.report.model import Status
from ...core.text.formatting import printable

_FILES = frozenset({"100644", "100755"})
"""The modes of files in the index (gitformat-index(5)): links and submodules have others."""


class Tracked(NamedTuple):
    """What Git told.

    Attributes:
        paths: of the files below the root, links and submodules left out.
        problem: why there is no answer, as a sentence; ``None`` where there is one.
        status: what that means for a check that needs the answer.
    """

    paths: tuple[str, ...] = ()
    problem: str | None = None
    status: Status = Status.OK


def tracked_files(root: Path) -> Tracked:
    """Return the files below *root* that are in the index of the repository to which it belongs."""
    try:
        answer = git.ask(root, "ls-files", "--stage", "-z")
    except git.GitError as error:
        if git.is_none(error) and not any(os.path.lexists(folder / ".git") for folder in (root, *root.parents)):
            return Tracked(problem="The project is not in a Git repository.", status=Status.SKIPPED)
        return Tracked(problem=f"Git cannot tell which files it tracks: {printable(error)}.", status=Status.UNKNOWN)
    # Each record is the mode, the object, the stage, a tab and the path; a path in conflict has several.
    records = (record.partition("\t") for record in answer.split("\0") if record)
    paths = (path for head, _, path in records if head.split(" ", 1)[0] in _FILES)
    return Tracked(tuple(dict.fromkeys(paths)))

"""The files that Git tracks, and whether ``.env`` is kept out of Git: not tracked, and ignored by ``git add .``."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from ...core.programs import git
from ...core.report.model import Finding, Status
from ...core.text.formatting import count, printable
from ..audit_checks import IGNORED
from .key_files import KeyFile, is_environment

_FILES = frozenset({"100644", "100755"})
"""The modes of files in the index (gitformat-index(5)): links and submodules have others."""


class TrackedFiles(NamedTuple):
    """The tracked files, or why they are not known.

    Attributes:
        paths: of the files below the root, links and submodules left out.
        problem: why there is no answer, as a sentence; ``None`` where there is one.
        status: what that means for a check that needs the answer.
    """

    paths: tuple[str, ...] = ()
    problem: str | None = None
    status: Status = Status.OK


def tracked_files(root: Path) -> TrackedFiles:
    """Return the files below *root* that are in the index of the repository to which it belongs."""
    try:
        answer = git.ask(root, "ls-files", "--stage", "-z")
    except git.GitError as error:
        if git.is_none(error) and not any(os.path.lexists(folder / ".git") for folder in (root, *root.parents)):
            return TrackedFiles(problem="The project is not in a Git repository.", status=Status.SKIPPED)
        return TrackedFiles(
            problem=f"Git cannot tell which files it tracks: {printable(error)}.", status=Status.UNKNOWN
        )
    # Each record is the mode, the object, the stage, a tab and the path; a path in conflict has several.
    records = (record.partition("\t") for record in answer.split("\0") if record)
    paths = (path for head, _, path in records if head.split(" ", 1)[0] in _FILES)
    return TrackedFiles(tuple(dict.fromkeys(paths)))


def ignore_findings(root: Path, tracked: TrackedFiles, keys: Sequence[KeyFile]) -> list[Finding]:
    """Return what there is to say about ``.env``, ``.env.local`` and the like, wherever in the project they are.

    Args:
        root: the project. Its ``.env`` is to be ignored before there is one.
        tracked: its files, as Git has them.
        keys: the files that hold keys.
    """
    if tracked.problem:
        return [IGNORED.finding(tracked.status, ".env", tracked.problem)]
    in_git = [path for path in tracked.paths if is_environment(path)]
    there = [each.path for each in keys if is_environment(each.path) and not each.foreign]
    asked = [path for path in dict.fromkeys([".env", *there]) if path not in in_git]
    try:
        open_ones = [path for path in asked if not _is_ignored(root, path)]
    except git.GitError as error:
        message = f"Git cannot tell what it ignores: {printable(error)}."
        return [*map(_tracked_finding, in_git), IGNORED.finding(Status.UNKNOWN, ".env", message)]
    findings = [*map(_tracked_finding, in_git), *(_not_ignored(path, is_there=path in there) for path in open_ones)]
    return findings or [_well(len(there))]


def _is_ignored(root: Path, path: str) -> bool:
    """Tell whether Git ignores a path: it names it then, and ends with 1 where it does not (git-check-ignore(1))."""
    return bool(git.ask(root, "check-ignore", "--", path, answer=1))


def _tracked_finding(path: str) -> Finding:
    shown, line = _shown(path)
    remedy = (
        f"Revoke the keys in it, for whoever has a copy of the repository has them; then git rm --cached -- {shown} "
        f"&& printf '\\n%s\\n' {line} >> .gitignore, and take it out of the history with git filter-repo."
    )
    return IGNORED.finding(Status.CRITICAL, printable(path), "Git tracks it, and with it every key in it.", remedy)


def _not_ignored(path: str, *, is_there: bool) -> Finding:
    message = "Git does not ignore it, so git add . makes it part of the repository."
    if not is_there:
        message = "There is none yet, and Git would not ignore it: git add . would make it part of the repository."
    # A file without a newline at its end must not have the line joined to its last one.
    remedy = f"printf '\\n%s\\n' {_shown(path)[1]} >> .gitignore"
    return IGNORED.finding(Status.WARNING, printable(path), message, remedy)


def _well(there: int) -> Finding:
    message = f"Git ignores {count(there, 'such file')}, and tracks none." if there else "Git would ignore it."
    return IGNORED.finding(Status.OK, ".env", message)


def _shown(path: str) -> tuple[str, str]:
    """Return a path, and the line that ignores its name, each quoted for a shell."""
    return shlex.quote(printable(path)), shlex.quote(printable(PurePosixPath(path).name))

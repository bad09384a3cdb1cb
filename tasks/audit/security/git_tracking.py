"""The files that Git tracks, and whether ``.env`` is kept out of Git.

It is to be ignored where there is one, or where the project names one; where it is tracked, its content decides.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from ...conventions.convention import Convention, Evidence
from ...core.files import safe_files
from ...core.programs import git
from ...core.report.model import Finding, Status
from ...core.text.formatting import count, printable
from ..audit_checks import IGNORED
from .key_contents import variables_in
from .key_files import KeyFile, is_environment

_FILES = frozenset({"100644", "100755"})
"""The modes of files in the index (gitformat-index(5)): links and submodules have others."""

_LARGEST = 1_000_000
"""Bytes of an environment file; python-dotenv is given no more of one either."""


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


def ignore_findings(
    root: Path, tracked: TrackedFiles, keys: Sequence[KeyFile], named: Convention[tuple[Evidence, ...]], cut: str
) -> list[Finding]:
    """Return what there is to say about ``.env``, ``.env.local`` and the like, wherever in the project they are.

    Args:
        root: the project.
        tracked: its files, as Git has them.
        keys: the files that hold keys.
        named: what says that the project keeps a ``.env``: then it is to be ignored before there is one.
        cut: why not every file was looked at for that; empty where every one was.
    """
    if tracked.problem:
        return [IGNORED.finding(tracked.status, ".env", tracked.problem)]
    in_git = [path for path in tracked.paths if is_environment(path)]
    there = [each.path for each in keys if is_environment(each.path) and not each.foreign and each.path not in in_git]
    findings = [_tracked_finding(root, path) for path in in_git]
    wanted = [".env"] if named.value and ".env" not in in_git else []
    asked = [*dict.fromkeys([*wanted, *there])]
    if not asked:
        return findings or [_not_named(named, cut)]
    try:
        open_ones = [path for path in asked if not _is_ignored(root, path)]
    except git.GitError as error:
        message = f"Git cannot tell what it ignores: {printable(error)}."
        return [*findings, IGNORED.finding(Status.UNKNOWN, ".env", message)]
    findings += [_not_ignored(path, named, is_there=path in there) for path in open_ones]
    return findings if open_ones else [*findings, _well(len(there))]


def _not_named(named: Convention[tuple[Evidence, ...]], cut: str) -> Finding:
    message = f"There is no .env, and nothing in the project names one. Looked for {printable(named.sought)}."
    if cut:
        return IGNORED.finding(Status.UNKNOWN, ".env", f"{message} Not every file was looked at: {printable(cut)}.")
    return IGNORED.finding(Status.SKIPPED, ".env", message)


def _is_ignored(root: Path, path: str) -> bool:
    """Tell whether Git ignores a path: it names it then, and ends with 1 where it does not (git-check-ignore(1))."""
    return bool(git.ask(root, "check-ignore", "--", path, answer=1))


def _tracked_finding(root: Path, path: str) -> Finding:
    """Return the finding on an environment file in Git, which is judged by what is in it."""
    subject = printable(path)
    try:
        found = variables_in(_content(root, path))
    except (safe_files.Refused, OSError, git.GitError) as error:
        why = getattr(error, "strerror", None) or error
        message = f"Git tracks it, and what is in it cannot be read: {printable(why)}."
        return IGNORED.finding(Status.UNKNOWN, subject, message, "Make it readable, or take it out of Git.")
    if found.secrets:
        shown, line = _shown(path)
        remedy = (
            f"Revoke the keys in it, for whoever has a copy of the repository has them; then git rm --cached -- {shown}"
            f" && printf '\\n%s\\n' {line} >> .gitignore, and take it out of the history with git filter-repo."
        )
        what = "holds a secret or key" if found.secrets == 1 else "hold a secret or key"
        message = f"Git tracks it, and {found.secrets:,} of its {count(found.number, 'variable')} {what}."
        return IGNORED.finding(Status.CRITICAL, subject, message, remedy, value=found.secrets, unit="secrets")
    if found.unread:
        message = f"Git tracks it. {count(found.unread, 'line')} of it cannot be read, so what it holds is not known."
        return IGNORED.finding(
            Status.UNKNOWN, subject, message, "Write each variable as NAME=value, with quotes closed."
        )
    message = f"Git tracks it. None of its {count(found.number, 'variable')} looks like a secret or key."
    return IGNORED.finding(Status.OK, subject, message, value=0, unit="secrets")


def _content(root: Path, path: str) -> bytes:
    """Return what a tracked file holds; of one that was deleted, what Git still has of it."""
    try:
        return safe_files.read(root, path, limit=_LARGEST)
    except FileNotFoundError:
        return git.ask(root, "show", f":./{path}").encode("utf-8", "surrogateescape")


def _not_ignored(path: str, named: Convention[tuple[Evidence, ...]], *, is_there: bool) -> Finding:
    message = "Git does not ignore it, so git add . makes it part of the repository."
    if not is_there:
        places = "; ".join(map(str, named.evidence))
        message = (
            f"There is none yet, and Git would not ignore it: git add . would make it part of the repository. "
            f"The project names it in {places}."
        )
    # A file without a newline at its end must not have the line joined to its last one.
    remedy = f"printf '\\n%s\\n' {_shown(path)[1]} >> .gitignore"
    return IGNORED.finding(Status.WARNING, printable(path), message, remedy)


def _well(there: int) -> Finding:
    message = f"Git ignores {count(there, 'such file')}, and tracks none." if there else "Git would ignore it."
    return IGNORED.finding(Status.OK, ".env", message)


def _shown(path: str) -> tuple[str, str]:
    """Return a path, and the line that ignores its name, each quoted for a shell."""
    return shlex.quote(printable(path)), shlex.quote(printable(PurePosixPath(path).name))

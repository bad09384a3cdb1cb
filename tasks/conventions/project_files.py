"""The files of a project: Git's own list where there is one, else a walk that is bounded in number and time."""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from ..core.programs import git

MOST_FILES = 50_000
"""More files are not listed."""

_WALK_SECONDS = 5.0
"""After which a walk ends with what it has."""

LARGEST = 500_000
"""Bytes of a file that is read for what it says: sources and settings are smaller."""

_MOST_READ = 100_000_000
"""Bytes that are read of all files together."""

_LEFT_OUT = frozenset({"__pycache__", "node_modules", "site-packages"})

_SETTINGS = (".cfg", ".conf", ".ini", ".json", ".toml", ".yaml", ".yml")

_INVOKE = frozenset({"invoke.json", "invoke.yaml", "invoke.yml"})
"""Where the suite's own settings stand: what they name, commented out as well, is no habit of the project."""

_FOREIGN = frozenset(
    {"docs", "doc", "examples", "example", "fixtures", "node_modules", "samples", "test", "testing", "tests", "vendor"}
)
"""Folders that show other people's habits, or those of documents and tests."""


class Match(NamedTuple):
    """A place in a file where a pattern was found.

    Attributes:
        path: the file's, below the root.
        line: the number of the line, from 1.
        text: the line.
        found: what matched.
    """

    path: str
    line: int
    text: str
    found: re.Match[bytes]


class ProjectFiles:
    """What the project consists of. Nothing of it is run or imported, and no link is followed.

    Args:
        root: the project, absolute.
        is_own: tells by its path below the root whether the suite wrote a file.
        clock: seconds that only grow.

    Attributes:
        source: where the list is from: ``git ls-files`` or ``the folder``.
        cut: why the list is not whole, as a clause; empty where it is.
    """

    def __init__(
        self,
        root: Path,
        *,
        is_own: Callable[[str], bool] = lambda _path: False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.root = root
        self.is_own = is_own
        self._clock = clock
        self.source = "the folder"
        self.cut = ""
        self._read = 0
        self._contents: dict[str, bytes | None] = {}

    @cached_property
    def tracked(self) -> frozenset[str] | None:
        """The files that Git tracks; ``None`` where there is no repository, or where its list is empty."""
        try:
            listed = git.ask(self.root, "ls-files", "-z", "--cached")
        except git.GitError:
            return None
        return frozenset(filter(None, listed.split("\0"))) or None

    @cached_property
    def paths(self) -> tuple[str, ...]:
        """The paths of all files that are the project's, in order: tracked ones, and new ones that are not ignored."""
        if self.tracked is None:
            found = [*self._walk()]
        else:
            self.source = "git ls-files"
            try:
                new = git.ask(self.root, "ls-files", "-z", "--others", "--exclude-standard")
            except git.GitError as error:
                self.cut, new = f"new files could not be listed: {error}", ""
            found = [*self.tracked.union(filter(None, new.split("\0")))]
        if len(found) > MOST_FILES:
            self.cut = f"there are {len(found):,} files, of which {MOST_FILES:,} were looked at"
        return tuple(sorted(path for path in found[:MOST_FILES] if not self.is_own(path)))

    def _walk(self) -> Iterator[str]:
        until = self._clock() + _WALK_SECONDS
        number = 0
        for folder, folders, names in os.walk(self.root):
            relative = Path(folder).relative_to(self.root)
            folders[:] = sorted(name for name in folders if not self._is_foreign(Path(folder, name)))
            for name in names:
                yield str(PurePosixPath(relative, name))
                number += 1
            if number > MOST_FILES or self._clock() > until:
                self.cut = f"the first {number:,} files were looked at"
                return

    @staticmethod
    def _is_foreign(folder: Path) -> bool:
        """Tell whether a folder is an environment, a repository of its own, or holds what was made or installed."""
        hidden = folder.name.startswith(".") and folder.name != ".github"
        return hidden or folder.name in _LEFT_OUT or any((folder / mark).exists() for mark in ("pyvenv.cfg", ".git"))

    def named(self, *names: str) -> list[str]:
        """Return the paths of the files with one of these names, those nearest to the root first."""
        wanted = frozenset(names)
        return sorted(
            (path for path in self.paths if path.rpartition("/")[2] in wanted), key=lambda path: (path.count("/"), path)
        )

    @cached_property
    def settings(self) -> tuple[str, ...]:
        """The files in a format of settings that are neither tests nor examples, nor the suite's settings."""
        return tuple(
            path
            for path in self.paths
            if path.endswith(_SETTINGS) and path.rpartition("/")[2] not in _INVOKE and not is_foreign(path)
        )

    @cached_property
    def sources(self) -> tuple[str, ...]:
        """The files of Python code that are neither tests nor examples."""
        return tuple(path for path in self.paths if path.endswith(".py") and not is_foreign(path))

    def content(self, path: str) -> bytes | None:
        """Return what a file holds; ``None`` where it cannot be read, or is too large to be what is looked for."""
        if path not in self._contents:
            content = _read(f"{self.root}/{path}") if self._read < _MOST_READ else None
            self._read += len(content or b"")
            self._contents[path] = content
        return self._contents[path]

    def text(self, path: str) -> str | None:
        """Return the text of a file; ``None`` where it cannot be read or is no UTF-8."""
        content = self.content(path)
        try:
            return None if content is None else content.decode("utf-8-sig")
        except UnicodeDecodeError:
            return None

    def matches(
        self, pattern: re.Pattern[bytes], paths: Iterable[str], hints: Sequence[bytes] = (b"",)
    ) -> Iterator[Match]:
        """Yield where a pattern is found.

        Args:
            pattern: it is looked for in whole files.
            paths: the files.
            hints: files with none of these are not looked at, which takes a hundredth of the time.
        """
        for path in paths:
            content = self.content(path)
            if content is None or not any(hint in content for hint in hints):
                continue
            for found in pattern.finditer(content):
                begin = content.rfind(b"\n", 0, found.start()) + 1
                end = content.find(b"\n", found.start())
                line = content[begin : end if end >= 0 else len(content)].decode("utf-8", "replace").strip()
                yield Match(path, content.count(b"\n", 0, found.start()) + 1, line, found)


def _read(path: str) -> bytes | None:
    """Return what a regular file of bounded size holds; ``None`` of anything else. Thousands are read in a run."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        return None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST:
            return None
        return os.read(descriptor, LARGEST)
    except OSError:
        return None
    finally:
        os.close(descriptor)


def is_foreign(path: str) -> bool:
    """Tell whether a file lies among tests, documents or examples, which show the habits of others."""
    parts = path.split("/")
    return any(part in _FOREIGN for part in parts[:-1]) or parts[-1].startswith("test_") or parts[-1] == "conftest.py"

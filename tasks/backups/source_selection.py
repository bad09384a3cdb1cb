"""What goes into a backup: one walk of the configured sources."""

from __future__ import annotations

import fnmatch
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from threading import Event
from typing import NamedTuple

from ..core.files import safe_files
from ..core.files.lock import LOCK_FILE
from ..core.files.safe_files import TEMPORARY, Identity
from .manifest import INSIDE

_NEVER = frozenset({".git", TEMPORARY, LOCK_FILE, INSIDE})
"""Names that are in no backup: a repository is its own, the others are the suite's for the time of a run."""

_WILD = frozenset("*?[")


class Entry(NamedTuple):
    """One file or folder.

    Attributes:
        path: below the root.
        mode: its permissions, with the bits for set-user-id and the like.
        mtime_ns: when it was changed last, in nanoseconds since 1970.
        size: bytes of a file; 0 for a folder.
        identity: by which a file is known again; ``None`` for a folder.
        ctime_ns: when a file or what is known of it was changed last, in nanoseconds since 1970; 0 for a folder.
    """

    path: str
    mode: int
    mtime_ns: int
    size: int
    identity: Identity | None
    ctime_ns: int = 0

    @property
    def is_file(self) -> bool:
        """True for a file."""
        return self.identity is not None


class Selected(NamedTuple):
    """What a walk found.

    Attributes:
        entries: files and folders by path, every folder before what it holds.
        left: what is there and is in no backup by its kind, links for one: path and reason.
        unread: what is there and cannot be read: path and reason.
        missing: sources that name nothing.
    """

    entries: list[Entry]
    left: list[tuple[str, str]]
    unread: list[tuple[str, str]]
    missing: list[str]


def select(root: Path, sources: Sequence[str], exclude: Sequence[str], own: str, stop: Event) -> Selected:
    """Walk the sources once and return what a backup is to hold.

    Links are not followed, pipes and the like not opened, other file systems not entered: all of these are left.

    Args:
        root: the project.
        sources: paths below it, of files and folders; shell patterns in any part.
        exclude: shell patterns of names and of paths that are left out without a word, unless a source is just that
            path.
        own: the folder of the backups, which is never part of one.
        stop: ends the walk where it is set.
    """
    walk = _Walk(root, exclude, own, stop)
    missing = [source for source in sources if not walk.add(source)]
    entries = [walk.found[path] for path in sorted(walk.found, key=_order)]
    return Selected(entries, sorted(walk.left.items()), sorted(walk.unread.items()), missing)


def _listed(folder: int) -> list[str]:
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries)


def _order(path: str) -> tuple[str, ...]:
    return PurePosixPath(path).parts


class _Walk:
    def __init__(self, root: Path, exclude: Sequence[str], own: str, stop: Event) -> None:
        self.found: dict[str, Entry] = {}
        self.left: dict[str, str] = {}
        self.unread: dict[str, str] = {}
        self._is_hidden = False
        self._root, self._exclude, self._own, self._stop = root, exclude, str(PurePosixPath(own)), stop

    def add(self, source: str) -> bool:
        """Add what a source names; return False where it names nothing, as far as can be seen."""
        self._is_hidden = False
        matched = [*self._match(PurePosixPath(source).parts, PurePosixPath())]
        for path in matched:
            named = str(path) == str(PurePosixPath(source))
            if self._is_within(path) and self._add(str(path), named=named) and str(path) != ".":
                for above in [*path.parents][:-1]:
                    self._add_folder(str(above))
        return bool(matched) or self._is_hidden

    def _is_within(self, path: PurePosixPath) -> bool:
        """Tell whether no link leads to a path; where one does, it is left."""
        try:
            with safe_files.folder(self._root, str(path.parent)):
                return True
        except safe_files.Refused as error:
            self.left[str(path)] = str(error).rstrip(".")
        except OSError as error:
            self.unread[str(path)] = f"its folder cannot be read: {error.strerror}"
        return False

    def _match(self, pattern: tuple[str, ...], at: PurePosixPath) -> Iterator[PurePosixPath]:
        if not pattern:
            yield at
            return
        first, *rest = pattern
        if not _WILD & set(first):
            if self._is_there(at / first):
                yield from self._match(tuple(rest), at / first)
            return
        for name in self._names(str(at)):
            if fnmatch.fnmatchcase(name, first) and (first.startswith(".") or not name.startswith(".")):
                yield from self._match(tuple(rest), at / name)

    def _is_there(self, path: PurePosixPath) -> bool:
        """Tell whether there is anything at a path; where that cannot be known, it is named as unread."""
        try:
            os.lstat(self._root / path)
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            self.unread[str(path)] = f"it cannot be looked at: {error.strerror}"
            self._is_hidden = True
            return False
        return True

    def _names(self, folder: str) -> list[str]:
        try:
            with safe_files.folder(self._root, folder) as descriptor:
                return _listed(descriptor)
        except (FileNotFoundError, safe_files.Refused):
            return []
        except OSError as error:
            self.unread[folder] = f"it cannot be read: {error.strerror}"
            self._is_hidden = True
            return []

    def _add(self, path: str, *, named: bool = False) -> bool:
        """Add a path and what lies below it; return whether it is in the backup."""
        if self._stop.is_set() or self._is_out(path, named=named):
            return False
        try:
            status = os.lstat(self._root / path)
        except OSError as error:
            self.unread[path] = f"it cannot be looked at: {error.strerror}"
            return False
        if stat.S_ISDIR(status.st_mode):
            return self._add_tree(path)
        if not stat.S_ISREG(status.st_mode):
            kind = "a symbolic link" if stat.S_ISLNK(status.st_mode) else "no regular file"
            self.left[path] = f"it is {kind}"
            return False
        self.found[path] = file_entry(path, status)
        return True

    def _add_tree(self, path: str) -> bool:
        try:
            with safe_files.folder(self._root, path) as descriptor:
                names = _listed(descriptor)
        except safe_files.Refused as error:
            self.left[path] = str(error).rstrip(".")
            return False
        except OSError as error:
            self.unread[path] = f"it cannot be read: {error.strerror}"
            return False
        self._add_folder(path)
        for name in names:
            self._add(name if path == "." else f"{path}/{name}")
        return True

    def _add_folder(self, path: str) -> None:
        if path != ".":
            status = os.lstat(self._root / path)
            self.found[path] = Entry(path, stat.S_IMODE(status.st_mode), status.st_mtime_ns, 0, None)

    def _is_out(self, path: str, *, named: bool) -> bool:
        name = PurePosixPath(path).name
        if name in _NEVER or path == self._own:
            return True
        return not named and any(
            fnmatch.fnmatchcase(name, pattern) or fnmatch.fnmatchcase(path, pattern) for pattern in self._exclude
        )


def file_entry(path: str, status: os.stat_result) -> Entry:
    """Return the entry of a file."""
    mode = stat.S_IMODE(status.st_mode)
    return Entry(path, mode, status.st_mtime_ns, status.st_size, Identity.of(status), status.st_ctime_ns)

"""What goes into a backup: one walk of the configured sources."""

from __future__ import annotations

import fnmatch
import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath
from threading import Event
from typing import NamedTuple

from ..core.files import safe_files
from ..core.files.lock import LOCK_FILE, SHORT_LOCK_FILE
from ..core.files.safe_files import TEMPORARY, Identity
from .manifest import INSIDE
from .unfinished_restore import MARK

_NEVER = frozenset({".git", TEMPORARY, LOCK_FILE, SHORT_LOCK_FILE, INSIDE, MARK})
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


def _order(path: str) -> list[str]:
    return path.split("/")


LONGEST, DEEPEST = 3_000, 256
"""Bytes of a path, and folders in it, of what can be in a backup: a longer one could not be restored into a folder."""


class _Walk:
    def __init__(self, root: Path, exclude: Sequence[str], own: str, stop: Event) -> None:
        self.found: dict[str, Entry] = {}
        self.left: dict[str, str] = {}
        self.unread: dict[str, str] = {}
        self._is_hidden = False
        self._root, self._own, self._stop = root, str(PurePosixPath(own)), stop
        self._excluded = re.compile("|".join(map(fnmatch.translate, exclude)) or r"(?!)")

    def add(self, source: str) -> bool:
        """Add what a source names; return False where it names nothing, as far as can be seen."""
        self._is_hidden = False
        matched = [*self._match(PurePosixPath(source).parts, PurePosixPath())]
        for path in matched:
            named = str(path) == str(PurePosixPath(source))
            if self._is_within(path) and self._add(str(path), named=named) and str(path) != ".":
                for above in [*path.parents][:-1]:
                    self._add_above(str(above))
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
                return sorted(os.listdir(descriptor))  # noqa: PTH208 - the open folder, whatever has its name by now
        except (FileNotFoundError, safe_files.Refused):
            return []
        except OSError as error:
            self.unread[folder] = f"it cannot be read: {error.strerror}"
            self._is_hidden = True
            return []

    def _add(self, source: str, *, named: bool) -> bool:
        """Add a path and what lies below it; return whether it is in the backup."""
        if self._stop.is_set() or self._is_out(source, named=named):
            return False
        try:
            status = os.lstat(self._root / source)
        except OSError as error:
            self.unread[source] = f"it cannot be looked at: {error.strerror}"
            return False
        pending = [(source, status)]
        while pending and not self._stop.is_set():  # no recursion: a tree can be deeper than Python's stack
            pending += self._add_one(*pending.pop())
        return source in self.found or source == "."

    def _add_one(self, path: str, status: os.stat_result) -> list[tuple[str, os.stat_result]]:
        """Add a file, or a folder of which the content is returned."""
        if stat.S_ISREG(status.st_mode):
            self.found[path] = file_entry(path, status)
        elif not stat.S_ISDIR(status.st_mode):
            kind = "a symbolic link" if stat.S_ISLNK(status.st_mode) else "no regular file"
            self.left[path] = f"it is {kind}"
        elif path.count("/") >= DEEPEST or len(os.fsencode(path)) > LONGEST:
            self.unread[path] = f"it lies too deep ({DEEPEST} folders and {LONGEST:,} bytes of a path are the most)"
        else:
            return self._add_folder(path, status)
        return []

    def _add_folder(self, path: str, status: os.stat_result) -> list[tuple[str, os.stat_result]]:
        try:
            with safe_files.folder(self._root, path) as descriptor, os.scandir(descriptor) as entries:
                below = [*self._looked_at(path, entries)]
        except safe_files.Refused as error:
            self.left[path] = str(error).rstrip(".")
            return []
        except OSError as error:
            self.unread[path] = f"it cannot be read: {error.strerror}"
            return []
        if path != ".":
            self.found[path] = _folder_entry(path, status)
        return below

    def _looked_at(self, folder: str, entries: Iterable[os.DirEntry[str]]) -> Iterator[tuple[str, os.stat_result]]:
        for entry in entries:
            path = entry.name if folder == "." else f"{folder}/{entry.name}"
            if not self._is_out(path, named=False):
                try:
                    yield path, entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue  # it has gone again
                except OSError as error:
                    self.unread[path] = f"it cannot be looked at: {error.strerror}"

    def _add_above(self, path: str) -> None:
        if path not in self.found:
            with suppress(OSError):  # what lies in it is then said to have gone
                self.found[path] = _folder_entry(path, os.lstat(self._root / path))

    def _is_out(self, path: str, *, named: bool) -> bool:
        name = path.rpartition("/")[2]
        if name in _NEVER or path == self._own:
            return True
        return not named and bool(self._excluded.match(name) or self._excluded.match(path))


def _folder_entry(path: str, status: os.stat_result) -> Entry:
    return Entry(path, stat.S_IMODE(status.st_mode), status.st_mtime_ns, 0, None)


def file_entry(path: str, status: os.stat_result) -> Entry:
    """Return the entry of a file."""
    mode = stat.S_IMODE(status.st_mode)
    return Entry(path, mode, status.st_mtime_ns, status.st_size, Identity.of(status), status.st_ctime_ns)

"""The files of the project's own code: one walk that follows no link and leaves out other people's code."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from threading import Event
from typing import NamedTuple

MOST_FILES = 20_000
"""More files are not looked at."""

_LEFT_OUT = frozenset({"__pycache__", "node_modules", "site-packages", "test", "tests", "venv"})
"""Folders that hold code of others, or none that the project runs."""

_LEFT_OUT_AT_TOP = frozenset({"build", "dist", "doc", "docs", "restored"})
"""The last is where ``backup.restore`` puts what it restores."""

_MARKS = (".made-by-inv-demo", "pyvenv.cfg")
"""A folder with such a file is the demo's, or an environment of Python's."""

_SUITES = ("namespace.py", "core/run/procedure.py")
"""The folder of this suite has both; it is maintained elsewhere."""


class CodeFile(NamedTuple):
    """A file of Python code.

    Attributes:
        path: its path below the root.
        module: the name by which it is imported, as its parts; empty where no import can name it.
        package: True for an ``__init__.py``.
    """

    path: str
    module: tuple[str, ...]
    package: bool


class CodeWalk:
    """A walk below a root.

    Args:
        root: the project.
        stop: ends it early where it is set.

    Attributes:
        problems: what could not be looked at, and why, as ``path: reason``.
    """

    def __init__(self, root: Path, stop: Event) -> None:
        self._root = root
        self._stop = stop
        self.problems: list[str] = []

    def files(self, top: str, wanted: Callable[[str], bool], left_out: frozenset[str]) -> Iterator[str]:
        """Yield the paths of the files below a folder whose name is wanted, in order.

        Args:
            top: the folder; empty: the root.
            wanted: returns from a name whether the file is wanted.
            left_out: the paths of further folders that are left out.
        """
        pending = [top]
        while pending and not self._stop.is_set():
            folder = pending.pop()
            files, folders = self._listing(folder)
            yield from (path for path in files if wanted(PurePosixPath(path).name))
            pending += [path for path in reversed(folders) if path not in left_out and not is_foreign(self._root, path)]

    def _listing(self, folder: str) -> tuple[list[str], list[str]]:
        files, folders = [], []
        prefix = f"{folder}/" if folder else ""
        try:
            with os.scandir(self._root / folder) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(prefix + entry.name)
                    elif entry.is_file(follow_symlinks=False):
                        files.append(prefix + entry.name)
        except OSError as error:
            self.problems.append(f"{folder or '.'}: {error.strerror}")
        return sorted(files), sorted(folders)


def is_foreign(root: Path, path: str) -> bool:
    """Tell whether a folder holds nothing that the project runs, or code that is not its own."""
    place = PurePosixPath(path)
    if place.name.startswith(".") or place.name in _LEFT_OUT:
        return True
    if len(place.parts) == 1 and place.name in _LEFT_OUT_AT_TOP:
        return True
    folder = root / path
    return any(os.path.lexists(folder / mark) for mark in _MARKS) or is_suite(folder)


def is_suite(folder: Path) -> bool:
    """Tell whether a folder is that of this suite."""
    return all(os.path.isfile(folder / name) for name in _SUITES)  # noqa: PTH113 - a folder may not let us look into it


def find_code(walk: CodeWalk, root: Path, packages: Sequence[str], left_out: frozenset[str]) -> list[CodeFile]:
    """Return the files of Python code: those in the root, and those below its folders of code.

    A folder ``src`` without code of its own is where Python looks for modules, not a package (the "src layout" of
    the Python Packaging User Guide).

    Args:
        walk: that of the project.
        root: the project.
        packages: the folders; empty: all but those that are left out.
        left_out: the paths of folders without code: logs, cache, backups.
    """
    found: list[CodeFile] = []
    suites = is_suite(root / "tasks")
    for path in _paths(walk, root, packages, left_out):
        if len(found) == MOST_FILES:
            walk.problems.append(f"there are more than {MOST_FILES:,} files; the rest was not looked at")
            break
        if not (suites and path == "tasks.py"):
            found.append(_source(path, base_of(root, path, packages)))
    return found


def _paths(walk: CodeWalk, root: Path, packages: Sequence[str], left_out: frozenset[str]) -> Iterator[str]:
    if not packages:
        yield from walk.files("", _is_python, left_out)
        return
    yield from sorted(each.name for each in root.glob("*.py") if each.is_file() and not each.is_symlink())
    for package in dict.fromkeys(str(PurePosixPath(each)) for each in packages):
        yield from walk.files(package, _is_python, left_out)


def _is_python(name: str) -> bool:
    return name.endswith(".py") and not name.startswith(".")


def base_of(root: Path, path: str, packages: Sequence[str]) -> PurePosixPath:
    """Return the folder from which the module of a file, or of a folder, is imported."""
    for package in packages:
        if PurePosixPath(path).is_relative_to(package):
            return PurePosixPath(package).parent
    is_layout = path.startswith("src/") and not any((root / "src").glob("*.py"))
    return PurePosixPath("src" if is_layout else "")


def _source(path: str, base: PurePosixPath) -> CodeFile:
    parts = PurePosixPath(path).relative_to(base).with_suffix("").parts
    package = len(parts) > 1 and parts[-1] == "__init__"
    module = parts[:-1] if package else parts
    return CodeFile(path, module if all(part.isidentifier() for part in module) else (), package)

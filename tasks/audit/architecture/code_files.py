"""The files of the project's own code: one walk that follows no link and leaves out other people's code."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from threading import Event
from typing import NamedTuple

from ...conventions.project_files import is_foreign as is_example

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

_PROGRAMS = frozenset({"__main__", "conftest", "fabfile", "manage", "noxfile", "setup", "versioneer"})
"""Modules that tools open by their path: each distribution of a repository has its own, and none imports another's."""


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


def find_code(
    walk: CodeWalk, root: Path, packages: Sequence[str], roots: Sequence[str], left_out: frozenset[str]
) -> list[CodeFile]:
    """Return the files of Python code: those in the root, and those below its folders of code.

    Two files of one name have the name of the first: what is imported by it is known of that one only.

    Args:
        walk: that of the project.
        root: the project.
        packages: the folders; empty: all but those that are left out.
        roots: the folders that modules are imported from, where *packages* is empty.
        left_out: the paths of folders without code: logs, cache, backups.
    """
    paths: list[str] = []
    suites = is_suite(root / "tasks")
    for path in _paths(walk, root, packages, left_out):
        if len(paths) == MOST_FILES:
            walk.problems.append(f"there are more than {MOST_FILES:,} files; the rest was not looked at")
            break
        if not (suites and path == "tasks.py"):
            paths.append(path)
    marked = frozenset(path.rpartition("/")[0] for path in paths if path.endswith("/__init__.py"))
    layout = Layout(tuple(packages), tuple(roots), marked)
    return _without_doubles(walk, {path: layout.base_of(path) for path in paths})


def _without_doubles(walk: CodeWalk, bases: Mapping[str, PurePosixPath]) -> list[CodeFile]:
    """Return the files, those without a module whose name one of another import root has; they are a problem.

    An example is named by its path instead: whoever looks at the project does not ask for its circles first.

    Args:
        walk: takes the problems.
        bases: by path of a file, the folder from which its module is imported.
    """
    found = [_source(path, base) for path, base in bases.items()]
    first: dict[tuple[str, ...], str] = {}
    doubles: dict[PurePosixPath, str] = {}
    for source in sorted(found, key=lambda each: is_example(each.path)):
        other = first.setdefault(source.module, source.path)
        # Distributions that share a namespace may have an __init__.py each.
        if source.module and not source.package and bases[source.path] != bases[other]:
            doubles.setdefault(bases[source.path] / source.module[0], f"{source.path} has the name of {other}")
    walk.problems.extend(f"{top}: {reason}" for top, reason in doubles.items() if not is_example(f"{top}/"))
    return [
        _renamed(source) if source.module and bases[source.path] / source.module[0] in doubles else source
        for source in found
    ]


def _renamed(source: CodeFile) -> CodeFile:
    return _source(source.path, PurePosixPath()) if is_example(source.path) else source._replace(module=())


def _paths(walk: CodeWalk, root: Path, packages: Sequence[str], left_out: frozenset[str]) -> Iterator[str]:
    if not packages:
        yield from walk.files("", _is_python, left_out)
        return
    yield from sorted(each.name for each in root.glob("*.py") if each.is_file() and not each.is_symlink())
    for package in dict.fromkeys(str(PurePosixPath(each)) for each in packages):
        yield from walk.files(package, _is_python, left_out)


def _is_python(name: str) -> bool:
    return name.endswith(".py") and not name.startswith(".")


class Layout(NamedTuple):
    """From where the project's modules are imported.

    Attributes:
        packages: ``audit.packages``.
        roots: the import roots, which count where no packages are named.
        marked: the folders with an ``__init__.py``.
    """

    packages: tuple[str, ...]
    roots: tuple[str, ...]
    marked: frozenset[str]

    def base_of(self, path: str) -> PurePosixPath:
        """Return the folder from which the module of a file, or of a folder, is imported."""
        place = PurePosixPath(path)
        for package in self.packages:
            if place.is_relative_to(package):
                return PurePosixPath(package).parent
        if self.packages:
            return PurePosixPath()
        nearest = max((each for each in self.roots if path.startswith(f"{each}/")), key=len, default=".")
        if is_example(path) and nearest == "." and str(place.parent) in self.marked:
            return self._above_package(place.parent)
        return PurePosixPath(nearest)

    def _above_package(self, folder: PurePosixPath) -> PurePosixPath:
        """Return the folder above the package that holds a folder: examples are projects of their own."""
        while str(folder) in self.marked:
            folder = folder.parent
        return folder


def package_names(found: Iterable[CodeFile]) -> frozenset[str]:
    """Return the names of all packages that lie in no other package, from wherever they are imported."""
    folders = {PurePosixPath(source.path).parent for source in found if source.package}
    return frozenset(folder.name for folder in folders if folder.parent not in folders)


def _source(path: str, base: PurePosixPath) -> CodeFile:
    parts = PurePosixPath(path).relative_to(base).with_suffix("").parts
    package = len(parts) > 1 and parts[-1] == "__init__"
    module = parts[:-1] if package else parts
    if base.parts and len(module) == 1 and module[0] in _PROGRAMS and not package:
        module = ()
    return CodeFile(path, module if all(part.isidentifier() for part in module) else (), package)

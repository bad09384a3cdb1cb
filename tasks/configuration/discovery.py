"""Which files a setting names, as they are really called: on a case-insensitive disk any spelling opens a file."""

from __future__ import annotations

import fnmatch
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

_WILD = frozenset("*?[")
_LEFT_OUT = frozenset({"__pycache__", "node_modules"})


class Found(NamedTuple):
    """What a setting names.

    Attributes:
        asked: the path as the setting writes it; for a pattern, the path found with the pattern's own spelling.
        path: the path as the disk has it; ``None`` where there is nothing of that name.
        others: further names in the same folder that differ from it by case only.
    """

    asked: str
    path: str | None
    others: tuple[str, ...] = ()


class Listing:
    """The names in folders below a root, each folder read once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._names: dict[str, list[str]] = {}

    def names(self, folder: str) -> list[str]:
        """Return the sorted names in a folder; none where it cannot be read."""
        if folder not in self._names:
            try:
                self._names[folder] = sorted(each.name for each in (self.root / folder).iterdir())
            except OSError:
                self._names[folder] = []
        return self._names[folder]

    def folders(self, folder: str) -> Iterator[str]:
        """Yield the names of the folders in a folder that are neither hidden nor made by tools."""
        for name in self.names(folder):
            if not name.startswith((".", "_")) and name not in _LEFT_OUT and (self.root / folder / name).is_dir():
                yield name

    def find(self, asked: str) -> Found:
        """Return the file of a name, or else the one whose name differs by case only."""
        path = PurePosixPath()
        others: tuple[str, ...] = ()
        for part in PurePosixPath(asked).parts:
            names = self.names(str(path))
            alike = [name for name in names if _folded(name) == _folded(part)]
            exact = part if part in alike else alike[0] if alike else None
            if exact is None:
                return Found(asked, None)
            others = tuple(str(path / name) for name in alike if name != exact)
            path /= exact
        return Found(asked, str(path), others)

    def match(self, patterns: Iterable[str]) -> list[Found]:
        """Return the files that shell patterns name, whatever the case of their names, each once."""
        found = [each for pattern in patterns for each in self._match(PurePosixPath(pattern).parts, "", "")]
        return [*{each.path: each for each in sorted(found)}.values()]

    def _match(self, pattern: tuple[str, ...], path: str, asked: str) -> Iterator[Found]:
        if not pattern:
            if (self.root / path).is_file() or (self.root / path).is_symlink():
                yield Found(asked, path)
            return
        first, *rest = pattern
        hidden = first.startswith(".")
        for name in self.names(path):
            if name in _LEFT_OUT or (name.startswith(".") and not hidden):
                continue
            if fnmatch.fnmatchcase(_folded(name), _folded(first)):
                spelled = name if fnmatch.fnmatchcase(name, first) else _as_asked(name, first)
                yield from self._match(tuple(rest), _joined(path, name), _joined(asked, spelled))


def _joined(path: str, name: str) -> str:
    return f"{path}/{name}" if path else name


def _as_asked(name: str, pattern: str) -> str:
    return name.lower() if _WILD & set(pattern) else pattern


def _folded(name: str) -> str:
    """Return a name as file systems of macOS and Windows compare it."""
    return unicodedata.normalize("NFC", name).casefold()


def components_of(patterns: Iterable[str], listing: Listing) -> Iterator[tuple[str, str]]:
    """Yield the folder of the components and each name in it: the folders at a pattern's first wildcard."""
    parents: dict[str, None] = {}
    for pattern in patterns:
        parts = PurePosixPath(pattern).parts
        wild = next((place for place, part in enumerate(parts) if _WILD & set(part)), None)
        if wild is not None and wild < len(parts) - 1:
            found = listing.find(str(PurePosixPath(*parts[:wild]))) if wild else Found("", "")
            if found.path is not None:
                parents[found.path] = None
    for parent in parents:
        for name in listing.folders(parent):
            yield parent, name

"""The files of the review: found as the disk has their names, and each read once.

On a case-insensitive disk any spelling opens a file, so names are compared with those in the folder.
"""

from __future__ import annotations

import fnmatch
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath
from threading import Event
from typing import Any, NamedTuple

from ..core.settings.model import ConfigurationSettings
from .reading.document_reader import read_document
from .reading.parsed_document import Problem
from .reading.source_text import read_source

_WILD = frozenset("*?[")

_LEFT_OUT = frozenset({"__pycache__", "node_modules"})


class FoundFile(NamedTuple):
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

    def find(self, asked: str) -> FoundFile:
        """Return the file of a name, or else the one whose name differs by case only."""
        path = PurePosixPath()
        others: tuple[str, ...] = ()
        for part in PurePosixPath(asked).parts:
            names = self.names(str(path))
            alike = [name for name in names if _case_folded(name) == _case_folded(part)]
            exact = part if part in alike else alike[0] if alike else None
            if exact is None:
                return FoundFile(asked, None)
            others = tuple(str(path / name) for name in alike if name != exact)
            path /= exact
        return FoundFile(asked, str(path), others)

    def match(self, patterns: Iterable[str]) -> list[FoundFile]:
        """Return the files that shell patterns name, in any case of their names, each once."""
        found = [each for pattern in patterns for each in self._match(PurePosixPath(pattern).parts, "", "")]
        return [*{each.path: each for each in sorted(found)}.values()]

    def _match(self, pattern: tuple[str, ...], path: str, asked: str) -> Iterator[FoundFile]:
        if not pattern:
            if (self.root / path).is_file() or (self.root / path).is_symlink():
                yield FoundFile(asked, path)
            return
        first, *rest = pattern
        hidden = first.startswith(".")
        for name in self.names(path):
            if name in _LEFT_OUT or (name.startswith(".") and not hidden):
                continue
            if fnmatch.fnmatchcase(_case_folded(name), _case_folded(first)):
                spelled = name if fnmatch.fnmatchcase(name, first) else _as_asked(name, first)
                yield from self._match(tuple(rest), _joined(path, name), _joined(asked, spelled))


def _joined(path: str, name: str) -> str:
    return f"{path}/{name}" if path else name


def _as_asked(name: str, pattern: str) -> str:
    return name.lower() if _WILD & set(pattern) else pattern


def _case_folded(name: str) -> str:
    """Return a name as file systems of macOS and Windows compare it."""
    return unicodedata.normalize("NFC", name).casefold()


def components_of(patterns: Iterable[str], listing: Listing) -> Iterator[tuple[str, str]]:
    """Yield the folder of the components and each name in it: the folders at a pattern's first wildcard."""
    parents: dict[str, None] = {}
    for pattern in patterns:
        parts = PurePosixPath(pattern).parts
        wild = next((place for place, part in enumerate(parts) if _WILD & set(part)), None)
        if wild is not None and wild < len(parts) - 1:
            found = listing.find(str(PurePosixPath(*parts[:wild]))) if wild else FoundFile("", "")
            if found.path is not None:
                parents[found.path] = None
    for parent in parents:
        for name in listing.folders(parent):
            yield parent, name


class ReviewedFile(NamedTuple):
    """One file.

    Attributes:
        found: its name as it was asked for, and as the disk has it.
        value: what it says.
        problems: what is wrong with it.
        readable: True where *value* is what it says.
        text: its text; empty where it could not be had.
        broken: True where its content is at fault, not the way to it.
    """

    found: FoundFile
    value: Any = None
    problems: tuple[Problem, ...] = ()
    readable: bool = False
    text: str = ""
    broken: bool = False

    @property
    def path(self) -> str:
        """The path below the root, as the disk has it; as it was asked for where there is none."""
        return self.found.path or self.found.asked


class ConfigFiles(NamedTuple):
    """What was read.

    Attributes:
        files: those that ``configuration.files`` names.
        components: those that ``configuration.components`` matches.
        listing: the folders' names.
    """

    files: tuple[ReviewedFile, ...]
    components: tuple[ReviewedFile, ...]
    listing: Listing

    @property
    def present(self) -> tuple[ReviewedFile, ...]:
        """All that are there."""
        return tuple(each for each in (*self.files, *self.components) if each.found.path is not None)


def read_config_files(
    root: Path, settings: ConfigurationSettings, stop: Event, advance: Callable[[int], None]
) -> ConfigFiles:
    """Read all files that the settings name.

    Args:
        root: the project.
        settings: what is reviewed.
        stop: ends it between two files where it is set.
        advance: called after each file.
    """
    listing = Listing(root)
    files: list[FoundFile] = []
    for name in settings.files:
        # A pattern may match what an entry before it names.
        files += [
            each for each in _named(listing, name) if each.path is None or each.path not in {f.path for f in files}
        ]
    configured = {each.path for each in files}
    components = [each for each in listing.match(settings.components) if each.path not in configured]
    limit = int(settings.largest_mb * 1_000_000)

    def read(found: FoundFile) -> ReviewedFile:
        advance(1)
        return ReviewedFile(found) if stop.is_set() else read_config_file(root, found, limit)

    return ConfigFiles(tuple(map(read, files)), tuple(map(read, components)), listing)


def _named(listing: Listing, name: str) -> list[FoundFile]:
    """Return the files that a name, or a shell pattern, stands for; a pattern that matches none is one not found."""
    if not _WILD & {*name}:
        return [listing.find(name)]
    return listing.match([name]) or [FoundFile(name, None)]


def read_config_file(root: Path, found: FoundFile, limit: int) -> ReviewedFile:
    """Read one file; one that has gone meanwhile counts as missing."""
    if found.path is None:
        return ReviewedFile(found)
    try:
        source = read_source(root, found.path, limit=limit)
    except FileNotFoundError:
        return ReviewedFile(FoundFile(found.asked, None))
    if source.text is None:
        return ReviewedFile(found, problems=source.problems, broken=source.broken)
    document = read_document(found.path, source.text)
    problems = (*source.problems, *document.problems)
    broken = document.supported and not document.readable
    return ReviewedFile(found, document.value, problems, document.readable, source.text, broken=broken)

"""Every file of the review, read once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple

from ..core.settings.model import ConfigurationSettings
from .discovery import Found, Listing
from .reading.document import Problem
from .reading.formats import read_document
from .reading.source import read_source


class Reviewed(NamedTuple):
    """One file.

    Attributes:
        found: its name as it was asked for, and as the disk has it.
        value: what it says.
        problems: what is wrong with it.
        readable: True where *value* is what it says.
        text: its text; empty where it could not be had.
        broken: True where its content is at fault, not the way to it.
    """

    found: Found
    value: Any = None
    problems: tuple[Problem, ...] = ()
    readable: bool = False
    text: str = ""
    broken: bool = False

    @property
    def path(self) -> str:
        """The path below the root, as the disk has it; as it was asked for where there is none."""
        return self.found.path or self.found.asked


class Inventory(NamedTuple):
    """What was read.

    Attributes:
        files: those that ``configuration.files`` names.
        components: those that ``configuration.components`` matches.
        listing: the folders' names.
    """

    files: tuple[Reviewed, ...]
    components: tuple[Reviewed, ...]
    listing: Listing

    @property
    def present(self) -> tuple[Reviewed, ...]:
        """All that are there."""
        return tuple(each for each in (*self.files, *self.components) if each.found.path is not None)


def take(root: Path, settings: ConfigurationSettings, stop: Event, advance: Callable[[int], None]) -> Inventory:
    """Read all files that the settings name.

    Args:
        root: the project.
        settings: what is reviewed.
        stop: ends it between two files where it is set.
        advance: told after each file.
    """
    listing = Listing(root)
    files = [listing.find(name) for name in settings.files]
    configured = {each.path for each in files}
    components = [each for each in listing.match(settings.components) if each.path not in configured]
    limit = int(settings.largest_mb * 1_000_000)

    def read(found: Found) -> Reviewed:
        advance(1)
        return Reviewed(found) if stop.is_set() else read_one(root, found, limit)

    return Inventory(tuple(map(read, files)), tuple(map(read, components)), listing)


def read_one(root: Path, found: Found, limit: int) -> Reviewed:
    """Read one file; one that has gone meanwhile counts as missing."""
    if found.path is None:
        return Reviewed(found)
    try:
        source = read_source(root, found.path, limit=limit)
    except FileNotFoundError:
        return Reviewed(Found(found.asked, None))
    if source.text is None:
        return Reviewed(found, problems=source.problems, broken=source.broken)
    document = read_document(found.path, source.text)
    problems = (*source.problems, *document.problems)
    broken = document.supported and not document.readable
    return Reviewed(found, document.value, problems, document.readable, source.text, broken=broken)

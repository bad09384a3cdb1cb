"""Changing pinned versions in a requirements file, and nothing else in it."""

from __future__ import annotations

from collections.abc import Mapping

from packaging.version import InvalidVersion, Version

from .parsing import Entry, Kind, parse


def edited(text: str, versions: Mapping[str, tuple[str, str]]) -> str:
    """Return a requirements file with new versions where it pins the old ones.

    A line with hashes is left, for they are those of the old version, and so is a line that pins another version
    than the old one: another marker's, for instance.

    Args:
        text: the file.
        versions: by normalized name, the old and the new version.
    """
    pieces, end = [], 0
    for entry in parse(text):
        if entry.pin is not None and changes(entry, versions):
            pieces += [text[end : entry.pin[0]], versions[entry.name][1]]
            end = entry.pin[1]
    return "".join([*pieces, text[end:]])


def changes(entry: Entry, versions: Mapping[str, tuple[str, str]]) -> bool:
    """Tell whether a line pins the old version of one of these packages where it can be changed."""
    if entry.kind is not Kind.REQUIREMENT or entry.hashed or entry.pin is None or entry.name not in versions:
        return False
    return _same(entry.pinned or "", versions[entry.name][0])


def _same(one: str, other: str) -> bool:
    try:
        return Version(one) == Version(other)
    except InvalidVersion:
        return one == other

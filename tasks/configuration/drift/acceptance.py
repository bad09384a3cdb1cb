"""What ``--accept-path`` names: a file, or a path in one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple


class Part(NamedTuple):
    """A part of the reviewed configuration: a file by its name, and a path in it; empty for all of it."""

    file: str
    path: str


def part(text: str, names: Iterable[str], shown: Mapping[str, str]) -> Part | None:
    """Return the part that ``FILE`` or ``FILE:PATH`` stands for; ``None`` where no such file is known.

    Args:
        text: as it was given.
        names: the files, as they are remembered.
        shown: the same files by the names that they have on disk.
    """
    known = {**{name: name for name in names}, **shown}
    for name in sorted(known, key=len, reverse=True):
        if text == name:
            return Part(known[name], "")
        if text.startswith(f"{name}:"):
            return Part(known[name], text.removeprefix(f"{name}:"))
    return None

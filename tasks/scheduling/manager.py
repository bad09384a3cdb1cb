"""A service manager: files in a folder of the user's, and programs that tell it of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, TypeAlias

Command: TypeAlias = tuple[str, ...]


class Manager(NamedTuple):
    """What is installed there, and how it is told.

    Attributes:
        name: what people call it.
        folder: where its files lie.
        files: by their names in that folder, what they hold.
        links: what it makes of them there by itself, and does not take away where it cannot be reached.
        active: succeeds where it knows them and has set the timer.
        forget: told before changed files are taken; they may fail, for it may know of none.
        take: told once the files are written.
        drop: told before they are removed.
        reload: reads the files anew.
        lasting: says ``no`` where it ends with the user's session; ``None`` where nothing does.
        when: when the job runs, as the end of a sentence.
    """

    name: str
    folder: Path
    files: Mapping[str, bytes]
    links: tuple[str, ...]
    active: Command
    forget: tuple[Command, ...]
    take: tuple[Command, ...]
    drop: tuple[Command, ...]
    reload: tuple[Command, ...]
    lasting: Command | None
    when: str

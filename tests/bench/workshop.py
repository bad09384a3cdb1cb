"""Making inputs and taking them away again, neither of it measured."""

from __future__ import annotations

import subprocess
from pathlib import Path

from .entry import Input


class Workshop:
    """A folder in which inputs are made.

    Args:
        base: an empty folder that nobody else uses.
    """

    def __init__(self, base: Path) -> None:
        self._base = base
        self._made: dict[Input, Path] = {}
        self._count = 0

    def provide(self, wanted: Input, *, fresh: bool) -> Path:
        """Return the folder of an input, made now unless one made before will do.

        Args:
            wanted: the input.
            fresh: take away an equal one made before, and make it anew.
        """
        if fresh and wanted in self._made:
            _remove(self._made.pop(wanted))
        if wanted not in self._made:
            self._count += 1
            folder = self._base / f"input-{self._count}"
            folder.mkdir()
            self._made[wanted] = folder
            wanted.make(folder)
        return self._made[wanted]

    def clear(self) -> None:
        """Take away every input."""
        while self._made:
            _remove(self._made.popitem()[1])


def _remove(folder: Path) -> None:
    # Python's rmtree holds a whole folder's names in memory, and our memory is the least that a child can show.
    subprocess.run(["/bin/rm", "-rf", folder], check=True)

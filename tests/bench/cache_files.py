"""A project whose cache is full of small files, half of them expired."""

from __future__ import annotations

import os
import random
import time
from dataclasses import dataclass
from pathlib import Path

EXPIRY_HOURS = {"api_responses": 24, "material_data": 168, "component_cache": 6}
"""The three kinds of entry that are filled, and the hours after which one expires by default."""

_SEED = 1066
_FRESH = (0.0, 0.9)
_EXPIRED = (1.1, 10.0)
"""Ages as a share of the expiry. The gap leaves 36 minutes, at the shortest expiry, for the input to be made."""


@dataclass(frozen=True, slots=True)
class CacheFiles:
    """The input: files spread evenly over three kinds, every second one expired, ages otherwise at random.

    Attributes:
        number: how many files in all, at least two of each kind.
        size: the size of each in bytes; files of size 0 take no block and are made eight times as fast.
    """

    number: int
    size: int

    @classmethod
    def scaled(cls, number: int, scale: float, *, size: int) -> CacheFiles:
        """Return *number* files times *scale*, or as few as there can be, of *size* bytes."""
        return cls(max(round(number * scale), 2 * len(EXPIRY_HOURS)), size)

    def of_kind(self, kind: str) -> int:
        """Return how many files of *kind* are made."""
        share, rest = divmod(self.number, len(EXPIRY_HOURS))
        return share + (list(EXPIRY_HOURS).index(kind) < rest)

    def expired(self, kind: str) -> int:
        """Return how many of them have expired."""
        return self.of_kind(kind) // 2

    def make(self, folder: Path) -> None:
        """Make the project in *folder*."""
        ages = random.Random(_SEED)
        for kind, hours in EXPIRY_HOURS.items():
            path = kind_folder(folder, kind)
            path.mkdir(parents=True)
            self._fill(path, kind, hours * 3600, ages)

    def _fill(self, path: Path, kind: str, expiry_seconds: int, ages: random.Random) -> None:
        content = bytes(self.size)
        now = time.time()
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for number in range(self.of_kind(kind)):
                file = os.open(f"{kind}_{number:07}.json", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644, dir_fd=folder)
                if content:
                    os.write(file, content)
                written = now - expiry_seconds * ages.uniform(*(_EXPIRED if number % 2 else _FRESH))
                os.utime(file, (written, written))
                os.close(file)
        finally:
            os.close(folder)


def kind_folder(project: Path, kind: str) -> Path:
    """Return where the entries of *kind* lie."""
    return project / "cache" / kind


def count(project: Path, kind: str) -> int:
    """Return how many entries of *kind* there are now."""
    with os.scandir(kind_folder(project, kind)) as entries:
        return sum(1 for _ in entries)

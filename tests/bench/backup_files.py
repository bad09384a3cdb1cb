"""A project whose data is text in many files, with a log that the daily procedures read."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

_SEED = 2711
_FILE = 100_000
_WORDS = ("oxide", "removal", "pulse", "surface", "coating", "beam", "residue", "ablation", "polish", "layer")


@dataclass(frozen=True, slots=True)
class BackupFiles:
    """The input: so many bytes of data in files of 100 kB.

    Attributes:
        bytes: how many.
    """

    bytes: int

    def make(self, folder: Path) -> None:
        """Make the project in *folder*."""
        chance = random.Random(_SEED)
        for number in range(max(self.bytes // _FILE, 1)):
            path = folder / "data" / f"{number // 100:03}" / f"{number:05}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            words = "".join(f"{' '.join(chance.choices(_WORDS, k=5))} {chance.random()}\n" for _ in range(_FILE // 55))
            path.write_text(words.ljust(_FILE)[:_FILE], encoding="utf-8")
        (folder / "logs").mkdir()
        (folder / "logs" / "app.log").write_text(
            "2026-11-24 12:00:00,000 - app - ERROR - out of pulses\n", encoding="utf-8"
        )

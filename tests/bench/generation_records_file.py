"""A project with a record of its generations that covers some ten weeks and ends now."""

from __future__ import annotations

import json
import random
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

COMPONENTS = ("caption", "frontmatter", "jsonld", "metatags", "propertiestable", "tags")

_MATERIALS = ("Alabaster", "Aluminum", "Borosilicate Glass", "Copper", "Zirconia")
_SEED = 1086
_DAY = 86_400
_FEWEST = 700
"""Entries in the smallest record: a hundred of each kind below."""

_SPANS = ((1, 75, 61), (3, 59, 31), (3, 29, 0.1))
"""Shares of the entries, each with the days ago between which they lie: too old, the month before, the last month.
The gaps leave a day for the measuring."""

_MADE = "made.json"


class Made(NamedTuple):
    """What was written of the last month.

    Attributes:
        number: how many entries.
        succeeded: how many of them succeeded.
        seconds: how long they took in all.
    """

    number: int
    succeeded: int
    seconds: float


@dataclass(frozen=True, slots=True)
class GenerationRecords:
    """The input: ``logs/performance.json``, an array as Python's ``json.dump`` writes it, its times ascending.

    An entry has some 150 bytes. Its time is local and has no zone, as ``datetime.now().isoformat()`` gives it; one
    in thirty failed.

    Attributes:
        number: how many entries.
    """

    number: int

    @classmethod
    def scaled(cls, number: int, scale: float) -> GenerationRecords:
        """Return *number* entries times *scale*, or as few as there can be."""
        return cls(max(round(number * scale), _FEWEST))

    def make(self, folder: Path) -> None:
        """Make the project in *folder*."""
        path = record_path(folder)
        path.parent.mkdir()
        values = random.Random(_SEED)
        now = time.time()
        last = Made(0, 0, 0.0)
        separator = "["
        with path.open("w", encoding="ascii") as file:
            for share, first_day, last_day in _SPANS:
                number = self.number * share // sum(share for share, _, _ in _SPANS)
                apart = (first_day - last_day) * _DAY / number
                last = Made(number, 0, 0.0)
                for place in range(number):
                    moment = datetime.fromtimestamp(now - first_day * _DAY + place * apart)  # noqa: DTZ006 - as written
                    milliseconds = round(values.lognormvariate(8.4, 0.6))
                    success = values.random() >= 1 / 30
                    last = Made(number, last.succeeded + success, last.seconds + milliseconds / 1000)
                    entry = (
                        f'{{"timestamp": "{moment.isoformat()}", "component": "{values.choice(COMPONENTS)}", '
                        f'"duration": {milliseconds / 1000}, "success": {"true" if success else "false"}, '
                        f'"material": "{values.choice(_MATERIALS)}", "tokens": {values.randrange(4000)}}}'
                    )
                    file.write(separator + entry)
                    separator = ", "
            file.write("]")
        (folder / _MADE).write_text(json.dumps(last), encoding="ascii")


def record_path(project: Path) -> Path:
    """Return the record."""
    return project / "logs" / "performance.json"


def made(project: Path) -> Made:
    """Return what was written of the last month when the record was made."""
    return Made(*json.loads((project / _MADE).read_text(encoding="ascii")))

"""A record of generations as the project writes it, the same every time but for the day that it ends."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

FILE = "logs/performance.json"

_COMPONENTS = ("caption", "subtitle", "faq", "frontmatter", "description", "metatags", "jsonld", "table")
_DAYS = 60


@dataclass(frozen=True, slots=True)
class Generations:
    """A project with *count* generations in the last 60 days, at equal distances."""

    count: int

    def make(self, folder: Path) -> None:
        """Write them into *folder*."""
        chance = random.Random(11)
        now = datetime.now().astimezone()
        step = timedelta(days=_DAYS) / self.count
        path = folder / FILE
        path.parent.mkdir()
        with path.open("w", encoding="ascii") as file:
            file.write("[")
            for number in range(self.count, 0, -1):
                moment = (now - number * step).isoformat()
                separator = ", " if number < self.count else ""
                success = "true" if chance.random() < 0.97 else "false"
                file.write(
                    f'{separator}{{"timestamp": "{moment}", "component": "{chance.choice(_COMPONENTS)}", '
                    f'"duration": {chance.uniform(1, 20):.3f}, "success": {success}, '
                    f'"tokens": {chance.randrange(60, 900)}, "model": "deepseek-chat"}}'
                )
            file.write("]")

"""A project of many small files: text as a generator keeps it, or content that is packed already."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

SOURCES = ("data", "config", "components", "requirements.txt")
"""What is backed up, below the project: where ours looks by itself, and what a peer is given."""

_SEED = 2711
_IN_A_FOLDER = 250
_FEWEST = 12
_SENTENCES = 4_000
_WORDS = (
    "oxide", "removal", "pulse", "surface", "coating", "beam", "residue", "ablation", "polish", "layer", "alloy",
    "fluence", "of", "the", "without", "between", "is", "cleans", "restores", "leaves", "thermal", "contrast", "copper",
)  # fmt: skip


class Content(Enum):
    """What the files hold; the value is for people."""

    TEXT = "text"
    PACKED = "packed content"


@dataclass(frozen=True, slots=True)
class ProjectFiles:
    """The input: a project of so many files, no two of them equal.

    Attributes:
        number: how many files.
        content: what they hold. Text is YAML, Markdown and JSON of 0.5 to 10 kB, in words and numbers that come
            again; packed content is random bytes, 0.5 to 7.5 kB a file, which no packer makes smaller.
    """

    number: int
    content: Content

    @classmethod
    def scaled(cls, number: int, scale: float, content: Content) -> ProjectFiles:
        """Return the input with *number* files times *scale*, and enough of them that every source is there."""
        return cls(max(round(number * scale), _FEWEST), content)

    def make(self, folder: Path) -> None:
        """Make the project in *folder*."""
        chance = random.Random(_SEED)
        text = _Text(chance)
        kinds: dict[Content, tuple[tuple[str, str, Callable[[int], bytes]], ...]] = {
            Content.TEXT: (
                ("data/materials", "yaml", text.material),
                ("data/articles", "md", text.article),
                ("components/tags", "json", text.tags),
            ),
            Content.PACKED: (
                ("data/images", "webp", lambda _number: chance.randbytes(chance.randint(500, 7_500))),
                ("components/models", "bin", lambda _number: chance.randbytes(chance.randint(500, 7_500))),
            ),
        }
        (folder / "config").mkdir()
        (folder / "config" / "settings.yaml").write_text("model: none\n", encoding="utf-8")
        (folder / "requirements.txt").write_text("invoke>=2.2.1\n", encoding="utf-8")
        for number in range(self.number - 2):
            below, ending, make = kinds[self.content][number % len(kinds[self.content])]
            path = folder / below / f"{number // _IN_A_FOLDER:03}" / f"{number:06}.{ending}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(make(number))


class _Text:
    """Text by the number of its file.

    Args:
        chance: where its words come from.
    """

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._sentences = [" ".join(chance.choices(_WORDS, k=chance.randint(6, 16))) for _ in range(_SENTENCES)]

    def material(self, number: int) -> bytes:
        """Return the properties of a material, as YAML."""
        lines = [f"name: material {number}", f"description: {self._chance.choice(self._sentences)}", "properties:"]
        for place in range(self._chance.randint(8, 40)):
            lines += [f"  property_{place}:", f"    value: {self._chance.random()}", f"    unit: {self._word()}"]
        return "\n".join([*lines, ""]).encode()

    def article(self, number: int) -> bytes:
        """Return an article in Markdown, with a head in YAML."""
        body = self._chance.choices(self._sentences, k=self._chance.randint(20, 120))
        paragraphs = [f"{sentence.capitalize()}." for sentence in body]
        return "\n".join(["---", f"title: article {number}", "---", "", *paragraphs, ""]).encode()

    def tags(self, number: int) -> bytes:
        """Return tags, as JSON."""
        tags = [{"tag": self._word(), "weight": self._chance.random()} for _ in range(self._chance.randint(10, 60))]
        return json.dumps({"number": number, "tags": tags}).encode()

    def _word(self) -> str:
        return self._chance.choice(_WORDS)

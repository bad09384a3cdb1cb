"""Which judge a log gets."""

from __future__ import annotations

from dataclasses import dataclass, field

from .levels import LevelClassifier
from .shapes import is_structured
from .sources import Source


@dataclass(frozen=True, slots=True)
class LevelClassifiers:
    """The judges of one run: what each has learnt in one log serves the next of that kind.

    Attributes:
        shaped: for logs whose records have a shape.
        free: for free text.
    """

    shaped: LevelClassifier = field(default_factory=lambda: LevelClassifier(structured=True))
    free: LevelClassifier = field(default_factory=lambda: LevelClassifier(structured=False))

    def of(self, source: Source) -> LevelClassifier:
        """Return the judge of a log's lines, by the look of its first ones."""
        return self.shaped if is_structured(source.sample()) else self.free

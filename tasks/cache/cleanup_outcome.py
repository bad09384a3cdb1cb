"""What a clean-up saw and did, before anybody judges it."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..core.text.formatting import printable
from .loose import Top
from .rules import Plan
from .sweep_tally import Tally


@dataclass(slots=True)
class Note:
    """What became of a file that the clean-up writes.

    Attributes:
        check: the finding's identifier.
        path: the file, below the root.
        problem: what was wrong with it, before or while it was written.
        remedy: what to do about that.
        broken: what is there cannot be used and is to be kept aside.
        planned: it can be written.
        written: it was.
        aside: where an unusable older one was kept.
    """

    check: str
    path: str
    problem: str | None = None
    remedy: str | None = None
    broken: bool = False
    planned: bool = False
    written: bool = False
    aside: str | None = None


@dataclass(slots=True)
class CleanupOutcome:
    """What a clean-up saw and did, before it is judged.

    Attributes:
        plan: what it was to do.
        directory: the cache, below the root.
        created: folders created, or that a dry run would create.
        top: the top of the cache folder.
        tallies: per kind, what the walk of its folder gave.
        others: what the walk of all other folders gave.
        refused: per path, why it could not be walked, or not to its end.
        notes: the files written.
        usable: False where the cache as a whole could not be walked.
        interrupted: Ctrl-C came.
    """

    plan: Plan
    directory: str = "cache"
    created: list[str] = field(default_factory=list)
    top: Top = field(default_factory=Top)
    tallies: dict[str, Tally] = field(default_factory=dict)
    others: Tally = field(default_factory=Tally)
    refused: dict[str, str] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    usable: bool = True
    interrupted: bool = False

    def refuse(self, path: str, error: Exception) -> None:
        """Note why *path* could not be walked, or not to its end."""
        if isinstance(error, OSError):
            self.refused[path] = f"Not cleaned to its end: {error.strerror}."
        else:
            self.refused[path] = f"Not cleaned: {error}"

    @property
    def incomplete(self) -> list[str]:
        """The folders in which something could not be read, so that numbers lack it."""
        failed = [f"{self.directory}/{kind}" for kind, tally in self.tallies.items() if tally.failed]
        return sorted({printable(path) for path in (*self.refused, *failed)})

    @property
    def elsewhere(self) -> Tally:
        """What lies outside the folders of the kinds."""
        both = Tally()
        both.join(self.top.tally)
        both.join(self.others)
        return both

    @property
    def total(self) -> Tally:
        """The whole cache."""
        total = self.elsewhere
        for tally in self.tallies.values():
            total.join(tally)
        return total

    @property
    def moved(self) -> int:
        """Loose files moved home."""
        return sum(number for number, _ in self.top.moved.values())

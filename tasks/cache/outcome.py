"""What a clean-up saw and did, before anybody judges it."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..core.names import printable
from .loose import Top
from .rules import Plan
from .sweep import Tally


@dataclass(slots=True)
class Note:
    """What became of a file that the clean-up writes.

    Attributes:
        check: the finding's identifier.
        path: the file, below the root.
        problem: what was wrong with it, before or while it was written.
        planned: it can be written.
        written: it was.
        aside: where an unusable older one was kept.
    """

    check: str
    path: str
    problem: str | None = None
    planned: bool = False
    written: bool = False
    aside: str | None = None


@dataclass(slots=True)
class Outcome:
    """What a clean-up saw and did, before it is judged.

    Attributes:
        plan: what it was to do.
        created: folders created, or that a dry run would create.
        top: the top of the cache folder.
        tallies: per folder of the cache, what its walk gave.
        refused: per path, why it could not be walked.
        notes: the files written.
        usable: False where the cache as a whole could not be walked.
        interrupted: Ctrl-C came.
    """

    plan: Plan
    created: list[str] = field(default_factory=list)
    top: Top = field(default_factory=Top)
    tallies: dict[str, Tally] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    usable: bool = True
    interrupted: bool = False

    def refuse(self, path: str, error: Exception) -> None:
        """Note why *path* could not be walked."""
        reason = f"{printable(path)} cannot be opened: {error.strerror}." if isinstance(error, OSError) else str(error)
        self.refused[path] = reason

    @property
    def _all(self) -> list[Tally]:
        return [self.top.tally, *self.tallies.values()]

    @property
    def expired(self) -> int:
        """Entries deleted, or that a dry run would delete."""
        return sum(tally.expired for tally in self._all)

    @property
    def freed_bytes(self) -> int:
        """The space that frees."""
        return sum(tally.freed_bytes for tally in self._all)

    @property
    def moved(self) -> int:
        """Loose files moved home."""
        return sum(number for number, _ in self.top.moved.values())

    @property
    def files_left(self) -> int:
        """Entries in the whole cache after the clean-up."""
        return sum(tally.files_left for tally in self._all)

    @property
    def bytes_left(self) -> int:
        """Their size."""
        return sum(tally.bytes_left for tally in self._all)

    @property
    def files_before(self) -> int:
        """Entries in the whole cache before it."""
        return self.files_left + self.expired

    @property
    def bytes_before(self) -> int:
        """Their size."""
        return sum(tally.bytes + tally.moved_in_bytes for tally in self._all)

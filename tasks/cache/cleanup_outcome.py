"""What a clean-up saw and did, before it is evaluated: counts and a few names, so that memory does not grow."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..core.run.clock import ClockDoubt
from ..core.text.formatting import printable
from .expiry import Plan

_NAMES_KEPT = 20
"""Names remembered per fate; a report needs examples, and memory must not grow with the cache."""


@dataclass(slots=True)
class Names:
    """How many entries share a fate, and the first of their names."""

    count: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, name: str) -> None:
        """Count *name*."""
        self.count += 1
        if len(self.first) < _NAMES_KEPT:
            self.first.append(name)

    def join(self, other: Names) -> None:
        """Add what *other* counted."""
        self.count += other.count
        self.first = [*self.first, *other.first][:_NAMES_KEPT]


@dataclass(slots=True)
class Tally:
    """What one walk left and did. Sizes are in bytes; names are paths below the folder at which it began.

    Attributes:
        files: regular files left; markers such as ``.gitkeep`` are none.
        bytes: their size.
        oldest_ns: when the oldest of them was written.
        remaining: entries of any sort left.
        expired: files deleted, or that a dry run would delete.
        expired_bytes: their size.
        withheld: files among those left that have expired by a clock that is not believed.
        folders_removed: subfolders that were left empty and had expired themselves.
        locked: expired, but locked by somebody.
        changed: expired when planned, rewritten before their deletion.
        special: links, pipes, sockets and devices, which are never touched.
        future: dated ahead of the clock, so that they would not expire in their time.
        failed: per reason that the system gave, what could not be seen or deleted.
        foreign: per reason, folders that were not walked, or only counted.
        interrupted: the walk was stopped before its end.
    """

    files: int = 0
    bytes: int = 0
    oldest_ns: int | None = None
    remaining: int = 0
    expired: int = 0
    expired_bytes: int = 0
    withheld: int = 0
    folders_removed: int = 0
    locked: Names = field(default_factory=Names)
    changed: Names = field(default_factory=Names)
    special: Names = field(default_factory=Names)
    future: Names = field(default_factory=Names)
    failed: dict[str, Names] = field(default_factory=dict)
    foreign: dict[str, Names] = field(default_factory=dict)
    interrupted: bool = False

    def keep(self, size: int, written_ns: int) -> None:
        """Count a file that is left."""
        self.files += 1
        self.bytes += size
        self.remaining += 1
        self._see_age(written_ns)

    def fail(self, name: str, error: OSError) -> None:
        """Note what could not be seen or deleted, and why."""
        self.failed.setdefault(error.strerror or str(error), Names()).add(name)

    def leave(self, name: str, reason: str) -> None:
        """Note a folder that is not walked, or only counted, and why."""
        self.foreign.setdefault(reason, Names()).add(name)

    def join(self, other: Tally) -> None:
        """Add what another walk left and did, except the number of entries of any sort."""
        for number in ("files", "bytes", "expired", "expired_bytes", "withheld", "folders_removed"):
            setattr(self, number, getattr(self, number) + getattr(other, number))
        for names in ("locked", "changed", "special", "future"):
            getattr(self, names).join(getattr(other, names))
        for reasons in ("failed", "foreign"):
            for reason, found in getattr(other, reasons).items():
                getattr(self, reasons).setdefault(reason, Names()).join(found)
        self.interrupted |= other.interrupted
        self._see_age(other.oldest_ns)

    def _see_age(self, written_ns: int | None) -> None:
        if written_ns is not None and (self.oldest_ns is None or written_ns < self.oldest_ns):
            self.oldest_ns = written_ns


@dataclass(slots=True)
class TopFolder:
    """What lies at the top of the cache folder, among the folders of the kinds.

    Attributes:
        tally: the loose files that stay there, and the expired ones among them.
        moved: per kind, the number of files moved to its folder and their bytes.
        name_exists: misplaced files whose name another file has in the folder of their kind.
        folder_closed: misplaced files whose kind's folder could not be opened.
        unsorted: files of which no prefix says to which kind they belong.
        folders: the names of the folders that are no kind.
    """

    tally: Tally = field(default_factory=Tally)
    moved: dict[str, tuple[int, int]] = field(default_factory=dict)
    name_exists: Names = field(default_factory=Names)
    folder_closed: Names = field(default_factory=Names)
    unsorted: int = 0
    folders: list[str] = field(default_factory=list)


@dataclass(slots=True)
class WrittenFile:
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
    """What a clean-up saw and did, before it is evaluated.

    Attributes:
        plan: what it was to do.
        doubt: why the clock is not believed; ``None`` where it is.
        directory: the cache, below the root.
        created: folders created, or that a dry run would create.
        top: the top of the cache folder.
        tallies: per kind, what the walk of its folder gave.
        others: what the walk of all other folders gave.
        refused: per path, why it could not be walked, or not to its end.
        files: what became of the files that it writes.
        usable: False where the cache as a whole could not be walked.
        interrupted: Ctrl-C came.
    """

    plan: Plan
    doubt: ClockDoubt | None = None
    directory: str = "cache"
    created: list[str] = field(default_factory=list)
    top: TopFolder = field(default_factory=TopFolder)
    tallies: dict[str, Tally] = field(default_factory=dict)
    others: Tally = field(default_factory=Tally)
    refused: dict[str, str] = field(default_factory=dict)
    files: list[WrittenFile] = field(default_factory=list)
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
        """Misplaced files moved to the folders of their kinds."""
        return sum(number for number, _ in self.top.moved.values())

"""What a walk saw and did, in numbers and a few names: its size does not grow with the cache."""

from __future__ import annotations

from dataclasses import dataclass, field

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
        """Take over what *other* counted."""
        self.count += other.count
        self.first = [*self.first, *other.first][:_NAMES_KEPT]


@dataclass(slots=True)
class Tally:
    """What a walk left and did. Sizes are in bytes; names are paths below the folder at which it began.

    Attributes:
        files: regular files left; markers such as ``.gitkeep`` are none.
        bytes: their size.
        oldest_ns: when the oldest of them was written.
        remaining: entries of any sort left.
        expired: files deleted, or that a dry run would delete.
        expired_bytes: their size.
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
        for number in ("files", "bytes", "expired", "expired_bytes", "folders_removed"):
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

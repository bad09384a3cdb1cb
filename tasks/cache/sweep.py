"""One walk of one folder: count every entry, delete the expired ones.

Entries are planned in batches of :data:`BATCH` and each batch is applied before the next is read, so memory
does not grow with the folder. Between plan and deletion an entry is looked at again: one that was rewritten
or is locked by somebody is left and told of. A dry run takes the same steps but the last one.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from concurrent.futures import Executor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from threading import Event
from typing import NamedTuple

from ..core.files import Identity, is_repository
from ..core.lock import held_by_others
from .rules import CLOCK_TOLERANCE_NS, MARKERS, Expiry

BATCH = 1000
"""Entries planned at a time: enough to make a look at the table of locks cheap."""

_PIECE = 125
"""Entries of a batch that one deleter takes at a time."""

DELETERS = 8
"""Threads that delete. A file system that frees blocks makes each deletion wait, and waits overlap: on ext4
with discard eight threads delete 3.4 times as fast as one, four 2.2 times (24,000 files of one block)."""

_DEEPEST = 64
"""Levels of folders walked below a kind; each holds a descriptor open, and systems allow as few as 256."""

_NAMES_KEPT = 20
"""Names remembered per reason; a report needs examples, and memory must not grow with the cache."""


@dataclass(slots=True)
class Names:
    """How many entries share a fate, the first of their names, and what the system said about the last."""

    count: int = 0
    first: list[str] = field(default_factory=list)
    reason: str = ""

    def add(self, name: str, reason: str | OSError = "") -> None:
        """Count *name*, with the reason for its fate."""
        self.count += 1
        self.reason = (reason.strerror or str(reason)) if isinstance(reason, OSError) else reason or self.reason
        if len(self.first) < _NAMES_KEPT:
            self.first.append(name)

    def join(self, other: Names) -> None:
        """Take over what *other* counted."""
        self.count += other.count
        self.reason = other.reason or self.reason
        self.first = [*self.first, *other.first][:_NAMES_KEPT]


@dataclass(slots=True)
class Tally:
    """What a walk saw and did. Sizes are in bytes; names are paths below the folder walked.

    Attributes:
        files: regular files seen.
        bytes: their size.
        expired: those deleted, or that a dry run would delete.
        deleted_bytes: their size.
        freed_bytes: the space that frees; a file with further names frees none.
        folders_removed: subfolders that were left empty and had expired themselves.
        moved_in: loose files moved here, or that a dry run would move.
        moved_in_bytes: their size.
        locked: expired, but locked by somebody.
        changed: expired when planned, rewritten or gone before its deletion.
        failed: what the system did not let us see or delete.
        special: links, pipes, sockets and devices, which are never touched.
        future: dated ahead of the clock, so that they would not expire in their time.
        foreign: folders on another file system or too deep, which are not walked, and Git repositories, which
            are only counted.
        remaining: entries of any sort left.
        oldest_ns: when the oldest file left was written.
        interrupted: the walk was stopped before its end.
    """

    files: int = 0
    bytes: int = 0
    expired: int = 0
    deleted_bytes: int = 0
    freed_bytes: int = 0
    folders_removed: int = 0
    moved_in: int = 0
    moved_in_bytes: int = 0
    locked: Names = field(default_factory=Names)
    changed: Names = field(default_factory=Names)
    failed: Names = field(default_factory=Names)
    special: Names = field(default_factory=Names)
    future: Names = field(default_factory=Names)
    foreign: Names = field(default_factory=Names)
    remaining: int = 0
    oldest_ns: int | None = None
    interrupted: bool = False

    def join(self, other: Tally) -> None:
        """Add what another walk saw and did, except how many entries it left."""
        for name in ("files", "bytes", "expired", "deleted_bytes", "freed_bytes", "folders_removed"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("locked", "changed", "failed", "special", "future", "foreign"):
            getattr(self, name).join(getattr(other, name))
        self.interrupted |= other.interrupted
        self.see_age(other.oldest_ns)

    def see_age(self, written_ns: int | None) -> None:
        """Remember the oldest of the files left."""
        if written_ns is not None and (self.oldest_ns is None or written_ns < self.oldest_ns):
            self.oldest_ns = written_ns

    @property
    def files_left(self) -> int:
        """Regular files after the clean-up."""
        return self.files - self.expired + self.moved_in

    @property
    def bytes_left(self) -> int:
        """Their size; what a deleted file with further names held still counts as gone from here."""
        return self.bytes - self.deleted_bytes + self.moved_in_bytes


class Walk(NamedTuple):
    """What all folders of one run share.

    Attributes:
        apply: False in a dry run.
        stop: set to end the walk after the batch at hand.
        advance: told how many entries were looked at since the last call.
        deleters: the threads that delete.
    """

    apply: bool
    stop: Event
    advance: Callable[[int], None]
    deleters: Executor


class Place(NamedTuple):
    """An open folder of the cache.

    Attributes:
        descriptor: the open folder.
        expiry: when its entries expire.
        path: where it lies below the folder at which the walk began, with a slash at its end; for messages.
        depth: how many folders it lies below that one.
    """

    descriptor: int
    expiry: Expiry
    path: str = ""
    depth: int = 0


class Entry(NamedTuple):
    """A file as it was planned: its name in its folder, and its status."""

    name: str
    seen: os.stat_result


class _Subfolder(NamedTuple):
    name: str
    device: int
    expired: bool


def sweep(place: Place, walk: Walk) -> Tally:
    """Walk *place* and the folders below it, and delete what has expired.

    Raises:
        OSError: the folder itself cannot be read.
    """
    tally = Tally()
    subfolders: list[_Subfolder] = []
    with os.scandir(place.descriptor) as entries:
        while batch := list(islice(entries, BATCH)):
            expired = _sorted_out(batch, place, tally, subfolders)
            delete(place, expired, tally, walk)
            walk.advance(len(batch))
            if walk.stop.is_set():
                tally.interrupted = True
                return tally
    device = os.fstat(place.descriptor).st_dev
    for subfolder in subfolders:
        if subfolder.device != device:
            tally.foreign.add(place.path + subfolder.name, "on another file system")
        elif place.depth == _DEEPEST:
            tally.foreign.add(place.path + subfolder.name, f"more than {_DEEPEST} folders deep")
        else:
            _descend(place, subfolder, tally, walk)
    return tally


def _sorted_out(batch: list[os.DirEntry[str]], place: Place, tally: Tally, subfolders: list[_Subfolder]) -> list[Entry]:
    """Count the entries of *batch*, note its subfolders and return what has expired."""
    expired = []
    expiry, path = place.expiry, place.path
    deletes = expiry.active and expiry.hours is not None
    latest_ns = expiry.now_ns + CLOCK_TOLERANCE_NS
    for entry in batch:
        try:
            seen = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            continue
        except OSError as error:
            tally.failed.add(path + entry.name, error)
            continue
        tally.remaining += 1
        written_ns = expiry.written_ns(seen)
        if stat.S_ISREG(seen.st_mode):
            tally.files += 1
            tally.bytes += seen.st_size
            if deletes and written_ns < expiry.before_ns and entry.name not in MARKERS:
                expired.append(Entry(entry.name, seen))
                continue
            tally.see_age(written_ns)
            if written_ns > latest_ns:
                tally.future.add(path + entry.name)
        elif stat.S_ISDIR(seen.st_mode):
            subfolders.append(_Subfolder(entry.name, seen.st_dev, deletes and written_ns < expiry.before_ns))
        else:
            tally.special.add(path + entry.name)
    return expired


def delete(place: Place, expired: list[Entry], tally: Tally, walk: Walk) -> None:
    """Delete what is still as it was planned and nobody has locked, or in a dry run count it.

    Args:
        place: the folder that holds them.
        expired: regular files as they were planned, already counted in *tally*.
        tally: where the outcome is counted.
        walk: whether to delete, and by whom.
    """
    if not expired:
        return
    is_locked = held_by_others()
    pieces = [expired[start : start + _PIECE] for start in range(0, len(expired), _PIECE)]
    running = [walk.deleters.submit(_delete, place, piece, walk.apply, is_locked) for piece in pieces]
    try:
        wait(running)
    finally:  # Ctrl-C: what is under way is done all the same, and must be counted
        for outcome in (future.result() for future in running):
            tally.remaining -= outcome.expired
            tally.join(outcome)


def _delete(place: Place, expired: list[Entry], apply: bool, is_locked: Callable[[int, str, int], bool]) -> Tally:
    """Delete one piece of a batch and return what became of it."""
    tally = Tally()
    folder, path = place.descriptor, place.path
    for name, planned in expired:
        try:
            now = os.stat(name, dir_fd=folder, follow_symlinks=False)
            if Identity.of(now) != Identity.of(planned):
                tally.changed.add(path + name)
                continue
            if is_locked(folder, name, now.st_ino):
                tally.locked.add(path + name)
                continue
            if apply:
                os.unlink(name, dir_fd=folder)
        except FileNotFoundError:
            tally.changed.add(path + name)
        except OSError as error:
            tally.failed.add(path + name, error)
        else:
            tally.expired += 1
            tally.deleted_bytes += now.st_size
            tally.freed_bytes += now.st_size if now.st_nlink == 1 else 0
    return tally


def _descend(place: Place, subfolder: _Subfolder, tally: Tally, walk: Walk) -> None:
    """Sweep a subfolder, and remove it where it has expired itself and nothing is left in it."""
    name, expiry = subfolder.name, place.expiry
    try:
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        below = os.open(name, flags, dir_fd=place.descriptor)
    except OSError as error:
        tally.failed.add(place.path + name, error)
        return
    try:
        if is_repository(below):
            expiry = expiry._replace(active=False)
            tally.foreign.add(place.path + name, "a Git repository")
        inside = sweep(Place(below, expiry, f"{place.path}{name}/", place.depth + 1), walk)
    except OSError as error:
        tally.failed.add(place.path + name, error)
        return
    finally:
        os.close(below)
    tally.join(inside)
    if subfolder.expired and inside.remaining == 0 and not inside.interrupted:
        with suppress(OSError):  # somebody has just written to it: it stays
            if walk.apply:
                os.rmdir(name, dir_fd=place.descriptor)
            tally.folders_removed += 1
            tally.remaining -= 1

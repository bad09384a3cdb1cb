"""The top of the cache folder: which folders are there, and what becomes of files that lie loose among them.

A loose file whose prefix names a kind is misplaced: it is deleted where it has expired by that kind's age,
else moved home. Files inside a kind's folder are never judged by their prefix: the program put them there.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from ..core.files.lock import held_by_others
from ..core.files.safe_files import TEMPORARY, move
from .rules import MARKERS, Expiry, Plan
from .sweep import BATCH, Entry, Place, Walk, delete
from .sweep_tally import Names, Tally


class Home(NamedTuple):
    """Where the files of a kind belong.

    Attributes:
        descriptor: its open folder; ``None`` where a dry run finds none yet.
        tally: where a dry run counts the files that a run would move there.
    """

    descriptor: int | None
    tally: Tally


@dataclass(slots=True)
class Top:
    """What lies at the top of the cache.

    Attributes:
        tally: the loose files that stay there, and the expired ones among them.
        moved: per kind, the number of files moved home and their bytes.
        taken: misplaced files whose name another file has at home.
        homeless: misplaced files whose home could not be opened.
        unsorted: files of which no prefix says where they belong.
        folders: the names of the folders that are no kind.
    """

    tally: Tally = field(default_factory=Tally)
    moved: dict[str, tuple[int, int]] = field(default_factory=dict)
    taken: Names = field(default_factory=Names)
    homeless: Names = field(default_factory=Names)
    unsorted: int = 0
    folders: list[str] = field(default_factory=list)


class _Misplaced(NamedTuple):
    entry: Entry
    kind: str
    written_ns: int


def tidy(folder: int, homes: Mapping[str, Home], plan: Plan, walk: Walk, top: Top, *, own: str) -> None:
    """Sort out what lies at the top of the open cache *folder*.

    Args:
        folder: its descriptor.
        homes: per kind its folder. A kind that is not in it cannot be opened.
        plan: what becomes of which file.
        walk: whether to change anything, and when to stop.
        top: where what is seen and done is noted; complete up to any interruption.
        own: the name of the statistics file, which is no entry.

    Raises:
        OSError: the folder cannot be read, or not to its end.
    """
    place = Place(folder, plan.unmanaged)
    with os.scandir(folder) as entries:
        while not walk.stop.is_set() and (batch := list(islice(entries, BATCH))):
            expired = []
            is_locked = held_by_others()
            for found in _misplaced(batch, plan, top, own):
                if found.written_ns < plan.expiry[found.kind].before_ns:
                    expired.append(found.entry)
                elif is_locked(folder, found.entry.name, found.entry.seen.st_ino):
                    top.tally.locked.add(found.entry.name)
                    top.tally.keep(found.entry.seen.st_size, found.written_ns)
                elif not _move_home(place, found, homes.get(found.kind), walk, top):
                    top.tally.keep(found.entry.seen.st_size, found.written_ns)
            delete(place, expired, top.tally, walk)
            walk.advance(len(batch))


def _misplaced(batch: list[os.DirEntry[str]], plan: Plan, top: Top, own: str) -> Iterator[_Misplaced]:
    """Count what stays of *batch* and yield each file that lies in the wrong place."""
    for entry in batch:
        name = entry.name
        try:
            seen = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            continue
        except OSError as error:
            top.tally.fail(name, error)
            continue
        if name in plan.expiry or name in {own, TEMPORARY} or name.startswith(f"{own}.broken-"):
            continue
        if stat.S_ISDIR(seen.st_mode):
            top.folders.append(name)
        elif stat.S_ISREG(seen.st_mode) and name in MARKERS:
            continue
        elif not stat.S_ISREG(seen.st_mode):
            top.tally.special.add(name)
        else:
            kind = plan.home_of(name)
            if kind is not None and plan.expiry[kind].active:
                yield _Misplaced(Entry(name, seen), kind, plan.expiry[kind].written_ns(seen))
            else:
                top.unsorted += kind is None
                top.tally.keep(seen.st_size, plan.unmanaged.written_ns(seen))


def _move_home(place: Place, found: _Misplaced, home: Home | None, walk: Walk, top: Top) -> bool:
    """Move one file home, or in a dry run count it there; return False where it stays, and note why."""
    (name, seen), kind = found.entry, found.kind
    if home is None:
        top.homeless.add(name)
        return False
    try:
        if walk.apply and home.descriptor is not None:
            free = move((place.descriptor, name), (home.descriptor, name))
        else:
            for folder in filter(None, (place.descriptor, home.descriptor)):
                if not os.access(".", os.W_OK | os.X_OK, dir_fd=folder):
                    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            free = _could_move(home, found, place.expiry)
    except FileNotFoundError:
        return True  # it has gone by itself
    except OSError as error:
        top.tally.fail(name, error)
        return False
    if not free:
        top.taken.add(name)
        return False
    count, size = top.moved.get(kind, (0, 0))
    top.moved[kind] = (count + 1, size + seen.st_size)
    return True


def _could_move(home: Home, found: _Misplaced, expiry: Expiry) -> bool:
    """Tell whether a run could move the file, and count it as it would then be counted at home."""
    name, seen = found.entry
    if home.descriptor is not None:
        try:
            # The same file under both names is a move that was cut short; the walk of its home counts it.
            return os.path.samestat(os.stat(name, dir_fd=home.descriptor, follow_symlinks=False), seen)
        except FileNotFoundError:
            pass
    home.tally.keep(seen.st_size, found.written_ns)
    if expiry.is_ahead(found.written_ns):
        home.tally.future.add(name)
    return True

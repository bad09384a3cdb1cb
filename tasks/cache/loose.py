"""The top of the cache folder: which folders are there, and what becomes of files that lie loose among them.

A loose file whose prefix names a kind is misplaced: it is deleted where it has expired by that kind's age,
else moved home. Files inside a kind's folder are never judged by their prefix: the program put them there.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from ..core.files import move
from .rules import MARKERS, Plan
from .sweep import BATCH, Entry, Names, Place, Tally, Walk, delete


@dataclass(slots=True)
class Top:
    """What lies at the top of the cache.

    Attributes:
        tally: the loose files that stay there, and the expired ones among them.
        moved: per kind, the number of files moved home and their bytes.
        taken: misplaced files whose name another file has at home.
        homeless: misplaced files whose home could not be opened.
        folders: the names of the folders, and of what stands in the place of a kind's folder.
    """

    tally: Tally = field(default_factory=Tally)
    moved: dict[str, tuple[int, int]] = field(default_factory=dict)
    taken: Names = field(default_factory=Names)
    homeless: Names = field(default_factory=Names)
    folders: list[str] = field(default_factory=list)


def tidy(folder: int, homes: Mapping[str, int | None], plan: Plan, walk: Walk, top: Top, *, own: str) -> None:
    """Sort out what lies at the top of the open cache *folder*.

    Args:
        folder: its descriptor.
        homes: per kind the descriptor of its folder; ``None`` where a dry run finds none yet. A kind that is
            not in it cannot be opened.
        plan: what becomes of which file.
        walk: whether to change anything, and when to stop.
        top: where what is seen and done is noted; complete up to any interruption.
        own: the name of the statistics file, which is no entry.
    """
    place = Place(folder, plan.unmanaged)
    with os.scandir(folder) as entries:
        while batch := list(islice(entries, BATCH)):
            expired = []
            for name, seen, kind in _misplaced(batch, plan, top, own):
                if plan.expiry[kind].written_ns(seen) < plan.expiry[kind].before_ns:
                    expired.append(Entry(name, seen))
                elif kind not in homes:
                    top.homeless.add(name)
                elif _move_home(folder, Entry(name, seen), homes[kind], walk, top):
                    count, size = top.moved.get(kind, (0, 0))
                    top.moved[kind] = (count + 1, size + seen.st_size)
                    top.tally.files -= 1
                    top.tally.bytes -= seen.st_size
            delete(place, expired, top.tally, walk)
            walk.advance(len(batch))
            if walk.stop.is_set():
                top.tally.interrupted = True
                break


def _misplaced(
    batch: list[os.DirEntry[str]], plan: Plan, top: Top, own: str
) -> Iterator[tuple[str, os.stat_result, str]]:
    """Count the entries of *batch* and yield name, status and kind of each misplaced file."""
    for entry in batch:
        name = entry.name
        try:
            seen = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            continue
        except OSError as error:
            top.tally.failed.add(name, error)
            continue
        if stat.S_ISDIR(seen.st_mode) or name in plan.expiry:
            top.folders.append(name)
        elif not stat.S_ISREG(seen.st_mode):
            top.tally.special.add(name)
        elif name != own and name not in MARKERS and not name.startswith(f".{own}"):
            top.tally.files += 1
            top.tally.bytes += seen.st_size
            kind = plan.home_of(name)
            if kind is not None and plan.expiry[kind].active:
                yield name, seen, kind


def _move_home(folder: int, entry: Entry, home: int | None, walk: Walk, top: Top) -> bool:
    """Move one file home, or in a dry run tell whether it could be; what stands against it is noted."""
    try:
        if walk.apply and home is not None:
            free = move((folder, entry.name), (home, entry.name))
        else:
            free = home is None or not _taken(home, entry)
    except FileNotFoundError:
        top.tally.changed.add(entry.name)
        return False
    except OSError as error:
        top.tally.failed.add(entry.name, error)
        return False
    if not free:
        top.taken.add(entry.name)
    return free


def _taken(home: int, entry: Entry) -> bool:
    try:
        there = os.stat(entry.name, dir_fd=home, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return not os.path.samestat(there, entry.seen)

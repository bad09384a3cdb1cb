"""The top of the cache folder: which folders are there, and what becomes of files that lie loose among them.

A loose file whose prefix names a kind is misplaced: it is deleted where it has expired by that kind's age,
else moved home. Files inside a kind's folder are never judged by their prefix: the program put them there.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice

from ..core.files import move
from .rules import MARKERS, Plan
from .sweep import BATCH, Names, Tally, Walk, delete


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


def tidy(folder: int, homes: Mapping[str, int | None], plan: Plan, walk: Walk, own: str) -> Top:
    """Sort out what lies at the top of the open cache *folder*.

    Args:
        folder: its descriptor.
        homes: per kind the descriptor of its folder; ``None`` where a dry run finds none yet. A kind that is
            not in it cannot be opened.
        plan: what becomes of which file.
        walk: whether to change anything, and when to stop.
        own: the name of the statistics file, which is no entry.
    """
    top = Top()
    with os.scandir(folder) as entries:
        while batch := list(islice(entries, BATCH)):
            expired: list[tuple[str, os.stat_result]] = []
            for entry in batch:
                try:
                    seen = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                if stat.S_ISDIR(seen.st_mode) or entry.name in plan.expiry:
                    top.folders.append(entry.name)
                elif not stat.S_ISREG(seen.st_mode):
                    top.tally.special.add(entry.name)
                elif entry.name != own and entry.name not in MARKERS and not entry.name.startswith(f".{own}"):
                    top.tally.files += 1
                    top.tally.bytes += seen.st_size
                    kind = plan.home_of(entry.name)
                    if kind is None or not plan.expiry[kind].active:
                        continue
                    if plan.expiry[kind].written_ns(seen) < plan.expiry[kind].before_ns:
                        expired.append((entry.name, seen))
                    else:
                        _move_home(folder, entry.name, seen, kind, homes, walk, top)
            delete(folder, expired, top.tally, walk, "")
            walk.advance(len(batch))
            if walk.stop.is_set():
                top.tally.interrupted = True
                break
    return top


def _move_home(
    folder: int, name: str, seen: os.stat_result, kind: str, homes: Mapping[str, int | None], walk: Walk, top: Top
) -> None:
    if kind not in homes:
        top.homeless.add(name)
        return
    home = homes[kind]
    try:
        if not walk.apply:
            moved = home is None or not _taken(home, name, seen)
        else:
            assert home is not None
            moved = move((folder, name), (home, name))
    except FileNotFoundError:
        top.tally.changed.add(name)
        return
    except OSError as error:
        top.tally.failed.add(name, error.strerror)
        return
    if not moved:
        top.taken.add(name)
        return
    count, size = top.moved.get(kind, (0, 0))
    top.moved[kind] = (count + 1, size + seen.st_size)
    top.tally.files -= 1
    top.tally.bytes -= seen.st_size


def _taken(home: int, name: str, seen: os.stat_result) -> bool:
    try:
        there = os.stat(name, dir_fd=home, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return not os.path.samestat(there, seen)

"""One walk of one folder: count every entry, delete the expired ones.

Entries are planned in batches of :data:`BATCH` and each batch is applied before the next is read, so memory
does not grow with the folder. Between plan and deletion an entry is looked at again: one that was rewritten
or is locked by somebody is left and reported. A dry run takes the same steps but the last one.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from concurrent.futures import Executor
from itertools import islice
from threading import Event
from typing import NamedTuple

from ..core.files.file_locks import held_by_others
from ..core.files.safe_files import Identity, is_repository
from .cleanup_outcome import Tally
from .expiry import MARKERS, Expiry

BATCH = 1000
"""Entries planned at a time: enough to make a look at the table of locks cheap."""

DELETERS = 8
"""Threads that delete. A file system that frees blocks makes each deletion wait, and waits overlap: on ext4
with discard eight threads delete 3.4 times as fast as one, four 2.2 times (24,000 files of one block)."""

_PIECE = 125
"""Entries of a batch that one deleter takes at a time."""

_DEEPEST = 64
"""Levels of folders walked below a kind; each holds a descriptor open, and systems allow as few as 256."""


class Walk(NamedTuple):
    """What all folders of one run share.

    Attributes:
        apply: False in a dry run.
        stop: set to end the walk after the batch at hand.
        advance: called with how many entries were looked at since the last call.
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


def sweep(place: Place, walk: Walk, tally: Tally) -> None:
    """Walk *place* and the folders below it, and delete what has expired.

    Args:
        place: the folder.
        walk: what the folders of this run share.
        tally: where everything is counted, complete up to any interruption or error.

    Raises:
        OSError: the folder itself cannot be read, or not to its end.
    """
    subfolders: list[_Subfolder] = []
    with os.scandir(place.descriptor) as entries:
        while not walk.stop.is_set() and (batch := list(islice(entries, BATCH))):
            delete(place, _expired(batch, place, tally, subfolders), tally, walk)
            walk.advance(len(batch))
    device = os.fstat(place.descriptor).st_dev
    for subfolder in subfolders:
        if walk.stop.is_set():
            break
        if subfolder.device != device:
            tally.leave(place.path + subfolder.name, "on another file system")
        elif place.depth == _DEEPEST:
            tally.leave(place.path + subfolder.name, f"more than {_DEEPEST} folders deep")
        else:
            _descend(place, subfolder, tally, walk)
    tally.interrupted |= walk.stop.is_set()


def _expired(batch: list[os.DirEntry[str]], place: Place, tally: Tally, subfolders: list[_Subfolder]) -> list[Entry]:
    """Count the entries of *batch* that stay, note its subfolders and return what has expired."""
    expired = []
    expiry, path = place.expiry, place.path
    for entry in batch:
        try:
            seen = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            continue
        except OSError as error:
            tally.remaining += 1
            tally.fail(path + entry.name, error)
            continue
        written_ns = expiry.written_ns(seen)
        has_expired = expiry.has_expired(written_ns)
        old = has_expired and not expiry.clock_doubted
        if stat.S_ISREG(seen.st_mode):
            if entry.name in MARKERS:
                tally.remaining += 1
                continue
            if old:
                expired.append(Entry(entry.name, seen))
                continue
            tally.keep(seen.st_size, written_ns)
            tally.withheld += has_expired
            if expiry.is_ahead(written_ns):
                tally.future.add(path + entry.name)
        else:
            tally.remaining += 1
            if stat.S_ISDIR(seen.st_mode):
                subfolders.append(_Subfolder(entry.name, seen.st_dev, old))
            else:
                tally.special.add(path + entry.name)
    return expired


def delete(place: Place, expired: list[Entry], tally: Tally, walk: Walk) -> None:
    """Delete what is still as it was planned and nobody has locked, or in a dry run count it.

    Args:
        place: the folder that holds them.
        expired: regular files as they were planned.
        tally: where the outcome is counted.
        walk: whether to delete, and by whom.
    """
    if not expired:
        return
    is_locked = held_by_others()
    pieces = [expired[start : start + _PIECE] for start in range(0, len(expired), _PIECE)]
    running = [walk.deleters.submit(_delete, place, piece, walk.apply, is_locked) for piece in pieces]
    for outcome in (future.result() for future in running):
        tally.remaining += outcome.remaining
        tally.join(outcome)


def _delete(place: Place, expired: list[Entry], apply: bool, is_locked: Callable[[int, str, int], bool]) -> Tally:
    """Delete one piece of a batch and return what became of it; what has gone by itself is not counted."""
    tally = Tally()
    folder, path = place.descriptor, place.path
    writable = apply or os.access(".", os.W_OK | os.X_OK, dir_fd=folder)
    for name, planned in expired:
        now = planned
        try:
            now = os.stat(name, dir_fd=folder, follow_symlinks=False)
            if not stat.S_ISREG(now.st_mode):
                tally.changed.add(path + name)
                tally.remaining += 1
                continue
            if Identity.of(now) != Identity.of(planned):
                tally.changed.add(path + name)
            elif is_locked(folder, name, now.st_ino):
                tally.locked.add(path + name)
            else:
                if apply:
                    os.unlink(name, dir_fd=folder)
                elif not writable:
                    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
                tally.expired += 1
                tally.expired_bytes += now.st_size
                continue
        except FileNotFoundError:
            continue
        except OSError as error:
            tally.fail(path + name, error)
        tally.keep(now.st_size, place.expiry.written_ns(now))
    return tally


def _descend(place: Place, subfolder: _Subfolder, tally: Tally, walk: Walk) -> None:
    """Sweep a subfolder, and remove it where it has expired itself and nothing is left in it."""
    name, expiry = subfolder.name, place.expiry
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    inside = Tally()
    try:
        below = os.open(name, flags, dir_fd=place.descriptor)
        try:
            if is_repository(below):
                expiry = expiry._replace(active=False)
                tally.leave(place.path + name, "a Git repository")
            sweep(Place(below, expiry, f"{place.path}{name}/", place.depth + 1), walk, inside)
        finally:
            os.close(below)
            tally.join(inside)
    except OSError as error:
        tally.fail(place.path + name, error)
        return
    if subfolder.expired and inside.remaining == 0 and not inside.interrupted:
        try:
            if walk.apply:
                os.rmdir(name, dir_fd=place.descriptor)
        except OSError as error:
            if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:  # somebody has just written to it: it stays
                tally.fail(place.path + name, error)
        else:
            tally.folders_removed += 1
            tally.remaining -= 1

"""The state of what is backed up, in one digest: the same where nothing was changed since. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence

from .manifest import Manifest
from .source_selection import Entry

_TICK = 20_000_000
"""Nanoseconds in which two changes can get one time: a kernel counts in steps of up to 10 ms."""

_COARSE_TICK = 2_000_000_000
"""The same where a file system keeps whole seconds only, some of them even ones."""


def state_of(entries: Sequence[Entry], is_own: Callable[[str], bool]) -> str:
    """Return the digest of path, size, mtime, ctime and inode of every file that is not the suite's own.

    Of a folder the path and the mode count: its times change with the suite's own files in it.

    Args:
        entries: what is there to back up.
        is_own: by path, whether a file is the suite's own, which every run may change.
    """
    digest = hashlib.sha256()
    for entry in projects_entries(entries, is_own):
        identity = entry.identity
        facts = (
            (entry.mode,) if identity is None else (identity.size, identity.mtime_ns, entry.ctime_ns, identity.inode)
        )
        digest.update(entry.path.encode("utf-8", "surrogateescape") + b"\0" + repr(facts).encode() + b"\n")
    return digest.hexdigest()


def projects_entries(entries: Sequence[Entry], is_own: Callable[[str], bool]) -> Iterable[Entry]:
    """Yield the entries without the suite's own files, and without folders that hold nothing else."""
    own = {entry.path for entry in entries if entry.is_file and is_own(entry.path)}
    others = (entry.path for entry in entries if entry.is_file and entry.path not in own)
    only_own = _above(own) - _above(others)
    for entry in entries:
        if entry.path not in own and (entry.is_file or entry.path not in only_own):
            yield entry


def _above(paths: Iterable[str]) -> set[str]:
    folders: set[str] = set()
    for path in paths:
        above = path.rpartition("/")[0]
        while above and above not in folders:
            folders.add(above)
            above = above.rpartition("/")[0]
    return folders


def is_settled(entries: Iterable[Entry], began_ns: int) -> bool:
    """Tell whether every file was changed so long before they were read that a change meanwhile would show.

    Args:
        entries: files as they were read.
        began_ns: the time of a new file on the same file system, made before the first of them was read.
    """
    tick = _COARSE_TICK if began_ns % 1_000_000_000 == 0 else _TICK
    return all(entry.ctime_ns < began_ns - tick for entry in entries if entry.is_file)


def changed_own_files(entries: Iterable[Entry], manifest: Manifest, is_own: Callable[[str], bool]) -> int:
    """Return how many of the suite's own files are not as a backup holds them."""
    held = {entry.name: (entry.size, entry.mtime_ns) for entry in manifest.entries if entry.is_file}
    return sum(
        held.get(entry.path) != (entry.size, entry.mtime_ns)
        for entry in entries
        if entry.is_file and is_own(entry.path)
    )

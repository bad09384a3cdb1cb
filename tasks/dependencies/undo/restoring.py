"""Putting everything back as it was before an update, and proving it."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from ...core.text.formatting import printable
from .journal import FOLDER, Copy, Journal, end, restored
from .listing import Listed, listed, listing

_BESIDE = ".maintenance-tmp"
"""The name of a file while it is put back."""


class Restored(NamedTuple):
    """What was put back.

    Attributes:
        replaced: entries that were missing or different.
        removed: entries that were not there before.
        problems: what is not as it was, as sentences; empty: all is, and what was kept for the undoing is gone.
    """

    replaced: int
    removed: int
    problems: tuple[str, ...]


def restore(root: Path, journal: Journal) -> Restored:
    """Undo an update; once more after a kill in the middle of it does no harm.

    Args:
        root: the project.
        journal: what the update left there.
    """
    prefix = Path(restored(journal.prefix))
    before = {restored(path): _readable(each) for path, each in journal.listing.items()}
    home = root / FOLDER
    copies = {restored(path): copy for path, copy in journal.copies.items()}
    problems: list[str] = []
    replaced = removed = 0
    try:
        removed = _remove_new(prefix, before)
        replaced = _put_back(prefix, before, copies, home, problems)
        replaced += _put_back_project(root, journal, home)
        _set_folders(prefix, before)
        problems += _differences(prefix, before, copies)
    except OSError as error:
        problems.append(f"{printable(error.filename or 'a file')} cannot be put back: {error.strerror}.")
    if not problems:
        end(root)
    return Restored(replaced, removed, tuple(problems))


def _readable(each: Listed) -> Listed:
    return msgspec.structs.replace(each, target=restored(each.target))


def _remove_new(prefix: Path, before: dict[str, Listed]) -> int:
    now = listing(prefix) if prefix.is_dir() else {}
    new = [path for path in now if path not in before or _kind(now[path]) != _kind(before[path])]
    for path in reversed(new):
        if now[path].is_folder:
            shutil.rmtree(prefix / path, ignore_errors=True)
        else:
            with suppress(FileNotFoundError):
                (prefix / path).unlink()
    return len(new)


def _kind(each: Listed) -> int:
    return stat.S_IFMT(each.mode)


def _put_back(prefix: Path, before: dict[str, Listed], copies: dict[str, Copy], home: Path, problems: list[str]) -> int:
    """Put back what is missing or different, folders first, and return how much that was."""
    now = listing(prefix) if prefix.is_dir() else {}
    changed = [
        path
        for path, each in before.items()
        if now.get(path) != each or (path in copies and _digest(prefix / path) != copies[path].sha256)
    ]
    for path in changed:
        each, target = before[path], prefix / path
        if each.is_folder:
            target.mkdir(parents=True, exist_ok=True)
        elif each.is_link:
            with suppress(FileNotFoundError):
                target.unlink()
            target.symlink_to(each.target)
            _own(target, each)
        elif path in copies:
            _write(home / str(copies[path].number), target, each)
        else:
            problems.append(f"{printable(target)} has changed, and the update had kept no copy of it.")
    return sum(not before[path].is_folder for path in changed)


def _write(copy: Path, target: Path, each: Listed) -> None:
    """Put a kept file in its place, in one step."""
    beside = target.with_name(_BESIDE)
    with suppress(FileNotFoundError):
        beside.unlink()
    shutil.copyfile(copy, beside)
    with beside.open("rb") as written:
        os.fsync(written.fileno())
    _own(beside, each)
    beside.chmod(stat.S_IMODE(each.mode))
    os.utime(beside, ns=(each.mtime_ns, each.mtime_ns))
    beside.replace(target)


def _own(path: Path, each: Listed) -> None:
    """Give an entry its owner again, which only root can."""
    if os.geteuid() == 0:
        os.chown(path, *each.owner, follow_symlinks=False)


def _put_back_project(root: Path, journal: Journal, home: Path) -> int:
    changed = 0
    for stored_path, status in journal.project.items():
        target = root / restored(stored_path)
        copy = journal.project_copies.get(stored_path)
        if status is None or copy is None:
            with suppress(FileNotFoundError):
                target.unlink()
                changed += 1
        elif listed(target) != status or _digest(target) != copy.sha256:
            _write(home / str(copy.number), target, status)
            changed += 1
    return changed


def _set_folders(prefix: Path, before: dict[str, Listed]) -> None:
    """Give folders their modes and times again, which every change in them changes."""
    for path, each in reversed(before.items()):
        if each.is_folder:
            _own(prefix / path, each)
            (prefix / path).chmod(stat.S_IMODE(each.mode))
            os.utime(prefix / path, ns=(each.mtime_ns, each.mtime_ns))


def _differences(prefix: Path, before: dict[str, Listed], copies: dict[str, Copy]) -> Iterator[str]:
    now = listing(prefix)
    for path in sorted(now.keys() | before.keys()):
        if now.get(path) != before.get(path):
            yield f"{printable(prefix / path)} is not as it was."
        elif path in copies and _digest(prefix / path) != copies[path].sha256:
            yield f"{printable(prefix / path)} does not hold what it held."


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

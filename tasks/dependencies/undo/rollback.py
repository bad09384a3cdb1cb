"""Rolling an update back: everything as it was before, and proof that it is."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event
from typing import NamedTuple

import msgspec

from ...core.programs.interrupt import deferred_interrupt
from ...core.text.formatting import printable
from .undo_journal import FOLDER, FolderEntry, KeptCopy, UndoJournal, decode_path, entry_at, list_folder, remove_folder

_BESIDE = ".maintenance-tmp"
"""The name of a file while it is put back."""


class Rollback(NamedTuple):
    """What was put back.

    Attributes:
        replaced: entries that were missing or different.
        removed: entries that were not there before.
        problems: what is not as it was, as sentences; empty: all is, and what was kept for the undoing is gone.
    """

    replaced: int
    removed: int
    problems: tuple[str, ...]


def roll_back(root: Path, journal: UndoJournal, stop: Event) -> Rollback:
    """Undo an update; once more after a kill in the middle of it does no harm.

    What cannot be put back stops nothing else, and is named among the problems. Ctrl-C does not end it: what is
    half put back would be reported by nobody.

    Args:
        root: the project.
        journal: what the update left there.
        stop: is set where Ctrl-C came meanwhile.
    """
    with deferred_interrupt() as interrupted:
        done = _roll_back(root, journal)
    if interrupted.is_set():
        stop.set()
    return done


def _roll_back(root: Path, journal: UndoJournal) -> Rollback:
    prefix = Path(decode_path(journal.prefix))
    before = {decode_path(path): _decode_entry(each) for path, each in journal.listing.items()}
    home = root / FOLDER
    copies = {decode_path(path): copy for path, copy in journal.copies.items()}
    problems: dict[Path, str] = {}
    replaced = removed = 0
    try:
        removed = _remove_new(prefix, before, problems)
        replaced = _restore_environment(prefix, before, copies, home, problems)
        replaced += _restore_project_files(root, journal, home, problems)
        _restore_folders(prefix, before, problems)
        for path, difference in _differences(prefix, before, copies):
            problems.setdefault(path, difference)
    except OSError as error:
        path = Path(os.fsdecode(error.filename or prefix))
        problems.setdefault(path, _not_put_back(path, error))
    if not problems:
        remove_folder(root)
    return Rollback(replaced, removed, tuple(problems.values()))


def _not_put_back(path: Path, error: OSError) -> str:
    return f"{printable(path)} cannot be put back: {error.strerror or error}."


@contextmanager
def _collect_error(path: Path, problems: dict[Path, str]) -> Iterator[None]:
    """Note why an entry cannot be put back, and let the others be."""
    try:
        yield
    except OSError as error:
        problems.setdefault(path, _not_put_back(path, error))


def _decode_entry(each: FolderEntry) -> FolderEntry:
    return msgspec.structs.replace(each, target=decode_path(each.target))


def _remove_new(prefix: Path, before: dict[str, FolderEntry], problems: dict[Path, str]) -> int:
    now = list_folder(prefix) if prefix.is_dir() else {}
    new = [path for path in now if path not in before or _file_type(now[path]) != _file_type(before[path])]
    for path in reversed(new):
        if now[path].is_folder:
            shutil.rmtree(prefix / path, ignore_errors=True)  # what is left shows as a difference
        else:
            with _collect_error(prefix / path, problems), suppress(FileNotFoundError):
                (prefix / path).unlink()
    return len(new)


def _file_type(each: FolderEntry) -> int:
    return stat.S_IFMT(each.mode)


def _restore_environment(
    prefix: Path, before: dict[str, FolderEntry], copies: dict[str, KeptCopy], home: Path, problems: dict[Path, str]
) -> int:
    """Put back what is missing or different, folders first, and return how much that was."""
    now = list_folder(prefix) if prefix.is_dir() else {}
    changed = [
        path
        for path, each in before.items()
        if now.get(path) != each or (path in copies and not _has_content_of(prefix / path, copies[path]))
    ]
    for path in changed:
        each, target = before[path], prefix / path
        with _collect_error(target, problems):
            if each.is_folder:
                target.mkdir(parents=True, exist_ok=True)
            elif each.is_link:
                with suppress(FileNotFoundError):
                    target.unlink()
                target.symlink_to(each.target)
                _restore_owner(target, each)
            elif path in copies:
                _restore_file(home / str(copies[path].number), target, each)
            else:
                problems[target] = f"{printable(target)} has changed, and the update had kept no copy of it."
    return sum(not before[path].is_folder and prefix / path not in problems for path in changed)


def _restore_file(copy: Path, target: Path, each: FolderEntry) -> None:
    """Put a kept file in its place, in one step."""
    beside = target.with_name(_BESIDE)
    with suppress(FileNotFoundError):
        beside.unlink()
    shutil.copyfile(copy, beside)
    with beside.open("rb") as written:
        os.fsync(written.fileno())
    _restore_owner(beside, each)
    beside.chmod(stat.S_IMODE(each.mode))
    os.utime(beside, ns=(each.mtime_ns, each.mtime_ns))
    beside.replace(target)


def _restore_owner(path: Path, each: FolderEntry) -> None:
    """Give an entry its owner again, which only root can."""
    if os.geteuid() == 0:
        os.chown(path, *each.owner, follow_symlinks=False)


def _restore_project_files(root: Path, journal: UndoJournal, home: Path, problems: dict[Path, str]) -> int:
    changed = 0
    for stored_path, status in journal.project.items():
        target = root / decode_path(stored_path)
        copy = journal.project_copies.get(stored_path)
        with _collect_error(target, problems):
            if status is None or copy is None:
                with suppress(FileNotFoundError):
                    target.unlink()
                    changed += 1
            elif entry_at(target) != status or not _has_content_of(target, copy):
                _restore_file(home / str(copy.number), target, status)
                changed += 1
    return changed


def _restore_folders(prefix: Path, before: dict[str, FolderEntry], problems: dict[Path, str]) -> None:
    """Give folders their modes and times again, which every change in them changes."""
    for path, each in reversed(before.items()):
        if each.is_folder:
            with _collect_error(prefix / path, problems):
                _restore_owner(prefix / path, each)
                (prefix / path).chmod(stat.S_IMODE(each.mode))
                os.utime(prefix / path, ns=(each.mtime_ns, each.mtime_ns))


def _differences(
    prefix: Path, before: dict[str, FolderEntry], copies: dict[str, KeptCopy]
) -> Iterator[tuple[Path, str]]:
    now = list_folder(prefix)
    for path in sorted(now.keys() | before.keys()):
        if now.get(path) != before.get(path):
            yield prefix / path, f"{printable(prefix / path)} is not as it was."
        elif path in copies and not _has_content_of(prefix / path, copies[path]):
            yield prefix / path, f"{printable(prefix / path)} does not hold what it held."


def _has_content_of(path: Path, copy: KeptCopy) -> bool:
    """Tell whether a file holds what its copy does; one that cannot be read does not."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == copy.sha256
    except OSError:
        return False

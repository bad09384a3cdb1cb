"""Rolling an update back: everything as it was before, and proof that it is.

Every entry is reached from the open folder of the environment, or from the root, one name at a time and without
following a link: what somebody swaps for a link meanwhile is named among the problems.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from threading import Event
from typing import NamedTuple

import msgspec

from ...core.files import safe_files, state_files
from ...core.files.safe_files import TEMPORARY, Refused
from ...core.programs.interrupt import deferred_interrupt
from ...core.text.formatting import printable
from .folder_listing import FolderEntry, digest, entry_at, list_folder
from .undo_journal import FOLDER, KeptCopy, UndoJournal, decode_path, remove_folder

_PIECE = 1 << 20

_OPEN_LINK: int = os.O_CLOEXEC | (os.O_PATH | os.O_NOFOLLOW if sys.platform == "linux" else getattr(os, "O_SYMLINK", 0))
"""Opens a link itself, not what it leads to."""

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


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


class _Environment(NamedTuple):
    """The environment: its path, for people; its open folder; what lay in it, and the copies of files in it."""

    prefix: Path
    top: int
    before: dict[str, FolderEntry]
    copies: dict[str, KeptCopy]


def roll_back(root: Path, prefix: Path, journal: UndoJournal, stop: Event) -> Rollback:
    """Undo an update; once more after a kill in the middle of it does no harm.

    What cannot be put back stops nothing else, and is named among the problems. Ctrl-C does not end it: what is
    half put back would be reported by nobody.

    Args:
        root: the project.
        prefix: the environment's folder, which the caller has compared with the project's.
        journal: what the update left there.
        stop: is set where Ctrl-C came meanwhile.
    """
    with deferred_interrupt() as interrupted:
        done = _roll_back(root, prefix, journal)
    if interrupted.is_set():
        stop.set()
    return done


def _roll_back(root: Path, prefix: Path, journal: UndoJournal) -> Rollback:
    before = {decode_path(path): _decode_entry(each) for path, each in journal.listing.items()}
    copies = {decode_path(path): copy for path, copy in journal.copies.items()}
    problems: dict[Path, str] = {}
    replaced = removed = 0
    try:
        prefix.mkdir(parents=True, exist_ok=True)
        with safe_files.folder(prefix, ".") as top:
            environment = _Environment(prefix, top, before, copies)
            removed = _remove_new(environment, problems)
            replaced = _restore_environment(root, environment, problems)
            replaced += _restore_project_files(root, journal, problems)
            _restore_folders(environment, problems)
            for path, difference in _differences(environment):
                problems.setdefault(path, difference)
    except (Refused, OSError) as error:
        path = Path(os.fsdecode(getattr(error, "filename", None) or prefix))
        problems.setdefault(path, _not_put_back(path, error))
    if not problems:
        remove_folder(root)
    return Rollback(replaced, removed, tuple(problems.values()))


def _not_put_back(path: Path, error: Exception) -> str:
    reason = (error.strerror if isinstance(error, OSError) else None) or printable(error).rstrip(".")
    return f"{printable(path)} cannot be put back: {reason}."


@contextmanager
def _collect_error(path: Path, problems: dict[Path, str]) -> Iterator[None]:
    """Note why an entry cannot be put back, and let the others be."""
    try:
        yield
    except (Refused, OSError, OverflowError) as error:
        problems.setdefault(path, _not_put_back(path, error))


@contextmanager
def _folder_of(top: Path | int, path: str) -> Iterator[tuple[int, str]]:
    """Open the folder of an entry below another folder, and give its descriptor and the entry's name."""
    place = PurePosixPath(path)
    with safe_files.folder(top, str(place.parent)) as folder:
        yield folder, place.name


def _decode_entry(each: FolderEntry) -> FolderEntry:
    return msgspec.structs.replace(each, target=decode_path(each.target))


def _remove_new(environment: _Environment, problems: dict[Path, str]) -> int:
    now, before = list_folder(environment.top), environment.before
    new = [path for path in now if path not in before or _file_type(now[path]) != _file_type(before[path])]
    for path in reversed(new):
        with _collect_error(environment.prefix / path, problems), _folder_of(environment.top, path) as (folder, name):
            if now[path].is_folder:
                shutil.rmtree(name, ignore_errors=True, dir_fd=folder)  # what is left shows as a difference
            else:
                with suppress(FileNotFoundError):
                    os.unlink(name, dir_fd=folder)
    return len(new)


def _file_type(each: FolderEntry) -> int:
    return stat.S_IFMT(each.mode)


def _restore_environment(root: Path, environment: _Environment, problems: dict[Path, str]) -> int:
    """Put back what is missing or different, folders first, and return how much that was."""
    now, before, copies = list_folder(environment.top), environment.before, environment.copies
    changed = [
        path
        for path, each in before.items()
        if now.get(path) != each or (path in copies and digest(environment.top, path) != copies[path].sha256)
    ]
    for path in changed:
        target = environment.prefix / path
        with _collect_error(target, problems), _folder_of(environment.top, path) as place:
            if path in copies:
                _restore_file(root, copies[path], place, before[path])
            elif not _restore_other(place, before[path]):
                problems[target] = f"{printable(target)} has changed, and the update had kept no copy of it."
    return sum(not before[path].is_folder and environment.prefix / path not in problems for path in changed)


def _restore_other(place: tuple[int, str], each: FolderEntry) -> bool:
    """Make a folder or a link again; False where it is something else, of which a copy would be needed."""
    folder, name = place
    if each.is_folder:
        with suppress(FileExistsError):
            if name:  # the environment's own is there
                os.mkdir(name, dir_fd=folder)
        return True
    if each.is_link:
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=folder)
        os.symlink(each.target, name, dir_fd=folder)
        _give_link(folder, name, each)
        return True
    return False


def _restore_file(root: Path, copy: KeptCopy, place: tuple[int, str], each: FolderEntry) -> None:
    """Put a kept file in its place, in one step.

    Raises:
        Refused: its copy is not believed, or does not hold what was kept.
        OSError: it cannot be read or written.
    """
    folder, name = place
    with suppress(FileNotFoundError):
        os.unlink(TEMPORARY, dir_fd=folder)
    with state_files.opened(root, f"{FOLDER}/{copy.number}") as (kept, _):
        descriptor = os.open(TEMPORARY, _CREATE, 0o600, dir_fd=folder)
        try:
            with os.fdopen(descriptor, "wb") as target, os.fdopen(kept, "rb", closefd=False) as source:
                held = hashlib.sha256()
                while piece := source.read(_PIECE):
                    held.update(piece)
                    target.write(piece)
                if held.hexdigest() != copy.sha256:
                    raise Refused(f"its copy {FOLDER}/{copy.number} is damaged.")  # noqa: TRY301 - undone as an error
                target.flush()
                _give_attributes(target.fileno(), each, stat.S_IMODE(each.mode) & 0o777)
                os.fsync(target.fileno())
            os.rename(TEMPORARY, name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            with suppress(OSError):
                os.unlink(TEMPORARY, dir_fd=folder)
            raise


def _give_link(folder: int, name: str, each: FolderEntry) -> None:
    """Give a link its owner again, which only root can: the link that was opened, whatever has its name by then."""
    if os.geteuid() != 0:
        return
    descriptor = os.open(name, _OPEN_LINK, dir_fd=folder)
    try:
        if stat.S_ISLNK(os.fstat(descriptor).st_mode):
            # A link opened on Linux has no other handle than its name in /proc, which leads to the link itself.
            os.chown(f"/proc/self/fd/{descriptor}" if sys.platform == "linux" else descriptor, *each.owner)
    finally:
        os.close(descriptor)


def _give_attributes(descriptor: int, each: FolderEntry, mode: int) -> None:
    """Give an open entry its owner again, which only root can, its mode and the time of its last write."""
    if os.geteuid() == 0:
        os.fchown(descriptor, *each.owner)
    os.fchmod(descriptor, mode)
    os.utime(descriptor, ns=(each.mtime_ns, each.mtime_ns))


def _restore_project_files(root: Path, journal: UndoJournal, problems: dict[Path, str]) -> int:
    changed = 0
    for stored_path, status in journal.project.items():
        path = decode_path(stored_path)
        copy = journal.project_copies.get(stored_path)
        with _collect_error(root / path, problems):
            if status is None or copy is None:
                with suppress(FileNotFoundError), _folder_of(root, path) as (folder, name):
                    os.unlink(name, dir_fd=folder)
                    changed += 1
            elif entry_at(root, path) != status or digest(root, path) != copy.sha256:
                with _folder_of(root, path) as place:
                    _restore_file(root, copy, place, status)
                changed += 1
    return changed


def _restore_folders(environment: _Environment, problems: dict[Path, str]) -> None:
    """Give folders their owners, modes and times again, which every change in them changes."""
    for path, each in reversed(environment.before.items()):
        if each.is_folder:
            with (
                _collect_error(environment.prefix / path, problems),
                safe_files.folder(environment.top, path) as descriptor,
            ):
                _give_attributes(descriptor, each, stat.S_IMODE(each.mode))


def _differences(environment: _Environment) -> Iterator[tuple[Path, str]]:
    prefix, before, copies = environment.prefix, environment.before, environment.copies
    now = list_folder(environment.top)
    for path in sorted(now.keys() | before.keys()):
        if now.get(path) != before.get(path):
            yield prefix / path, f"{printable(prefix / path)} is not as it was."
        elif path in copies and digest(environment.top, path) != copies[path].sha256:
            yield prefix / path, f"{printable(prefix / path)} does not hold what it held."

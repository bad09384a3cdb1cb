"""The snapshot of what an update is about to replace, taken before it replaces anything."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path, PurePosixPath

import msgspec

from ...core.files import safe_files
from ...core.files.safe_files import Refused
from ...core.text.formatting import size
from ..environment import Environment, dist_infos, recorded_files
from .folder_listing import OPEN, FolderEntry, FolderListing, entry_at, list_folder
from .undo_journal import FOLDER, KeptCopy, UndoJournal, discard, encode_path, prepare_folder, write_journal

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

_BLOCK = 1 << 20

_SPARE = 10 << 20
"""Bytes that are to stay free beside the copies."""


def take_snapshot(
    root: Path,
    environment: Environment,
    names: Iterable[str],
    paths: Iterable[str],
    *,
    moves: Iterable[str],
    now: datetime,
) -> None:
    """Keep the files of packages that are to be replaced, and the project's files that are to be changed.

    Args:
        root: the project.
        environment: the one that is about to change.
        names: the packages in it whose files are replaced or removed.
        paths: the project's files that change, below the root; they need not be there.
        moves: what changes, for people.
        now: the moment of the run.

    Raises:
        Refused: a package cannot be undone, there is no room, or an earlier update is unfinished.
        OSError: something cannot be read or written.
    """
    before = list_folder(environment.prefix)
    compiled = _compiled_files(before)
    replaced = sorted({path for name in names for path in _files_of(name, environment, before, compiled)})
    project = {path: entry_at(root, path) for path in paths}
    present = [path for path, status in project.items() if status is not None]
    needed = sum(before[path].size for path in replaced)
    free = shutil.disk_usage(root).free
    if needed + _SPARE > free:
        raise Refused(
            f"To be able to undo the update, {size(needed)} must be kept, but the disk has {size(free)} free."
        )
    prepare_folder(root)
    try:
        with safe_files.folder(root, FOLDER) as home:
            copies = dict(_copy_files(environment.prefix, replaced, home, 0))
            kept = dict(_copy_files(root, present, home, len(copies)))
        write_journal(
            root,
            UndoJournal(
                prefix=encode_path(str(environment.prefix)),
                python=encode_path(str(environment.python)),
                moves=list(moves),
                started=now.isoformat(),
                listing={encode_path(path): _encode_entry(each) for path, each in before.items()},
                copies=copies,
                project={encode_path(path): status for path, status in project.items()},
                project_copies=kept,
            ),
        )
    except BaseException:
        discard(root, FOLDER)
        raise


def _encode_entry(each: FolderEntry) -> FolderEntry:
    return msgspec.structs.replace(each, target=encode_path(each.target))


def _copy_files(base: Path, paths: Iterable[str], home: int, first: int) -> Iterator[tuple[str, KeptCopy]]:
    """Copy files and yield each with its copy."""
    for number, path in enumerate(paths, first):
        digest = hashlib.sha256()
        place = PurePosixPath(path)
        with safe_files.folder(base, str(place.parent)) as folder:
            source = os.open(place.name, OPEN, dir_fd=folder)
        with (
            os.fdopen(source, "rb") as reader,
            os.fdopen(os.open(str(number), _CREATE, 0o600, dir_fd=home), "wb") as writer,
        ):
            while block := reader.read(_BLOCK):
                digest.update(block)
                writer.write(block)
        yield encode_path(path), KeptCopy(number, digest.hexdigest())


def _files_of(
    name: str, environment: Environment, before: FolderListing, compiled: Mapping[str, list[str]]
) -> Iterator[str]:
    """Yield the regular files of an installed package, those that were compiled from its modules included."""
    found_infos = [*dist_infos(environment, name)]
    if not found_infos:
        raise Refused(f"{name} has no list of its files, so an update of it could not be undone.")
    for info in found_infos:
        base = info.parent.relative_to(environment.prefix)
        prefix = f"{info.relative_to(environment.prefix)}/"
        found = {path for path in before if path.startswith(prefix)}
        found |= {os.path.normpath(base / path) for path in recorded_files(info)}
        for path in found & before.keys():
            if before[path].is_folder or before[path].is_link:
                continue
            yield path
            yield from compiled.get(path, ())


def _compiled_files(before: FolderListing) -> Mapping[str, list[str]]:
    """Return, for each module, what was compiled from it: ``__pycache__/NAME.cpython-311.pyc`` for ``NAME.py``."""
    found = defaultdict[str, list[str]](list)
    for path in before:
        place = PurePosixPath(path)
        if place.parent.name == "__pycache__" and place.suffix == ".pyc":
            found[str(place.parent.parent / f"{place.name.partition('.')[0]}.py")].append(path)
    return found

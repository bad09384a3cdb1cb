"""The data files there are: their contents' checksums, and whether each can be read by its own format."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import Event
from typing import NamedTuple

from ...core.files import safe_files
from ...core.files.validation import fault
from ...core.text.formatting import printable

_PIECE = 1 << 20
_NEVER = frozenset({".git", ".venv", "venv", "__pycache__", "node_modules"})


class Record(NamedTuple):
    """What a file was: SHA-256 of its content, bytes, and when it was changed last, in nanoseconds since 1970."""

    sha256: str
    size: int
    mtime_ns: int


class Found(NamedTuple):
    """What was found.

    Attributes:
        records: of the files that could be read, by path below the root.
        faults: what is wrong with files, by path, as the end of a sentence.
        unread: why files could not be read, by path.
    """

    records: dict[str, Record]
    faults: dict[str, str]
    unread: dict[str, str]


def take(root: Path, patterns: Sequence[str], stop: Event, advance: Callable[[int], None]) -> Found:
    """Read every file that the patterns name once for its checksum, and parse those of a known format.

    Links are not followed; folders of environments and repositories are not entered.

    Args:
        root: the project.
        patterns: shell patterns of paths below it; ``**`` stands for any folders.
        stop: ends it between two files where it is set.
        advance: told after each file.
    """
    found = Found({}, {}, {})
    for path in sorted({*_named(root, patterns)}):
        if stop.is_set():
            break
        try:
            found.records[path] = _record(root, path)
            if problem := fault(root / path, path):
                found.faults[path] = problem
        except FileNotFoundError:
            continue
        except (safe_files.Refused, OSError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            found.unread[path] = printable(reason).rstrip(".")
        advance(1)
    return found


def _named(root: Path, patterns: Sequence[str]) -> Iterator[str]:
    for pattern in patterns:
        if pattern.endswith("/**"):  # glob's own ** means folders only before Python 3.13
            yield from _below(root, pattern.removesuffix("/**"))
        else:
            for path in root.glob(pattern):
                if path.is_dir() and not path.is_symlink():
                    yield from _below(root, path.relative_to(root).as_posix())
                elif _is_file(path):
                    yield path.relative_to(root).as_posix()


def _below(root: Path, folder: str) -> Iterator[str]:
    top = root / folder
    if top.is_symlink():
        return
    for parent, folders, names in os.walk(top):
        folders[:] = [name for name in folders if name not in _NEVER]
        for name in names:
            path = Path(parent, name)
            if _is_file(path):
                yield path.relative_to(root).as_posix()


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def _record(root: Path, path: str) -> Record:
    digest = hashlib.sha256()
    with safe_files.regular_file(root, path) as (descriptor, _), os.fdopen(descriptor, "rb", closefd=False) as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
        status = os.fstat(descriptor)
    return Record(digest.hexdigest(), status.st_size, status.st_mtime_ns)

"""The checksums of the data files: taken, and kept from one audit to the next."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple

from ...core.files import json_files, safe_files
from ...core.files.validation import fault
from ...core.text.formatting import printable

_PIECE = 1 << 20
_NEVER = frozenset({".git", ".venv", "venv", "__pycache__", "node_modules"})


class ChecksumRecord(NamedTuple):
    """What a file was: SHA-256 of its content, bytes, and when it was changed last, in nanoseconds since 1970."""

    sha256: str
    size: int
    mtime_ns: int


class DataFiles(NamedTuple):
    """What was found.

    Attributes:
        records: of the files that could be read, by path below the root.
        faults: what is wrong with files, by path, as the end of a sentence.
        unread: why files could not be read, by path.
    """

    records: dict[str, ChecksumRecord]
    faults: dict[str, str]
    unread: dict[str, str]


def take_checksums(
    root: Path,
    patterns: Sequence[str],
    is_own: Callable[[str], bool],
    stop: Event,
    advance: Callable[[int], None],
) -> DataFiles:
    """Read every file that the patterns name once for its checksum, and parse those of a known format.

    Links are not followed; folders of environments and repositories are not entered.

    Args:
        root: the project.
        patterns: shell patterns of paths below it; ``**`` stands for any folders.
        is_own: by path, whether a file is the suite's own, which changes with each run and is no data.
        stop: ends it between two files where it is set.
        advance: called after each file.
    """
    found = DataFiles({}, {}, {})
    for path in sorted(path for path in {*_named(root, patterns)} if not is_own(path)):
        if stop.is_set():
            break
        try:
            found.records[path] = _checksum(root, path)
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


def _checksum(root: Path, path: str) -> ChecksumRecord:
    digest = hashlib.sha256()
    with safe_files.regular_file(root, path) as (descriptor, _), os.fdopen(descriptor, "rb", closefd=False) as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
        status = os.fstat(descriptor)
    return ChecksumRecord(digest.hexdigest(), status.st_size, status.st_mtime_ns)


FILE = "audit_checksums.json"
"""In the log folder."""

SCHEMA = 1


class KeptChecksums(NamedTuple):
    """What the last audit kept.

    Attributes:
        records: by path below the root.
        moment: when; ``None`` where there was no audit, or its file cannot be used.
        found: what reading the file gave.
    """

    records: dict[str, ChecksumRecord]
    moment: datetime | None
    found: json_files.Found


def read_checksums(root: Path, directory: str) -> KeptChecksums:
    """Read the ledger in the log folder."""
    found = json_files.read_object(root, f"{directory}/{FILE}")
    content = found.content
    files, moment = content.get("files"), _moment(content.get("taken"))
    if content and (content.get("schema") != SCHEMA or not isinstance(files, dict) or moment is None):
        problem = f"{directory}/{FILE} is no list of checksums of this version."
        return KeptChecksums({}, None, json_files.Found({}, problem, broken=True))
    records = {path: record for path, row in (files or {}).items() if (record := _record(row))}
    return KeptChecksums(records, moment, found)


def write_checksums(
    root: Path, directory: str, records: Mapping[str, ChecksumRecord], now: datetime, before: KeptChecksums
) -> None:
    """Keep the records; a file that could not be used is kept aside.

    Raises:
        Refused, OSError: it was not written, and the old one is where it was.
    """
    content = {"schema": SCHEMA, "taken": now.isoformat(), "files": {path: [*row] for path, row in records.items()}}
    json_files.write_object(root, f"{directory}/{FILE}", content, before.found)


def _moment(text: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None


def _record(row: Any) -> ChecksumRecord | None:
    match row:
        case [str(sha256), int(size), int(mtime_ns)]:
            return ChecksumRecord(sha256, size, mtime_ns)
    return None

"""The checksums of the data files: taken, and kept from one audit to the next."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import Meta

from ...core.files import safe_files, state_files
from ...core.files.state_files import Below, Size, StateFile
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

_LARGEST = 100_000_000
"""Bytes of that file; 100,000 data files make 20 million."""

_Digest = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]


class _Content(msgspec.Struct, frozen=True, kw_only=True):
    """What the file holds: digest, size and time of last change of each file."""

    schema: Literal[1]
    moment: Annotated[datetime, Meta(tz=True)] = msgspec.field(name="taken")
    files: dict[Below, tuple[_Digest, Size, int]]


class KeptChecksums(NamedTuple):
    """What the last audit kept.

    Attributes:
        records: by path below the root.
        moment: when; ``None`` where there was no audit, or its file cannot be used.
        found: what reading the file gave.
    """

    records: dict[str, ChecksumRecord]
    moment: datetime | None
    found: StateFile[Any]


def read_checksums(root: Path, directory: str) -> KeptChecksums:
    """Read the ledger in the log folder."""
    state = state_files.read(root, f"{directory}/{FILE}", _Content, limit=_LARGEST)
    if state.content is None:
        return KeptChecksums({}, None, state)
    records = {path: ChecksumRecord(*row) for path, row in state.content.files.items()}
    return KeptChecksums(records, state.content.moment, state)


def write_checksums(
    root: Path, directory: str, records: Mapping[str, ChecksumRecord], now: datetime, before: KeptChecksums
) -> None:
    """Keep the records; a file that could not be used is kept aside.

    Raises:
        Refused, OSError: it was not written, and the old one is where it was.
    """
    content = {"schema": 1, "taken": now.isoformat(), "files": {path: [*row] for path, row in records.items()}}
    state_files.write(root, f"{directory}/{FILE}", content, before.found)

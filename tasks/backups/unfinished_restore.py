"""A restore that was killed half way: its folder is marked, so that the next run finishes it.

The mark is written before the first file and removed after the last one is on the disk. What the killed run had made is
made again; a file that is not what a half-done restore leaves is somebody's, and is kept aside.
"""

from __future__ import annotations

import hashlib
import os
import stat
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Literal

import msgspec

from ..core.files import safe_files, state_files
from ..core.files.state_files import Plain, StateFile
from .archive_format import BLOCK
from .manifest import Manifest, ManifestEntry

MARK = ".maintenance-restoring"
"""The mark's name, in the folder that is restored into."""

_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class _Mark(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    schema: Literal[1]
    backup: Plain


def unfinished(root: Path, into: str) -> str | None:
    """Return the name of the backup that a killed run was restoring into a folder; ``None`` where there is no mark."""
    mark = state_files.read(root, f"{into}/{MARK}", _Mark, limit=10_000).content
    return None if mark is None else mark.backup


def mark(root: Path, into: str, backup: str) -> None:
    """Mark a folder as being restored into; the caller holds the project's lock.

    Raises:
        Refused, OSError: it cannot be written.
    """
    state_files.write(root, f"{into}/{MARK}", {"schema": 1, "backup": backup}, StateFile())


def unmark(root: Path, into: str) -> None:
    """Remove the mark.

    Raises:
        Refused, OSError: it cannot be removed.
    """
    state_files.remove(root, f"{into}/{MARK}")


def clear(root: Path, into: str, manifest: Manifest) -> list[str]:
    """Remove what a killed run has restored, so that it can be restored again, and return what was kept aside.

    Removed is a file that holds what the backup has for it, or less. Anything else under its name is kept under another
    one. What the backup does not hold is left.

    Raises:
        Refused, OSError: something cannot be removed.
    """
    kept = []
    for entry in reversed(manifest.entries):
        path = PurePosixPath(into, entry.name)
        with suppress(FileNotFoundError), safe_files.folder(root, str(path.parent)) as parent:
            if entry.is_file:
                if _is_left_over(parent, path.name, entry):
                    os.unlink(path.name, dir_fd=parent)
                else:
                    kept.append(state_files.set_aside(root, str(path)))
            else:
                with suppress(OSError):  # it holds what the backup does not
                    os.rmdir(path.name, dir_fd=parent)
    return kept


def _is_left_over(parent: int, name: str, entry: ManifestEntry) -> bool:
    """Tell whether a file is what a killed run leaves: whole, or shorter than it was to become."""
    status = os.stat(name, dir_fd=parent, follow_symlinks=False)
    if not stat.S_ISREG(status.st_mode) or status.st_size > entry.size:
        return False
    return status.st_size < entry.size or _digest(parent, name) == entry.sha256


def _digest(parent: int, name: str) -> str:
    digest = hashlib.sha256()
    with os.fdopen(os.open(name, _OPEN, dir_fd=parent), "rb") as file:
        while piece := file.read(BLOCK):
            digest.update(piece)
    return digest.hexdigest()

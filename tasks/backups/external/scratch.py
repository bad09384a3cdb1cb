"""The folder into which a repository is restored, and which is removed again whatever is in it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ...core.files import safe_files

NAME = ".restore-external"


@contextmanager
def scratch(root: Path, directory: str) -> Iterator[Path]:
    """Make the folder below *directory*, which only its owner can enter, and remove it at the end.

    Raises:
        Refused, OSError: it cannot be made, or what a killed run left there cannot be removed.
    """
    is_new = not (root / directory).exists()
    with safe_files.folder(root, directory, create=True) as parent:
        try:
            _remove(parent, root / directory / NAME)
            os.mkdir(NAME, 0o700, dir_fd=parent)
            yield root / directory / NAME
        finally:
            with suppress(OSError):
                _remove(parent, root / directory / NAME)
            if is_new:
                with suppress(OSError):  # something else is in it by now
                    (root / directory).rmdir()


def _remove(parent: int, path: Path) -> None:
    """Remove what was restored; a folder may have been restored without the permission to empty it."""
    for folder, names, _ in os.walk(path):
        for name in names:
            below = Path(folder, name)
            if not below.is_symlink():
                below.chmod(0o700)
    with suppress(FileNotFoundError):
        shutil.rmtree(NAME, dir_fd=parent)

"""Opening the record: a regular file below the root, never through a link."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from ..core.files import Refused, folder
from ..core.names import printable


@contextmanager
def opened(root: Path, relative: str) -> Iterator[tuple[int, int]]:
    """Open a file and give its descriptor and its size in bytes.

    Args:
        root: the project.
        relative: the file's path below it.

    Raises:
        Refused: it is a link or no regular file.
        OSError: it is missing or cannot be read.
    """
    path = PurePosixPath(relative)
    with folder(root, str(path.parent)) as parent:
        try:
            descriptor = os.open(path.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=parent)
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise Refused(f"{printable(relative)} is a symbolic link, which is not followed.") from None
            raise
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise Refused(f"{printable(relative)} is not a regular file.")
        yield descriptor, status.st_size
    finally:
        os.close(descriptor)

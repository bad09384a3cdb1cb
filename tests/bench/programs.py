"""The programs that ours is held against."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

_SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")
"""Where some systems have logrotate, though the path of an ordinary user does not name them."""


class NotInstalled(Exception):
    """A program is missing; the message says what to install."""


def program(name: str, *, package: str | None = None) -> Path:
    """Return where a program is.

    Args:
        name: the program's.
        package: the package that brings it, where it is called otherwise.

    Raises:
        NotInstalled: it is not on this machine.
    """
    folders = (*os.environ.get("PATH", os.defpath).split(os.pathsep), *_SYSTEM_FOLDERS)
    found = shutil.which(name, path=os.pathsep.join(folders))
    if found is None:
        raise NotInstalled(f"{name} is not installed; install the package {package or name} (apt, dnf or brew)")
    return Path(found)

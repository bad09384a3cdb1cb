"""Files that hold keys: one walk of the project, without following links."""

from __future__ import annotations

import fnmatch
import os
import stat
from itertools import islice
from pathlib import Path, PurePosixPath
from threading import Event
from typing import NamedTuple

from ...conventions.environment_file import TEMPLATE_ENDINGS
from ...core.settings.model import Settings

_SKIPPED = frozenset({".git", ".hg", ".svn", ".venv", "venv", "node_modules", "__pycache__", ".tox", ".nox"})
_SKIPPED |= {".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".cache"}
"""Names of folders that hold no keys of the project: repositories, environments, caches."""

_ENVIRONMENT = "pyvenv.cfg"
"""The file that makes a folder a virtual environment, under any name (PEP 405)."""

_KEYS = ("*.pem", "*.key", "*.p12", "*.pfx", "id_rsa", "id_dsa", "id_ecdsa", "id_ed25519")

MOST = 200_000
"""Entries of folders that are looked at."""


class KeyFile(NamedTuple):
    """A file that may hold keys.

    Attributes:
        path: below the root.
        status: of the file itself.
        folder: the status of its folder.
        foreign: True where that belongs to another repository inside the project.
    """

    path: str
    status: os.stat_result
    folder: os.stat_result
    foreign: bool


class KeyFileWalk(NamedTuple):
    """What a walk found: the files, the folders that cannot be looked into, and whether it came to its end."""

    keys: list[KeyFile]
    unread: list[str]
    whole: bool


def is_environment(path: str) -> bool:
    """Tell whether a file holds variables of the environment with their values: ``.env``, ``.env.local``."""
    name = PurePosixPath(path).name
    return name == ".env" or (name.startswith(".env.") and name.rpartition(".")[2] not in TEMPLATE_ENDINGS)


def find_key_files(root: Path, settings: Settings, stop: Event) -> KeyFileWalk:
    """Walk the project and return the files whose names say that they hold keys.

    Args:
        root: the project.
        settings: name the folders of the cache and of the logs, whose archives are left out.
        stop: ends the walk where it is set.
    """
    out = {_plain(settings.cache.directory), _plain(f"{settings.logs.directory}/archive")}
    keys: list[KeyFile] = []
    unread: list[str] = []
    left, waiting = MOST, [(".", False)]
    while waiting and left > 0 and not stop.is_set():
        folder, foreign = waiting.pop()
        try:
            here = (root / folder).stat()
            entries = _entries(root / folder, left)
        except OSError:
            unread.append(folder)
            continue
        left -= len(entries)
        names = {entry.name for entry in entries}
        if _ENVIRONMENT in names:
            continue
        foreign = foreign or (folder != "." and ".git" in names)
        for entry in entries:
            path = entry.name if folder == "." else f"{folder}/{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                waiting += [(path, foreign)] * (entry.name not in _SKIPPED and path not in out)
            elif _holds_keys(entry.name):
                keys += _key_files(entry, path, here, foreign=foreign)
    return KeyFileWalk(sorted(keys, key=lambda each: each.path), unread, left > 0 and not stop.is_set())


def _plain(path: str) -> str:
    return str(PurePosixPath(path))


def _entries(folder: Path, most: int) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as found:
        return [*islice(found, most)]


def _holds_keys(name: str) -> bool:
    return is_environment(name) or any(fnmatch.fnmatchcase(name.lower(), pattern) for pattern in _KEYS)


def _key_files(entry: os.DirEntry[str], path: str, folder: os.stat_result, *, foreign: bool) -> list[KeyFile]:
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError:  # it went while we looked
        return []
    return [KeyFile(path, status, folder, foreign)] if stat.S_ISREG(status.st_mode) else []

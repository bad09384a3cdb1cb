"""Where the project keeps a cache: a folder that Git does not track, and that a source or setting names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from .convention import Convention, Evidence
from .project_files import ProjectFiles

_SOUGHT = "folders named cache or .cache, and those that sources and settings name as a cache, without tracked files"

_NAMES = ("cache", ".cache", "var/cache")

_NAMED = re.compile(
    rb"""(?m)^[ \t]*(?:self\.)?\w*(?:CACHE|cache)_?"""
    rb"""(?:DIR|dir|DIRECTORY|directory|FOLDER|folder|PATH|path|ROOT|root)[ \t]*"""
    rb"""(?::[ \t]*\w+[ \t]*)?[:=][ \t]*(?:(?:pathlib\.)?Path\()?["']((?:\./)?[\w./-]*cache[\w.-]*)["']"""
)
"""A name that says it: ``CACHE_DIR = Path("cache")``, ``cache_folder: ".cache"``."""

_TOOLS = frozenset({".mypy_cache", ".pytest_cache", ".ruff_cache", "__pycache__"})
"""Caches of developers' tools, which look after them."""

_HINTS = (b"CACHE_", b"cache_dir", b"cache_folder", b"cache_path", b"cache_root", b"cachedir")

_KEPT = frozenset({".gitignore", ".gitkeep", ".keep", "README.md", "README"})
"""Files that are tracked so that an empty folder is."""

_SHOWN = 3


def find_cache_folders(files: ProjectFiles) -> Convention[tuple[str, ...]]:
    """Return the folders of caches that are there, those first that are named most often.

    A folder that holds tracked files or code is the project's own work, whatever it is called. One that is only named
    may be the default of a library, and holds nothing.
    """
    places: dict[str, list[Evidence]] = {}
    for folder, evidence in (*_present(files), *_mentioned(files)):
        if (files.root / folder).is_dir() and not _is_work(files, folder):
            places.setdefault(folder, []).append(evidence)
    order = sorted(places, key=lambda folder: (-len(places[folder]), folder))
    return Convention(
        "cache folders",
        _SOUGHT,
        tuple(order) or None,
        ", ".join(order),
        tuple(each for folder in order for each in places[folder][:_SHOWN]),
        setting="maintenance.cache.directory",
    )


def _present(files: ProjectFiles) -> Iterator[tuple[str, Evidence]]:
    for folder in _NAMES:
        path = files.root / folder
        if path.is_dir() and not path.is_symlink():
            yield folder, Evidence(f"{folder}/")


def _mentioned(files: ProjectFiles) -> Iterator[tuple[str, Evidence]]:
    for match in files.matches(_NAMED, (*files.sources, *files.settings), _HINTS):
        folder = PurePosixPath(match.found[1].decode())
        if not folder.is_absolute() and not {"..", *_TOOLS} & {*folder.parts}:
            yield str(folder), Evidence(match.path, match.line, match.text)


def _is_work(files: ProjectFiles, folder: str) -> bool:
    inside = [path for path in files.tracked or () if path.startswith(f"{folder}/")]
    if any(path.rpartition("/")[2] not in _KEPT for path in inside):
        return True
    return next((files.root / folder).glob("*.py"), None) is not None

"""Where the project keeps data that it reads: folders named data, and what is in them."""

from __future__ import annotations

from collections import Counter

from .convention import Convention, Evidence
from .project_files import ProjectFiles, is_foreign

_SOUGHT = "folders named data with .yaml, .yml, .json, .jsonl, .toml, .csv, .db or .sqlite files"

_SUFFIXES = (".csv", ".db", ".json", ".jsonl", ".sqlite", ".sqlite3", ".toml", ".yaml", ".yml")

_DEEPEST = 2
"""Folders above a folder of data, at most."""


def find_data_files(files: ProjectFiles) -> Convention[tuple[str, ...]]:
    """Return the folders of data as patterns, ``data/**``."""
    number: Counter[str] = Counter()
    first: dict[str, str] = {}
    for path in files.paths:
        parts = path.split("/")
        if "data" not in parts[:-1] or not path.endswith(_SUFFIXES) or is_foreign(path):
            continue
        depth = parts.index("data")
        if depth <= _DEEPEST:
            folder = "/".join(parts[: depth + 1])
            number[folder] += 1
            first.setdefault(folder, path)
    return Convention(
        "data files",
        _SOUGHT,
        tuple(f"{folder}/**" for folder in sorted(number)) or None,
        ", ".join(sorted(number)),
        tuple(Evidence(first[folder], None, f"{number[folder]:,} files") for folder in sorted(number)),
        setting="maintenance.audit.data",
    )

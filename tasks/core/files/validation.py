"""Whether a file can be used: by its own format, without running or importing it."""

from __future__ import annotations

import ast
import json
import sqlite3
import tomllib
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from threading import Event

from ..text.formatting import printable

_LARGEST = 100_000_000
"""Bytes of a file that is parsed; a database of any size is asked."""

_SQLITE = b"SQLite format 3\0"


def fault(path: Path, name: str, stop: Event | None = None) -> str | None:
    """Return what is wrong with a file, as the end of a sentence; ``None`` where it is well or of another format.

    Args:
        path: where it lies.
        name: what it is called, whose ending says its format; a database is known by its content.
        stop: ends a long look where it is set, and what is returned then says nothing.
    """
    stop = stop or Event()
    with path.open("rb") as file:
        if file.read(len(_SQLITE)) == _SQLITE:
            return _database(path, stop)
    check = _CHECKS.get(PurePosixPath(name).suffix.lower())
    if check is None or path.stat().st_size > _LARGEST:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            check(path.read_bytes(), stop)
    except (ValueError, SyntaxError, RecursionError, MemoryError) as error:
        return f"it does not parse: {printable(error) or type(error).__name__}"
    return None


def _yaml(content: bytes, stop: Event) -> None:
    import yaml

    try:
        for _ in yaml.parse(content, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            if stop.is_set():
                return
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from None


_STEPS = 100_000
"""Of SQLite's machine, after which a wish to stop is looked for: some milliseconds."""


def _database(path: Path, stop: Event) -> str | None:
    """Return what SQLite's own check finds in a database, which is opened so that nothing of it is changed."""
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
        connection.set_progress_handler(stop.is_set, _STEPS)
        try:
            found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(3)")]
        finally:
            connection.close()
    except sqlite3.Error as error:
        return f"the database cannot be opened: {printable(error)}"
    return None if found == ["ok"] else f"the database is damaged: {printable('; '.join(found))}"


_CHECKS: Mapping[str, Callable[[bytes, Event], object]] = {
    ".json": lambda content, _: json.loads(content),
    ".py": lambda content, _: ast.parse(content),
    ".toml": lambda content, _: tomllib.loads(content.decode()),
    ".yaml": _yaml,
    ".yml": _yaml,
}

"""Which reader takes which file, by the end of its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Any

from .ini_reader import read_ini
from .json_reader import read_json
from .parsed_document import Document, Problem
from .python_reader import read_python
from .toml_reader import read_toml
from .yaml_reader import DEEPEST, read_yaml

_READERS: Mapping[str, Callable[[str], Document]] = {
    ".py": read_python,
    ".yaml": read_yaml,
    ".yml": read_yaml,
    ".json": read_json,
    ".toml": read_toml,
    ".ini": read_ini,
    ".cfg": read_ini,
    ".conf": read_ini,
}


def read_document(name: str, text: str) -> Document:
    """Return what a text says in the format of its file's suffix.

    Args:
        name: the file's name or path.
        text: its text.
    """
    reader = _READERS.get(PurePosixPath(name).suffix.lower())
    if reader is None:
        message = f"its format is not known; the end of its name was expected to be one of {', '.join(_READERS)}"
        return Document(None, (Problem(message),), readable=False, supported=False)
    if not text.strip():
        return Document(None, (Problem("it is empty"),))
    document = reader(text)
    if document.readable and _deeper(document.value, DEEPEST):
        return Document(
            None, (*document.problems, Problem(f"it has more than {DEEPEST} levels of nesting")), readable=False
        )
    return document


def _deeper(value: Any, levels: int) -> bool:
    """Tell whether collections are nested in more than *levels* levels."""
    level = [value]
    for _ in range(levels + 1):
        level = [inner for each in {id(each): each for each in level}.values() for inner in _within(each)]
        if not level:
            return False
    return True


def _within(value: Any) -> list[Any]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple | set) else ()
    return [each for each in inner if isinstance(each, dict | list | tuple | set)]

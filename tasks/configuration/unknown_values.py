"""The values of a settings module that only running it would tell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .paths import below
from .reading.python_reader import Unknown


def unknown_values(value: Any, path: str = "") -> Iterator[tuple[str, Unknown]]:
    """Yield the path and the reason of each value that is not known, in the order of the file.

    Args:
        value: what a reader returned.
        path: where it stands.
    """
    if isinstance(value, Unknown):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, dict | list | tuple):
                yield from unknown_values(inner, below(path, key))
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            if isinstance(inner, dict | list | tuple):
                yield from unknown_values(inner, f"{path}[{number}]")

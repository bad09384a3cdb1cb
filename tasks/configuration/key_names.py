"""How keys are written: in the path of a value (``providers[2].name``, ``"a.b".c``), and in their many spellings."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from ..core.text.formatting import printable

_PLAIN = re.compile(
    r"""(?![-+.0-9]+$|(?:true|false|null|none)$)[^.\[\]"\s](?:[^.\[\]"\n\r\t]*[^.\[\]"\s])?""", re.IGNORECASE
)

_PART = re.compile(r'\[\d+\]|\.?(?:"(?:[^"\\]|\\.)*"|[^.\[\]"]+)')


@lru_cache(maxsize=100_000)
def key_text(key: Any) -> str:
    """Return a key as a path has it: a text that could be read as something else is quoted as in JSON."""
    if isinstance(key, str):
        plain = key.isprintable() and _PLAIN.fullmatch(key)
        return key if plain else json.dumps(key, ensure_ascii=not key.isprintable())
    return printable(key).replace(".", "·") if isinstance(key, float) else printable(key)


def below(path: str, key: Any) -> str:
    """Return the path of a key of the mapping at *path*; the whole document is at the empty path."""
    return f"{path}.{key_text(key)}" if path else key_text(key)


def parts(path: str) -> Iterator[str]:
    """Yield a path's parts, each with its separator: ``a``, ``.b``, ``[0]``; joined they are the path."""
    at = 0
    while at < len(path):
        match = _PART.match(path, at)
        end = match.end() if match and match.end() > at else len(path)
        yield path[at:end]
        at = end


def covers(prefix: str, path: str) -> bool:
    """Tell whether *path* is *prefix* or is below it."""
    return not prefix or path == prefix or (path.startswith(prefix) and path[len(prefix)] in ".[")


def last_key(path: str) -> str:
    """Return the last part of a path without its separator."""
    *_, last = ["", *parts(path)]
    return last.removeprefix(".")


@lru_cache(maxsize=10_000)
def bare_key(name: str) -> str:
    """Return a key without its case and what parts its words."""
    return "".join(char for char in name.casefold() if char.isalnum())

"""One name in its many spellings: ``melting_point``, ``meltingPoint``, ``Melting Point``; ``µm`` and ``μm``."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

_SIGNS = str.maketrans(
    {"·": "", "⋅": "", "*": "", "\u00d7": "", "^": "", " ": "", "(": "", ")": "", "\u2212": "-", "√": "sqrt"}
)


@lru_cache(maxsize=10_000)
def bare(name: str) -> str:
    """Return a key without its case and what parts its words."""
    return "".join(char for char in name.casefold() if char.isalnum())


@lru_cache(maxsize=10_000)
def unit(text: str) -> str:
    """Return a unit without what only its spelling makes different: signs of multiplication, raised digits, micro."""
    return unicodedata.normalize("NFKC", text).translate(_SIGNS).strip()

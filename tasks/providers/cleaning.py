"""What servers say, made fit to be shown."""

from __future__ import annotations

from collections.abc import Callable

from ..core.secrets.redaction import REDACTED, redactor
from ..core.text.formatting import printable

READ = 5_000
"""Characters of a server's words that are looked at."""

_SHOWN = 200
"""Characters of them that a message quotes."""


_PIECE = 12
"""Characters of a key in a row that are too many to be shown; fewer may be a word that is the name of a model, too."""


def cleaner(key: str, redact: Callable[[str], str] = str) -> Callable[[str], str]:
    """Return a function that makes what a server said fit to be shown: short, on one line, without secrets.

    *key* is taken out whatever *redact* knows, also a piece of it of twelve characters or more, and so is a word with
    asterisks: providers quote the end of a key that they refuse ("Your api key: ****1234 is invalid").
    """
    own = redactor([key])
    pieces = {key[at : at + _PIECE] for at in range(len(key) - _PIECE + 1)}

    def clean(text: str) -> str:
        # The whole is redacted before anything is cut: half a key is not recognised.
        text = _without_pieces(redact(own(text.replace(key, REDACTED)))[:READ], pieces)
        text = " ".join(REDACTED if "***" in word else word for word in text.split())
        shown = printable(text).replace('"', "'")
        return shown if len(shown) <= _SHOWN else f"{shown[: _SHOWN - 1]}…"

    return clean


def _without_pieces(text: str, pieces: set[str]) -> str:
    kept: list[str] = []
    end = 0
    for at in range(len(text) - _PIECE + 1):
        if text[at : at + _PIECE] in pieces:
            if at >= end:
                kept += text[end:at], REDACTED
            end = at + _PIECE
    return "".join((*kept, text[end:]))

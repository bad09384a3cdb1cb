"""What servers say, made fit to be shown."""

from __future__ import annotations

from collections.abc import Callable

from ..core.names import printable
from ..core.redaction import REDACTED, redactor

READ = 5_000
"""Characters of a server's words that are looked at."""

_SHOWN = 200
"""Characters of them that a message quotes."""


def cleaner(key: str, redact: Callable[[str], str] = str) -> Callable[[str], str]:
    """Return a function that makes what a server said fit to be shown: short, on one line, without secrets.

    *key* is taken out whatever *redact* knows, and so is a word with asterisks: providers quote the end of a key
    that they refuse ("Your api key: ****1234 is invalid").
    """
    own = redactor([key])

    def clean(text: str) -> str:
        text = text.replace(key, REDACTED)[:READ]
        text = " ".join(REDACTED if "***" in word else word for word in redact(own(text)).split())
        shown = printable(text).replace('"', "'")
        return shown if len(shown) <= _SHOWN else f"{shown[: _SHOWN - 1]}…"

    return clean

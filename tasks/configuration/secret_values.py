"""How a line of a configuration is shown without its secrets, and how one is compared without being kept.

A secret enters a baseline as a hash with a key (HMAC, RFC 2104), so that a change of it is seen and nobody who
reads the baseline can try likely values. The key is in a file of its own, which only its owner reads.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable

from ..core.secrets.evidence import is_opaque
from ..core.secrets.redaction import REDACTED
from ..core.secrets.secret_names import names_secret

KEY_BYTES = 32

_ASSIGNED = re.compile(r"(?P<name>[\w.-]+(?: [\w.-]+)*+)[\"'\])]*+\s*+[:=]++\s*+")
"""A name and what parts it from its value, in any of the formats; there may be several on a line."""

_WORDS = re.compile(r"[A-Za-z0-9+/_=-]{20,}+")


def without_secrets(text: str, redact: Callable[[str], str]) -> str:
    """Return one line of a configuration file as it may be shown: what may be secret in it is taken out.

    Args:
        text: the line.
        redact: takes secrets out of a text.
    """
    shown = redact(text)
    for assigned in _ASSIGNED.finditer(shown):
        if names_secret(assigned["name"]) and shown[assigned.end() :].strip():
            shown = f"{shown[: assigned.end()]}{REDACTED}"
            break
    return _WORDS.sub(lambda match: REDACTED if is_opaque(match[0]) else match[0], shown)


class Sealer:
    """Makes hashes with a key."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self.name = hashlib.sha256(b"name of the key" + key).hexdigest()[:8]

    def seal(self, text: str) -> str:
        """Return a text's hash, after the name of the key that it is made with."""
        return (
            f"{self.name}:{hmac.new(self._key, text.encode('utf-8', 'surrogatepass'), hashlib.sha256).hexdigest()[:32]}"
        )


def same_key(one: str, other: str) -> bool:
    """Tell whether two hashes were made with one key."""
    return one.partition(":")[0] == other.partition(":")[0]

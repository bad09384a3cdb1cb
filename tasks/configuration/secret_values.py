"""Which values of a configuration are secret, and how one is compared without being kept.

A secret enters a baseline as a hash with a key (HMAC, RFC 2104), so that a change of it is seen and nobody who
reads the baseline can try likely values. The key is in a file of its own, which only its owner reads.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise

from ..core.secrets.redaction import REDACTED

KEY_BYTES = 32

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")

_SECRET = {"password", "passwords", "passwd", "passphrase", "pass", "pwd", "secret", "secrets", "token", "credential"}

_SECRET |= {"credentials", "apikey", "secretkey", "accesskey", "privatekey", "dsn", "salt"}

_BEFORE_KEY = {"api", "access", "private", "secret", "signing", "encryption", "auth", "master", "license", "account"}

_AFTER = {"env", "var", "variable", "name", "file", "path", "folder", "url", "uri", "header", "type", "limit", "limits"}

_AFTER |= {
    "length",
    "count",
    "id",
    "ttl",
    "expiry",
    "seconds",
    "hours",
    "days",
    "enabled",
    "required",
    "policy",
    "prefix",
}

_AFTER |= {"field", "size", "max", "min", "budget", "usage", "cost", "price", "rate", "pattern", "format", "set"}
"""The last words of names that are about a secret and hold none: ``api_key_env``, ``password_length``."""

_OPAQUE = re.compile(r"(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z])(?=[^0-9]*[0-9])[A-Za-z0-9+/_=-]{20,}")
"""A word of small and capital letters and digits, as keys are; digests in hexadecimal have no capitals."""

_ASSIGNED = re.compile(r"(?P<name>[\w.-]+(?: [\w.-]+)*+)[\"'\])]*+\s*+[:=]++\s*+")
"""A name and what parts it from its value, in any of the formats; there may be several on a line."""

_WORDS = re.compile(r"[A-Za-z0-9+/_=-]{20,}+")


@lru_cache(maxsize=100_000)
def names_secret(key: str) -> bool:
    """Tell whether the value of a key of this name is secret: ``db_password``, ``apiKey``, ``API_KEY``."""
    words = [word.lower() for word in _WORD.findall(key)]
    if not words or words[-1] in _AFTER:
        return False
    if _SECRET & set(words):
        return True
    return any(after in {"key", "keys"} and before in _BEFORE_KEY for before, after in pairwise(words))


def is_opaque(text: str) -> bool:
    """Tell whether a text, as a whole, looks like a key or a token."""
    return _OPAQUE.fullmatch(text) is not None


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

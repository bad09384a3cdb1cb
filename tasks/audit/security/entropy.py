"""Whether a value is a secret, a word or a placeholder: by its entropy and its runs of letters and digits."""

from __future__ import annotations

import math
import re
from collections import Counter

_SHORTEST, _LONGEST = 20, 500
"""Characters of a value that may be a key: shorter ones are as random as words, longer ones are data."""

_BITS, _BITS_OF_HEXADECIMAL = 3.5, 3.0
"""Entropy of a value per character from which it is random; of 16 possible characters, 4 bits are the most."""

_RUN = 3.5
"""Characters of one kind in a row, on average, from which a value is made of words. Random ones have about two."""

_PIECE = 8
"""Characters of a piece between separators up to which it says nothing: paths and versions are made of those."""

_ALPHABET = re.compile(r"[A-Za-z0-9+/_=.~!@#^*:-]+")
_HEXADECIMAL = re.compile(r"[0-9a-f]+|[0-9A-F]+")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_DIGEST = re.compile(r"(?:sha|md)\d{1,3}[-:$]", re.IGNORECASE)
_RUNS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_SEPARATORS = re.compile(r"[^A-Za-z0-9]+")

_STANDS_FOR = re.compile(
    r"[<>{}\[\]]|^\$|\$[{(]|%[(]|^%[sdr]$|^%\w+%$|x{4}|\*{3}|\.{3}|12345678|01234567|abcdefgh|abc123|a1b2c3|deadbeef|f00dcafe|hunter2"
    r"|example|placeholder|change[_-]?me|redacted|dummy|sample|insert|replace|your[_-]"
    r"|(?<![a-z])(?:your|test|fake|mock|demo|todo|foo|bar|none|null|secret|password|passwd|pass|key|token|user)(?![a-z])"
)
"""Placeholders for a secret, and texts that are put together when the program runs."""


def entropy(text: str) -> float:
    """Return Shannon's entropy of a text, in bits per character."""
    return -sum(number / len(text) * math.log2(number / len(text)) for number in Counter(text).values())


def is_placeholder(text: str) -> bool:
    """Tell whether a text is a placeholder for a secret: ``your-key-here``, ``${TOKEN}``, ``xxxxxxxx``."""
    return _STANDS_FOR.search(text.lower()) is not None


def is_random(value: str) -> bool:
    """Tell whether a value that was given to something like ``api_key`` looks like a key."""
    if not _SHORTEST <= len(value) <= _LONGEST or not _ALPHABET.fullmatch(value):
        return False
    if _UUID.fullmatch(value) or _DIGEST.match(value) or "://" in value or is_placeholder(value):
        return False
    if _HEXADECIMAL.fullmatch(value):
        return entropy(value) >= _BITS_OF_HEXADECIMAL and not value.isdigit()
    return entropy(value) > _BITS and not looks_like_words(value)


def looks_like_words(value: str) -> bool:
    """Tell whether a value is made of words and numbers: a path, an identifier, the name of a model."""
    pieces = [piece for piece in _SEPARATORS.split(value) if not (piece.isalpha() or piece.isdigit())]
    longest = max(pieces, key=len, default="")
    return len(longest) <= _PIECE or len(longest) / len(_RUNS.findall(longest)) >= _RUN

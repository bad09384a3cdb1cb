"""Whether a value that stands where a secret could is one: what a file needs before it is said to hold a secret."""

from __future__ import annotations

import base64
import binascii
import re
from itertools import pairwise

from .entropy import entropy, is_made_of_words, looks_like_words
from .stand_ins import hints_at_placeholder, is_digest, is_identifier, is_no_secret, is_uuid

_SHORTEST, _LONGEST = 20, 500
"""Characters of a value that may be a key: shorter ones are as random as words, longer ones are data."""

_TWO = 2
"""Kinds of characters that a password has at least: small letters, capitals, digits, others."""

_SHORTEST_PASSWORD, _LONGEST_PASSWORD = 8, 64

_BITS, _BITS_OF_HEXADECIMAL = 3.5, 3.0
"""Entropy of a value per character from which it is random; of 16 possible characters, 4 bits are the most."""

BITS = 2.5
"""Entropy per character of a key in a provider's form, or of a password: less is a row of the same few letters."""

_ALPHABET = re.compile(r"[A-Za-z0-9+/_=.~!@#^*:-]+")
_HEXADECIMAL = re.compile(r"[0-9a-f]+|[0-9A-F]+")
_OPAQUE = re.compile(r"(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z])(?=[^0-9]*[0-9])[A-Za-z0-9+/_=-]{20,}")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{6,}={0,2}")
_CODE = re.compile(r"[\s(){}\[\]<>\"'`;,|]")
_NUMBERS = re.compile(r"v?[0-9]+(?:[.:/T_-]?[0-9]+)+(?:[-+.]?[a-zA-Z]{1,5}[-.]?[0-9]*)?Z?")
"""Versions, dates, times, addresses."""

_WORD_THEN_DIGITS = re.compile(r"(?:[A-Z]?[a-z]+|[A-Z]+)[0-9]{0,4}[!.?]?")


def is_random(value: str) -> bool:
    """Tell whether a value that was given to something like ``api_key`` looks like a key."""
    if not _SHORTEST <= len(value) <= _LONGEST or not _ALPHABET.fullmatch(value):
        return False
    if is_uuid(value) or is_digest(value) or "://" in value or hints_at_placeholder(value) or is_no_secret(value):
        return False
    if _HEXADECIMAL.fullmatch(value):
        return entropy(value) >= _BITS_OF_HEXADECIMAL and not value.isdigit()
    return entropy(value) > _BITS and not looks_like_words(value)


def is_password(value: str) -> bool:
    """Tell whether a value that was given to something like ``password`` looks like one that somebody uses.

    It has characters of three kinds, or of two that alternate, and is no word with a number behind it.
    """
    if not _SHORTEST_PASSWORD <= len(value) <= _LONGEST_PASSWORD or not value.isascii() or _CODE.search(value):
        return False
    if hints_at_placeholder(value) or is_no_secret(value) or is_uuid(value) or is_identifier(value) or "://" in value:
        return False
    kinds = sum(any(map(test, value)) for test in (str.islower, str.isupper, str.isdigit, _is_sign))
    if kinds < _TWO or entropy(value) < BITS or looks_like_words(value):
        return False
    if _WORD_THEN_DIGITS.fullmatch(value) or _NUMBERS.fullmatch(value):
        return False
    changes = sum(one.isalpha() != other.isalpha() for one, other in pairwise(value))
    return kinds > _TWO or 3 * changes >= len(value)


def is_opaque(text: str) -> bool:
    """Tell whether a text, as a whole and wherever it stands, looks like a key or a token.

    It has small and capital letters and digits; digests in hexadecimal have no capitals, and what reads like words is
    an identifier.
    """
    return _OPAQUE.fullmatch(text) is not None and not is_digest(text) and not is_made_of_words(text)


def decoded_pair(value: str) -> tuple[str, str] | None:
    """Return the user and the password that a value has in base64 (RFC 7617); ``None`` where it has none."""
    if not _BASE64.fullmatch(value):
        return None
    try:
        text = base64.b64decode(value + "=" * (-len(value) % 4), altchars=b"-_" if {*"-_"} & {*value} else None)
        user, colon, password = text.decode("utf-8").partition(":")
    except (binascii.Error, ValueError):
        return None
    return (user, password) if colon and text.decode("utf-8").isprintable() else None


def is_secret_pair(user: str, password: str) -> bool:
    """Tell whether a user's password is one that somebody uses: ``user:pass`` is not."""
    if password == user or is_no_secret(password, literal=True) or hints_at_placeholder(password):
        return False
    return is_random(password) or is_password(password) or (not password and is_random(user))


def _is_sign(character: str) -> bool:
    return not character.isalnum()

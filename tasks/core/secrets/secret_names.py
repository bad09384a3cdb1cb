"""The names of what is secret: in a configuration key by key, and in front of a value anywhere in a text."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

from .lexicon import AFTER, BEFORE_KEY, SECRET

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


NAME = (
    r"(?=[aAcCeEmMpPsStT])(?:(?i:pass(?:word|wd|phrase|code)|pwd|secret(?:[_ -]?(?:access[_ -]?)?key)?|token"
    r"|authorization|credentials?"
    r"|(?:api|access|private|signing|encryption|master|account|auth)[_ -]?key)"
    # "pass" alone is a word of many sentences: PASS, bypass, "pass: 3 tests"
    r"|(?=[pP][aA][sS])(?:(?<=[_-])(?:pass|PASS)|(?<=[a-z0-9])Pass|(?<=[\"'])[pP]ass(?=[\"'])"
    r"|(?<![A-Za-z])(?:pass|PASS)(?=[ ]?=))(?![A-Za-z]))"
)
"""The same in front of a value, as a pattern in time linear in the text."""

NAME_SIGNS = (
    *("password", "passwd", "passphrase", "passcode", "pwd", "secret", "token", "authorization", "credential"),
    *("_pass", "-pass", "pass=", "pass =", 'pass"', "pass'", "pass:"),
    *(
        f"{word}{gap}key"
        for word in ("api", "access", "private", "signing", "encryption", "master", "account", "auth")
        for gap in ("_", "-", " ", "")
    ),
)
"""Without one of these words, in small letters, a text has no such name."""


@lru_cache(maxsize=100_000)
def names_secret(key: str) -> bool:
    """Tell whether the value of a key of this name is secret: ``db_password``, ``apiKey``, ``API_KEY``."""
    words = [word.lower() for word in _WORD.findall(key)]
    if not words or words[-1] in AFTER:
        return False
    if SECRET & set(words):
        return True
    return any(after in {"key", "keys"} and before in BEFORE_KEY for before, after in pairwise(words))

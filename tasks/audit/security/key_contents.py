"""Whether a file whose name says that it holds keys does hold any. No value leaves this module."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import StringIO
from typing import NamedTuple

from ...core.secrets.entropy import entropy
from ...core.secrets.evidence import BITS, is_password, is_random
from ...core.secrets.secret_names import names_secret
from ...core.secrets.stand_ins import is_no_secret
from .key_files import is_environment
from .secret_patterns import ACCEPTED, secrets_in

_PUBLIC = re.compile(rb"BEGIN (?:(?:TRUSTED |X509 )?CERTIFICATE|X509 CRL|(?:RSA |EC )?PUBLIC KEY|DH PARAMETERS)")
_PRIVATE = b"PRIVATE KEY"
_PRESENTATION = b"PK\x03\x04"
"""What a presentation of Keynote begins with, whose name ends like that of a key: it is a ZIP file."""

_NAMED_KEY = "_KEY"
"""What the name of a variable ends with that may hold the key of any service: ``STRIPE_KEY``."""

_SHORTEST = 16
"""Characters of a key that is the whole content of a file."""


class Variables(NamedTuple):
    """What an environment file holds.

    Attributes:
        number: how many variables.
        secrets: how many of them look like a secret or key: enough to say that the file holds one.
        possible: how many of them may be one, those included: enough to have the file protected.
        unread: how many lines cannot be read.
    """

    number: int
    secrets: int
    possible: int
    unread: int


def variables_in(content: bytes) -> Variables:
    """Return what an environment file holds, read as python-dotenv reads it."""
    number = secrets = possible = unread = 0
    for key, value, text in _bindings(content):
        number += key is not None
        unread += key is None
        accepted = ACCEPTED.decode() in text
        named = key is not None and (names_secret(key) or key.upper().endswith(_NAMED_KEY))
        certain = bool(secrets_in(text.encode())) or (named and (is_random(value) or is_password(value)))
        secrets += certain and not accepted
        possible += (certain or (named and not is_no_secret(value, literal=True))) and not accepted
    return Variables(number, secrets, possible, unread)


def _bindings(content: bytes) -> Iterator[tuple[str | None, str, str]]:
    """Yield the name, the value and the text of each variable; ``None`` as the name of what cannot be read."""
    from dotenv.parser import parse_stream

    for each in parse_stream(StringIO(content.decode("utf-8-sig", "replace"))):
        if each.error or each.key is not None:
            yield each.key, each.value or "", each.original.string


def holds_keys(path: str, content: bytes) -> bool:
    """Tell whether a file holds a key that nobody else may have, as far as its content shows; in doubt it does.

    Args:
        path: its path; the name says what to expect.
        content: all of it.
    """
    if is_environment(path):
        found = variables_in(content)
        return bool(found.possible or found.unread)
    if _PRIVATE in content:
        return True
    if _PUBLIC.search(content) or content.startswith(_PRESENTATION) or not content.strip():
        return False
    if not _is_text(content):
        return True
    text = content.decode().strip()
    is_key = len(text) >= _SHORTEST and not re.search(r"\s", text) and entropy(text) >= BITS and not is_no_secret(text)
    return is_key or bool(secrets_in(content))


def _is_text(content: bytes) -> bool:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return False
    return all(character.isprintable() or character.isspace() for character in text)

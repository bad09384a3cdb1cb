"""What stands where a secret could, and is none: placeholders, published examples, references, names, identifiers.

Two questions, for two uses. A text that is shown loses a value unless it is known to be no secret
(:func:`is_no_secret`): better one word too many than a password. A file is not said to hold a secret where the value
so much as hints that it is made up (:func:`hints_at_placeholder`): an accusation needs more than a doubt.
"""

from __future__ import annotations

import hashlib
import re

from .entropy import reads_like_words
from .lexicon import GENERIC, MADE_UP, NAMES, PLACEHOLDERS, PUBLISHED, ROOTS, STATES, TRIALS, TYPES

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


_OWN_MARK = re.compile(
    r"\[(?:redacted|secret|hidden|masked|filtered|removed|unknown|not shown)\b[^\]\n]{0,80}\]?\Z", re.IGNORECASE
)
"""What this suite, and other programs, write where a secret was."""

_MASK = re.compile(r"[*.xX•#_?…-]+\Z")
_REPEATED = re.compile(r"(?P<one>[xX*.•#_0-])(?P=one){5,}")

_REFERENCE = re.compile(
    r"\$[{(]|\$\$|\$[A-Z][A-Z0-9_]*\Z|\$[0-9@]\Z|\$env:|%[sdr]\Z|%\(|%\w+%\Z|#\{|<[^<>]*>?\Z|\{[\w.:!$ -]*\}{0,2}\Z"
    r"|\{\{|[|>][+-]?\Z|@\w+@\Z|(?:env|vault|op|ssm|secret|file|arn|ref|keyring|keychain):|ENC\[|=>?\Z"
)
"""Variables, templates, and the addresses of secrets in stores."""

_BARE_REFERENCE = re.compile(r"!(?:secret|vault|env\w*|include|ref|sub|getatt)\b|[&*][A-Za-z_-]+\Z", re.IGNORECASE)
"""Tags, anchors and aliases, which are none in quotes."""

_NAME = re.compile(r"[A-Za-z_$][\w$]*\Z", re.ASCII)
_HYPHENATED = re.compile(r"[A-Za-z_$][\w$-]*\Z", re.ASCII)
_ACCESS = re.compile(
    r"(?:[A-Za-z_$][\w$]*(?:\?\.|::|->|\.))*+[A-Za-z_$][\w$]*(?P<used>[(\[].*)?\Z", re.ASCII | re.DOTALL
)
"""A name with what programs do to it: an attribute, a call, an item."""

_DIGEST = re.compile(
    r"(?:sha|md|blake2[bs]?|ripemd|crc)-?\d{1,3}[-:$=]|\$(?:2[abxy]?|[156y]|argon2\w*|pbkdf2[\w-]*|scrypt)\$"
    r"|pbkdf2_|\{S?SHA",
    re.IGNORECASE,
)
"""The beginning of a digest that says how it was made; of a password's too, which is no password."""

_VERSION = re.compile(r"[\^~<>=v ]{0,4}[0-9]+(?:\.[0-9x*]+){1,3}(?:[-+][\w.+-]*)?\Z", re.ASCII)

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.IGNORECASE)

_PATH = re.compile(
    r"(?:~|\.{1,2})?/(?:[\w.@-]+/)+[\w.@-]*\Z|[A-Za-z]:\\"
    r"|[\w.-]+(?:/[\w.-]+)*\.(?:pem|key|crt|cer|txt|json|ya?ml|py|js|ts|env|cfg|ini|toml|md|rst|html)\Z"
)

_HINT = re.compile(
    r"[<>{}\[\]]|^\$|\$[{(]|%[(]|^%[sdr]$|^%\w+%$|x{4}|\*{3}|\.{3}|12345678|01234567|98765432|abcdefgh|abc123|a1b2c3"
    r"|deadbeef|f00dcafe|hunter2|0{6}|1{6}"
    r"|example|placeholder|change[_-]?me|redacted|dummy|sample|insert|replace|your[_-]"
    r"|(?<![a-z])(?:secret|password|passwd|token)(?![a-z])"
    r"|(?<![a-z0-9])(?:your|test|fake|mock|demo|todo|foo|bar|none|null|pass|key|user)(?![a-z])"
)


_CODE = ("+ ", "+'", '+"', "/*", "//")
_SCHEMES = frozenset({"bearer", "basic", "token"})


def is_no_secret(value: str, *, literal: bool = False) -> bool:
    """Tell whether a value that was given to something like ``password`` is known to be no secret.

    True for a placeholder, a mask, a published example, a digest, a path, a reference to where the secret is, a name or
    a type of a program, and for what this suite writes in place of secrets. In doubt it is False.

    Args:
        value: the value, without quotes around it.
        literal: True where it was in quotes, so that it is no expression of a program.
    """
    value = value.strip(" \t\r\n`").rstrip(":,;!?")
    scheme, _, rest = value.partition(" ")
    if rest and scheme.lower() in _SCHEMES:
        value = rest.strip()
    if not value or value.startswith(_CODE) or _OWN_MARK.match(value) or _is_mask(value) or _REFERENCE.match(value):
        return True
    if not literal and _BARE_REFERENCE.match(value):
        return True
    if not literal and value[0] in "*([{!" and not is_digest(value):
        return is_no_secret(value.lstrip("*([{!"))
    plain = value.rstrip(".!?:;,)").lower()
    if plain in STATES or plain in TYPES or is_published(value):
        return True
    if _DIGEST.match(value) or _PATH.match(value) or _VERSION.match(value) or is_placeholder(value):
        return True
    return _names_what_is_meant(value) or (not literal and _is_expression(value))


def is_placeholder(value: str) -> bool:
    """Tell whether the whole of a value stands for a secret: ``your-key-here``, ``user:pass``, ``xxxx-xxxx``."""
    if not _PLAIN.fullmatch(value):
        return False
    words = [word.lower() for word in _WORDS.findall(value)]
    named = [word for word in words if not word.isdigit()]
    if not named or not all(word in PLACEHOLDERS or word in NAMES or not word.strip("x") for word in named):
        return False
    if any(word in MADE_UP or not word.strip("x") for word in named):
        return True
    return len(named) == len(words) and any(word in NAMES or word in TRIALS for word in named)


def is_published(value: str) -> bool:
    """Tell whether a key is one that its provider publishes as an example, or that everybody's emulator has."""
    if value.endswith(("EXAMPLE", "EXAMPLEKEY")):  # the documents of AWS
        return True
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()[:16] in PUBLISHED


def is_identifier(value: str) -> bool:
    """Tell whether a value is a name as programs have them, made of words."""
    return _IDENTIFIER.fullmatch(value) is not None and reads_like_words(value)


def is_uuid(value: str) -> bool:
    """Tell whether a value is a UUID: of names that say what is secret a key, of all others an identifier."""
    return _UUID.match(value) is not None


def is_digest(value: str) -> bool:
    """Tell whether a value says of itself that it is a digest."""
    return _DIGEST.match(value) is not None


def hints_at_placeholder(text: str) -> bool:
    """Tell whether anything in a text says that it is made up: ``test-only-password``, ``xxxx``, ``${TOKEN}``."""
    return _HINT.search(text.lower()) is not None


_PLAIN = re.compile(r"[\w .:/+-]*", re.ASCII)
_IDENTIFIER = re.compile(r"[A-Za-z_$][\w$.-]*", re.ASCII)


def _is_mask(value: str) -> bool:
    if _MASK.match(value):
        return True
    longest = max((match.end() - match.start() for match in _REPEATED.finditer(value)), default=0)
    return 2 * longest >= len(value)


def _names_what_is_meant(value: str) -> bool:
    """Tell whether a value is the name of a field or variable: ``access_token``, ``apiKey``, ``new_password``."""
    if not _HYPHENATED.match(value) or not _is_named(value):
        return False
    words = _words(value)
    if len(words) == 1:
        return words[0] in NAMES or words[0] in GENERIC
    return any(word in NAMES for word in words) or (bool(words) and all(word in GENERIC for word in words))


def _is_expression(value: str) -> bool:
    """Tell whether a value is an expression of a program that names what holds the secret."""
    match = _ACCESS.match(value)
    if match is None:
        return False
    name = value[: match.start("used")] if match["used"] else value
    if not _is_named(name):
        return False
    words = _words(name)
    known = any(word in NAMES or word in GENERIC or word in ROOTS for word in words)
    return match["used"] is not None or (len(words) > 1 and known)


def _is_named(name: str) -> bool:
    """Tell whether a name is made of words, which somebody chose, and has no digits but at the ends of its parts."""
    if not all(_PART.fullmatch(part) for part in _JOINTS.split(name)):
        return False
    words = _words(name)
    known = sum(len(word) for word in words if word in NAMES or word in GENERIC or word in ROOTS)
    return 2 * known >= sum(map(len, words)) or reads_like_words(name)


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORDS.findall(name) if word.isalpha()]


_JOINTS = re.compile(r"\?\.|::|->|[._-]")
_PART = re.compile(r"[A-Za-z$]*[0-9]{0,2}")

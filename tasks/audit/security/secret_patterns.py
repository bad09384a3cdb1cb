"""Secrets in the bytes of a file: on which line, and of what kind. No secret leaves this module. Pure."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from functools import cached_property
from itertools import chain
from typing import NamedTuple
from urllib.parse import unquote

from ...core.secrets.forms import BEGIN, BEGIN_KEY, CREDENTIALS, FORMS, NAME, ONSET, SETTING
from .entropy import entropy, is_placeholder, is_random, looks_like_words

ACCEPTED = b"maintenance: no-secret"
"""What a comment says on a line that is known to hold no secret."""

_LONG_LINE = 1_000
"""Bytes of a line from which nobody wrote it by hand: minified code and embedded data are random without a secret."""

_BITS = 2.5
"""Entropy per character of a key in a provider's form, or of a password: less is a row of the same few letters."""

_SHORTEST_PASSWORD = 8

_FORMS = "|".join(f"{form.begin}(?P<form{n}>{form.alphabet}{{{form.certain},}}+)" for n, form in enumerate(FORMS))
_KEYS = re.compile(rf"(?={ONSET}){BEGIN}(?:{_FORMS})".encode())

# RFC 7515, 3.1: header and payload are JSON objects, and the signature of the shortest algorithm has 43 characters.
_JWT = re.compile(rb"eyJ[\w-]{10,}+(?:\.eyJ[\w-]{10,}+\.(?P<signature>[\w-]{43,}+))?")

# RFC 7468: the key follows, in lines or as a string of a program; RFC 1421 and RFC 4880 have headers before it.
_GAP = r"(?:\s|\\[nrt]|[\"'+,>|#*/]){1,60}+"
_HEADERS = r"(?:[A-Z][A-Za-z-]{0,30}: [^\n]{0,200}\n\s{0,40}+){0,5}"
_PRIVATE_KEY = re.compile(rf"{BEGIN_KEY}{_GAP}{_HEADERS}(?P<key>[A-Za-z0-9+/]{{20,80}})".encode())

_CREDENTIALS = re.compile(rf"{CREDENTIALS}(?P<host>[\w.-]*)".encode())

# RFC 2606 and RFC 6761: names that are nobody's, for documents and tests.
_NOBODY = re.compile(r"(?:.+\.)?(?:example(?:\.(?:com|net|org))?|test|invalid|localhost|localdomain)|127\.[\d.]+")

_NAME = re.compile(NAME.encode())
_SETTING = re.compile(SETTING.encode())

# What programs write as well: key: str = "…", headers["Authorization"] = "…", setenv("TOKEN", "…").
_GIVEN = re.compile(
    (
        rf"(?P<name>{NAME})[0-9]{{0,2}}(?:[\"']\] ?=|[\"'] ?,| ?: ?[A-Za-z_][\w\[\], |.]{{0,40}}=) ?"
        r"[bBrRuU]{0,2}(?P<quote>[\"'])(?P<quoted>[^\"'\\\n]*+)(?P<bare>)"
    ).encode()
)

_AWS = re.compile(r"[A-Za-z0-9+/]{40}")

# django.core.management.utils.get_random_secret_key: fifty of these characters.
_DJANGO = re.compile(r"(?=(?:.*[!@#$%^&*(=+)]){3})(?:django-insecure-)?[a-z0-9!@#$%^&*(_=+)-]{50}")


class FoundSecret(NamedTuple):
    """A secret: the number of its line and its kind, for people."""

    line: int
    kind: str


def secrets_in(content: bytes, first: int = 1, *, settings: bool = True) -> list[FoundSecret]:
    """Return the secrets in a text, in the order of its lines.

    Args:
        content: the text, in any encoding that has ASCII's characters where ASCII has them.
        first: the number of its first line.
        settings: look for random values of names such as ``password`` as well as for known forms.
    """
    lines = _Lines(content)
    known = chain(_keys(content), _tokens(content), _private_keys(content), _passwords(content))
    found = {FoundSecret(line, kind) for at, kind in known if not lines.accepted(line := lines.number(at))}
    if settings:
        known_lines = {each.line for each in found}
        given = ((lines.number(at), kind) for at, kind in _settings(content))
        found |= {
            FoundSecret(line, kind)
            for line, kind in given
            if line not in known_lines and lines.length(line) < _LONG_LINE and not lines.accepted(line)
        }
    return sorted(FoundSecret(first + each.line, each.kind) for each in found)


class _Lines:
    """The lines of a text, numbered from 0. Each is looked at once, however often it is asked for."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._accepted: dict[int, bool] = {}

    @cached_property
    def _ends(self) -> list[int]:
        return [-1, *(match.start() for match in re.finditer(rb"\n", self._content)), len(self._content)]

    def number(self, at: int) -> int:
        return bisect_left(self._ends, at, 1) - 1

    def length(self, line: int) -> int:
        return self._ends[line + 1] - self._ends[line]

    def accepted(self, line: int) -> bool:
        if line not in self._accepted:
            self._accepted[line] = self._content.find(ACCEPTED, self._ends[line] + 1, self._ends[line + 1]) >= 0
        return self._accepted[line]


def _keys(content: bytes) -> Iterator[tuple[int, str]]:
    for match in _KEYS.finditer(content):
        name = match.lastgroup or ""
        form = FORMS[int(name.removeprefix("form"))]
        value = _text(match[name])
        # Words have the form of some keys: sk-toggleable-content-label, ASIAPACIFICSOUTHEASTERN.
        is_wording = looks_like_words(value) if value.islower() else value.isupper() and len(value) > form.certain
        if entropy(value) >= _BITS and not is_placeholder(value) and not is_wording:
            yield match.start(), form.kind


def _tokens(content: bytes) -> Iterator[tuple[int, str]]:
    for match in _JWT.finditer(content):
        if match["signature"] and entropy(_text(match["signature"])) >= _BITS:
            yield match.start(), "JSON web token"


def _private_keys(content: bytes) -> Iterator[tuple[int, str]]:
    for match in _PRIVATE_KEY.finditer(content):
        key = _text(match["key"])
        if entropy(key) >= _BITS and not is_placeholder(key):
            yield match.start(), "private key"


def _passwords(content: bytes) -> Iterator[tuple[int, str]]:
    for match in _CREDENTIALS.finditer(content):
        user, password, host = _text(match["user"]), unquote(_text(match["password"])), _text(match["host"])
        if not _NOBODY.fullmatch(host.lower()) and (_is_password(password, user) or is_random(user)):
            yield match.start(), "password in an address"


def _is_password(text: str, user: str) -> bool:
    if len(text) < _SHORTEST_PASSWORD or text == user or is_placeholder(text):
        return False
    if not user and ":" in text:  # cvs://:pserver:anoncvs@host
        return False
    return entropy(text) >= _BITS and not (text.isalpha() and text.islower())


def _settings(content: bytes) -> Iterator[tuple[int, str]]:
    for match in _assigned(content):
        value = _text(match["quoted"] or match["bare"] or b"").rstrip("\\")
        scheme, _, rest = value.partition(" ")
        if scheme.lower() in {"bearer", "basic", "token"}:
            value = rest.strip()
        name = _text(match["name"]).lower()
        if "secret" in name and _DJANGO.fullmatch(value):
            yield match.start(), "secret key of Django"
        elif is_random(value):
            is_aws = "secret" in name and "access" in name and _AWS.fullmatch(value)
            yield match.start(), "secret access key of AWS" if is_aws else "random value of a password, key or token"


def _assigned(content: bytes) -> Iterator[re.Match[bytes]]:
    end = 0  # what was part of one value begins no other: without that a long value would be read again and again
    for name in _NAME.finditer(content):
        if name.start() >= end:
            match = _GIVEN.match(content, name.start()) or _SETTING.match(content, name.start())
            if match:
                end = match.end()
                yield match


def _text(value: bytes) -> str:
    return value.decode("latin-1")

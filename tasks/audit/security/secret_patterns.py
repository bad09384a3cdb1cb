"""Secrets in the bytes of a file: on which line, and of what kind. No secret leaves this module. Pure.

The forms, and what is no secret, are those of :mod:`tasks.core.secrets`, which the redaction of texts uses as well.
What is found here is an accusation, so it needs more: a key as long as those that are handed out, a value that looks
like one, and nothing that hints that it is made up.
"""

from __future__ import annotations

import base64
import binascii
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from itertools import chain
from typing import NamedTuple
from urllib.parse import unquote

from ...core.secrets import key_matching
from ...core.secrets.entropy import entropy, is_made_of_words, reads_like_words
from ...core.secrets.evidence import BITS, decoded_pair, is_password, is_random, is_secret_pair
from ...core.secrets.forms import (
    BASE64_KEY,
    BEGIN_KEY,
    CREDENTIALS,
    FLAG,
    GIVEN,
    JWT,
    KEY_GAP,
    KEY_HEADERS,
    PLACES,
    PROGRAMS,
    SETTING,
    Evidence,
    Place,
    arguments,
)
from ...core.secrets.secret_names import NAME, NAME_SIGNS
from ...core.secrets.signs import Window, sign_finder, windows
from ...core.secrets.stand_ins import hints_at_placeholder, is_no_secret, is_published, is_uuid

ACCEPTED = b"maintenance: no-secret"
"""What a comment says on a line that is known to hold no secret."""

_LONG_LINE = 1_000
"""Bytes of a line from which nobody wrote it by hand: minified code and embedded data are random without a secret."""

_SHORTEST_SIGNATURE = 43
"""Characters of the signature of the shortest algorithm of a JSON web token (RFC 7518, 3.1)."""

_SHORTEST_PASSWORD, _SHORTEST_KEY = 8, 16
"""Characters of a password in an address, and of a key in the path of one or in a connection string."""

_PRIVATE_KEY = re.compile(rf"{BEGIN_KEY}{KEY_GAP}{{1,60}}+{KEY_HEADERS}(?P<key>[A-Za-z0-9+/]{{20,80}})", re.ASCII)

# RFC 2606 and RFC 6761: names that are nobody's, for documents and tests.
_NOBODY = re.compile(r"(?:.+\.)?(?:example(?:\.(?:com|net|org))?|test|invalid|localhost|localdomain)|127\.[\d.]+")

_NAME = re.compile(NAME, re.ASCII)

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
    text = content.decode("latin-1")
    found = _Found(lines)
    signs = sign_finder()(text)
    found.add(chain(_keys(text, signs.begins), _tokens(text), _private_keys(text)))
    around = [_Part(text, window) for window in windows(text, signs.around)]
    found.add(chain.from_iterable(map(_places, around)))
    found.add(each for each in chain.from_iterable(map(_weak_places, around)) if not found.has(each[0]))
    if settings:
        given = chain.from_iterable(map(_settings, around))
        found.add((at, kind) for at, kind in given if not found.has(at) and lines.length(lines.number(at)) < _LONG_LINE)
    return sorted(FoundSecret(first + each.line, each.kind) for each in found.secrets)


class _Part(NamedTuple):
    """A part of a text with signs of secrets, and the whole text."""

    text: str
    window: Window

    def finditer(self, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
        return pattern.finditer(self.text, self.window.start, self.window.end)


class _Found:
    """What was found, but for what an accepted line has."""

    def __init__(self, lines: _Lines) -> None:
        self._lines = lines
        self._numbers: set[int] = set()
        self.secrets: set[FoundSecret] = set()

    def has(self, at: int) -> bool:
        return self._lines.number(at) in self._numbers

    def add(self, found: Iterable[tuple[int, str]]) -> None:
        for at, kind in [*found]:
            line = self._lines.number(at)
            if not self._lines.accepted(line):
                self._numbers.add(line)
                self.secrets.add(FoundSecret(line, kind))


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


def _keys(text: str, starts: Iterable[int]) -> Iterator[tuple[int, str]]:
    for key in key_matching.matches(text, certain=True, starts=starts):
        is_made_up = hints_at_placeholder(key.body) or is_published(text[key.start : key.end])
        # Words have the form of some keys: sk-toggleable-content-label, ASIAPACIFICSOUTHEASTERN.
        if entropy(key.body) >= BITS and not is_made_up and not _is_wording(key.body):
            yield key.start, key.kind


def _is_wording(body: str) -> bool:
    return is_made_of_words(body) or (body.isupper() and reads_like_words(body))


def _tokens(text: str) -> Iterator[tuple[int, str]]:
    if "eyJ" not in text:
        return
    for match in JWT.finditer(text):
        payload, _, signature = match["rest"].removeprefix(".").partition(".")
        signature = signature.partition(".")[0]
        if not payload.startswith("eyJ") or len(signature) < _SHORTEST_SIGNATURE or is_published(match[0]):
            continue
        if entropy(signature) >= BITS:
            yield match.start(), "JSON web token"


def _private_keys(text: str) -> Iterator[tuple[int, str]]:
    if "PRIVATE KEY" in text:
        for match in _PRIVATE_KEY.finditer(text):
            if entropy(match["key"]) >= BITS and not hints_at_placeholder(match["key"]):
                yield match.start(), "private key"
    if "LS0tLS1CRUdJTi" in text:
        for match in BASE64_KEY.finditer(text):
            try:
                decoded = base64.b64decode(match[0][: len(match[0]) // 4 * 4 - 4 * ("=" not in match[0])])
            except binascii.Error:
                continue
            inner = _PRIVATE_KEY.search(decoded.decode("latin-1"))
            if inner and entropy(inner["key"]) >= BITS and not hints_at_placeholder(inner["key"]):
                yield match.start(), "private key in base64"


def _places(part: _Part) -> Iterator[tuple[int, str]]:
    if part.window.has(("://",)):
        yield from _addresses(part)
    yield from _found_at(part, lambda place: place.evidence is not Evidence.RANDOM)
    if part.window.has(PROGRAMS):
        yield from _given_to_programs(part)
    if part.window.has(("--",)):
        for match in part.finditer(FLAG):
            if is_secret_pair("", match["secret"]):
                yield match.start("secret"), "password of a command"


def _given_to_programs(part: _Part) -> Iterator[tuple[int, str]]:
    for each in arguments(part.text, part.window.start, part.window.end):
        if is_secret_pair(each.user, each.secret):
            yield each.start, "password of a command"


def _weak_places(part: _Part) -> Iterator[tuple[int, str]]:
    """Yield what only its looks make a secret where it stands: on a line where nothing else was found."""
    return _found_at(part, lambda place: place.evidence is Evidence.RANDOM)


def _found_at(part: _Part, chosen: Callable[[Place], bool]) -> Iterator[tuple[int, str]]:
    for place in PLACES:
        if chosen(place) and part.window.has(place.signs):
            for match in part.finditer(place.pattern):
                if _is_found(place, match):
                    yield match.start("secret"), place.kind


def _addresses(part: _Part) -> Iterator[tuple[int, str]]:
    for match in part.finditer(CREDENTIALS):
        user, password = unquote(match["user"]), unquote(match["password"] or "")
        if _NOBODY.fullmatch(match["host"].lower()):
            continue
        if not user and ":" in password:  # cvs://:pserver:anoncvs@host
            continue
        if _is_password(password, user):
            yield match.start(), "password in an address"
        elif is_random(user):
            yield match.start(), "key in an address" if match["password"] is None else "password in an address"


def _is_password(password: str, user: str) -> bool:
    """Tell whether what stands as a password in an address is one: there also a word with a number counts."""
    if (
        len(password) < _SHORTEST_PASSWORD
        or password == user
        or is_no_secret(password)
        or hints_at_placeholder(password)
    ):
        return False
    return entropy(password) >= BITS and not (password.isalpha() and password.islower())


def _is_found(place: Place, match: re.Match[str]) -> bool:
    secret = match["secret"]
    if is_no_secret(secret, literal=True) or hints_at_placeholder(secret):
        return False
    groups = match.groupdict()
    match place.evidence:
        case Evidence.PAIR:
            return is_secret_pair(groups.get("user") or "", secret)
        case Evidence.BASE64_PAIR:
            return (pair := decoded_pair(secret)) is not None and is_secret_pair(*pair)
        case Evidence.RANDOM:
            return is_random(secret)
        case _:
            return entropy(secret) >= BITS and len(secret) >= _SHORTEST_KEY and any(map(str.isdigit, secret))


def _settings(part: _Part) -> Iterator[tuple[int, str]]:
    if not part.window.has(NAME_SIGNS):
        return
    for match in _assigned(part):
        value = (match["quoted"] or match["bare"] or "").rstrip("\\")
        scheme, _, rest = value.partition(" ")
        if scheme.lower() in {"bearer", "basic", "token"}:
            value = rest.strip()
        if scheme.lower() == "basic" and decoded_pair(value):  # one of the places
            continue
        name = match["name"].lower()
        if "secret" in name and _DJANGO.fullmatch(value):
            yield match.start(), "secret key of Django"
        elif is_random(value):
            is_aws = "secret" in name and "access" in name and _AWS.fullmatch(value)
            yield match.start(), "secret access key of AWS" if is_aws else "random value of a password, key or token"
        elif is_uuid(value) and "key" in name and not hints_at_placeholder(value):
            yield match.start(), "key in the form of a UUID"
        elif name.lstrip("_").startswith("p") and _is_given(match) and is_password(value):
            yield match.start(), "password"


def _is_given(match: re.Match[str]) -> bool:
    """Tell whether a value is a literal: in quotes, or bare where no program computes it."""
    return bool(match["quoted"]) or not match["name"].rstrip().endswith("==")


def _assigned(part: _Part) -> Iterator[re.Match[str]]:
    text, (end, last, _) = part
    # What was part of one value begins no other: without that a long value would be read again and again.
    for name in _NAME.finditer(text, end, last):
        if name.start() >= end:
            match = GIVEN.match(text, name.start(), last) or SETTING.match(text, name.start(), last)
            if match:
                end = match.end()
                yield match

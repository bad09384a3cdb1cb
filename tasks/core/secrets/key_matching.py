"""The keys in a text, by their forms.

A begin is looked for once for all forms, by one pattern that shares their first letters; only where one stands is its
form tried. So a text without any costs one pass, however many forms there are, and that is linear: no form reads on
without a bound and fails.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple

from .key_forms import BEGINS, FORMS, INNER, Inner


class KeyMatch(NamedTuple):
    """Where a key stands, what of it follows its begin, and whose it is."""

    start: int
    end: int
    body: str
    kind: str


# A place where a key can begin: not inside a word, but also right after %20, \n or \u0022.
_PLACE = re.compile(r"(?:(?<![A-Za-z0-9])|(?<=%[0-9A-Fa-f]{2})|(?<=\\[nrt])|(?<=\\u[0-9A-Fa-f]{4}))", re.ASCII)

# Base64 has a sign before every thirtieth character or so, and goes on: no key begins inside it.
_IN_BASE64 = re.compile(r"(?<=[A-Za-z0-9+/]{24}[+/])", re.ASCII)


def matches(text: str, *, certain: bool, starts: Iterable[int] | None = None) -> Iterator[KeyMatch]:
    """Yield the keys in a text by their forms, in no order; those that begin with a begin do not overlap.

    Args:
        text: any; of bytes, decoded as Latin-1.
        certain: True for those that are as long as the ones that are handed out, False also for beginnings of them.
        starts: where begins start, in ascending order, if that is known.
    """
    forms = _forms(certain=certain)
    end = 0
    for start in _starts(text) if starts is None else starts:
        if start >= end and (match := _key_at(text, start, forms)):
            end = match.end
            yield match
    for inner in INNER:
        yield from _around(text, inner)


def _starts(text: str) -> Iterator[int]:
    begins = _begins()
    found = begins.search(text)
    while found:
        yield found.start()
        found = begins.search(text, found.start() + 1)


def _around(text: str, inner: Inner) -> Iterator[KeyMatch]:
    sign, end = inner.sign, 0
    at = text.find(sign)
    while at >= 0:
        head = _compiled(inner.head).search(text, max(at - inner.before, end), at + len(sign))
        if head and (match := _compiled(inner.whole).match(text, head.start())):
            end = match.end()
            yield KeyMatch(match.start(), end, match[0], inner.kind)
        at = text.find(sign, max(at + 1, end))


def _key_at(text: str, start: int, forms: dict[str, tuple[_Body, ...]]) -> KeyMatch | None:
    """Return the key that begins there; the longest begin counts that has what follows it."""
    found = _begins().match(text, start)
    if found is None or not _PLACE.match(text, start):
        return None
    begin = found[0]
    for size in range(len(begin), 1, -1):
        for body in forms.get(begin[:size], ()):
            match = _compiled(body.pattern).match(text, start + size)
            if match and not (begin[size - 1].isalnum() and _IN_BASE64.match(text, start)):
                value = match[0].rstrip(".")
                return KeyMatch(start, start + size + len(value), value, body.kind)
    return None


class _Body(NamedTuple):
    """What follows a begin, and whose key it is then."""

    pattern: str
    kind: str


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Return a pattern, compiled where it is needed first: most runs meet no more than a few of them."""
    return re.compile(pattern, re.ASCII)


@cache
def _forms(*, certain: bool) -> dict[str, tuple[_Body, ...]]:
    found: dict[str, tuple[_Body, ...]] = {}
    for form in FORMS:
        body = _Body(form.certain if certain else form.likely, form.kind)
        for begin in form.begins:
            found[begin] = (*found.get(begin, ()), body)
    return found


@cache
def _begins() -> re.Pattern[str]:
    """Return a pattern of all begins that shares their first letters; of those that are there it finds the longest."""
    return re.compile(shared_begins(BEGINS), re.ASCII)


def shared_begins(words: Iterable[str]) -> str:
    """Return a pattern of words that shares their first letters; of words that begin alike the longest matches."""
    rest: dict[str, list[str]] = {}
    for word in words:
        if word:
            rest.setdefault(word[0], []).append(word[1:])
    branches = [re.escape(first) + _optional(after) for first, after in rest.items()]
    return branches[0] if len(branches) == 1 else f"(?:{'|'.join(branches)})"


def _optional(words: list[str]) -> str:
    longer = [word for word in words if word]
    if not longer:
        return ""
    return f"(?:{shared_begins(longer)})?" if len(longer) < len(words) else shared_begins(longer)

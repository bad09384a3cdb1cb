"""Where in a text secrets can stand: one pass for the begins of all keys and the signs of all places.

With hyperscan that pass has the speed of ``grep``; without it ``re`` gives the same answer, one pass for each of the
two. Everything else is looked at around these signs only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from typing import NamedTuple, TypeAlias

from ..text.pattern_search import one_pass
from .forms import PLACES, PROGRAMS
from .key_forms import BEGINS
from .key_matching import shared_begins
from .secret_names import NAME_SIGNS

_ALL = (
    *(*NAME_SIGNS, *(sign for place in PLACES for sign in place.signs), "://", "--", "bearer", "cookie"),
    *(program for program in PROGRAMS if not program.startswith("http")),
    *(f"{program} -" for program in PROGRAMS if program.startswith("http")),
)

AROUND: tuple[str, ...] = tuple(
    sorted({sign for sign in _ALL if not any(sign != other and sign.startswith(other) for other in _ALL)})
)
"""Words in small letters: on every line where a secret stands that is no key of a known form, there is one.

None is the beginning of another: of two that begin at one place ``re`` would find one only.
"""

REACH = 4_000
"""Characters of a line around a sign that are looked at: longer ones are data."""

_USER = re.compile(r"[^\s/?#@\"'<>`\\]*+@")
_OPTION = re.compile(r"[a-z]")


class Signs(NamedTuple):
    """What a text has of both: where begins of keys start, and where which sign starts."""

    begins: Sequence[int]
    around: Sequence[tuple[int, str]]


class Window(NamedTuple):
    """A part of a text where secrets may stand beside keys of a known form, and the signs of them that are in it."""

    start: int
    end: int
    signs: frozenset[str]

    def has(self, signs: tuple[str, ...]) -> bool:
        """Tell whether one of *signs* is in it; of a place, or of programs."""
        return not self.signs.isdisjoint(_around(signs))


SignFinder: TypeAlias = Callable[[str], Signs]


def find_with_hyperscan() -> SignFinder:
    """Return a finder that makes one pass at the speed of ``grep``.

    Raises:
        ImportError: hyperscan is not installed.
    """
    import hyperscan

    words = (*BEGINS, *AROUND)
    search = one_pass(
        tuple(re.escape(word).encode() for word in words),
        tuple(0 if number < len(BEGINS) else hyperscan.HS_FLAG_CASELESS for number in range(len(words))),
    )

    def find(text: str) -> Signs:
        found: list[tuple[int, int]] = []
        search(
            text.encode("latin-1", "replace"),
            lambda number, _start, end, *_: found.append((end - len(words[number]), number)),
        )
        begins = sorted({start for start, number in found if number < len(BEGINS)})
        return Signs(begins, sorted((start, words[number]) for start, number in found if number >= len(BEGINS)))

    return find


def find_with_re() -> SignFinder:
    """Return a finder that gives the same answer without hyperscan."""
    begins = re.compile(shared_begins(BEGINS), re.ASCII)
    around = re.compile(shared_begins(AROUND), re.ASCII)

    def find(text: str) -> Signs:
        small = text.encode("latin-1", "replace").decode("latin-1").lower()  # as many characters as the text has
        return Signs(
            [match.start() for match in _overlapping(begins, text)],
            [(match.start(), match[0]) for match in _overlapping(around, small)],
        )

    return find


def _overlapping(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    at = 0
    while match := pattern.search(text, at):
        yield match
        at = match.start() + 1


@cache
def _around(signs: tuple[str, ...]) -> frozenset[str]:
    """Return those of :data:`AROUND` that are found where one of *signs* stands."""
    return frozenset(each for each in AROUND if any(sign.startswith(each) or each.startswith(sign) for sign in signs))


@cache
def sign_finder() -> SignFinder:
    """Return the fastest finder that this machine has."""
    with suppress(ImportError):
        return find_with_hyperscan()
    return find_with_re()


def windows(text: str, signs: Iterable[tuple[int, str]], *, reach: int = REACH) -> Iterator[Window]:
    """Yield the lines of a text with a sign, each with the one after it, where a netrc file has the password.

    Args:
        text: any; of bytes, decoded as Latin-1.
        signs: where which of :data:`AROUND` starts, in ascending order.
        reach: characters of a longer line around a sign that are looked at.
    """
    start, end = 0, -1
    inside: set[str] = set()
    for at, sign in signs:
        behind = at + len(sign)
        if (sign == "://" and not _USER.match(text, behind, behind + reach)) or (
            sign == "--" and not _OPTION.match(text, behind)
        ):
            continue
        if behind > end:
            first = max(text.rfind("\n", max(at - reach, 0), at) + 1, at - reach)
            if first > end:
                if inside:
                    yield Window(start, end, frozenset(inside))
                start, inside = first, set()
            end = _end_of_window(text, behind, reach)
        inside.add(sign)
    if inside:
        yield Window(start, end, frozenset(inside))


def _end_of_window(text: str, at: int, reach: int) -> int:
    """Return the end of the line after that of *at*; a line that ends with a backslash goes on in the next."""
    left = 2
    while left and at < len(text):
        end = text.find("\n", at, at + reach)
        if end < 0:
            return min(at + reach, len(text))
        left -= text[end - 1] != "\\"
        at = end + 1
    return at

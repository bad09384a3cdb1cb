"""The critical patterns of the settings, matched in time that grows with the text and no faster.

Hyperscan takes any regular expression without look-around and back references and never backtracks. Without it,
``re`` gets the pieces between ``.*`` one by one, and a pattern that could still take exponential time is refused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import permutations
from typing import Any, TypeAlias

from ...core.text.pattern_search import one_pass

PatternMatcher: TypeAlias = Callable[[str], list[str]]
"""Given a text, returns the patterns that match one of its lines."""

_MOST_WORDS = 4
"""Words joined by ``.*`` that may stand in any order: four have 24 orders."""

_BORDER = re.compile(r"\\[bB]")

_WORD = re.compile(r"[^\\.^$*+?{}\[\]|()]+")

TEXT = 1 << 14
"""Characters of a record in which the patterns are looked for."""

LINE = 1 << 12
"""Characters of one of its lines in which they are."""

_MOST_WAYS = 4 * LINE
"""Ways to match at one place that ``re`` may have to try: one repetition without end, and a few choices."""

_ENDLESS = 700.0
"""A logarithm beyond which a number is taken for this large: ``exp`` knows no larger ones."""


class PatternTooSlow(Exception):
    """A pattern that cannot be matched here in bounded time; the message says which."""


def pattern_matcher(patterns: Sequence[str]) -> PatternMatcher:
    """Return a matcher of *patterns*: regardless of case, and with words joined by ``.*`` in any order.

    Raises:
        PatternTooSlow: hyperscan takes a pattern not, or is missing and ``re`` could take for ever.
    """
    if not patterns:
        return lambda _text: []
    with suppress(ImportError):
        return _with_hyperscan(patterns)
    return _with_re(patterns)


def word_orders(pattern: str) -> Iterator[str]:
    """Yield the pattern, and where it is words joined by ``.*``, every other order of them."""
    words = pattern.split(".*")
    if 1 < len(words) <= _MOST_WORDS and all(map(_WORD.fullmatch, words)):
        yield from dict.fromkeys(".*".join(order) for order in permutations(words))
    else:
        yield pattern


def _is_words(pattern: str) -> bool:
    return _WORD.fullmatch(pattern.replace(".*", "")) is not None


def _is_plain(pattern: str) -> bool:
    """Tell whether a pattern is words of ASCII joined by ``.*``."""
    return pattern.isascii() and _is_words(pattern)


def _with_hyperscan(patterns: Sequence[str]) -> PatternMatcher:
    import hyperscan

    expressions = [(order, number) for number, pattern in enumerate(patterns) for order in word_orders(pattern)]
    flags = (
        hyperscan.HS_FLAG_CASELESS
        | hyperscan.HS_FLAG_MULTILINE
        | hyperscan.HS_FLAG_SINGLEMATCH
        | hyperscan.HS_FLAG_ALLOWEMPTY
    )

    def unicode(text: str) -> int:
        """Return the flags for Unicode that an expression needs: they make it take three times as long to compile."""
        if _is_plain(text):
            return 0
        # With Unicode's classes hyperscan knows no borders of words: there, \w and \b are those of ASCII.
        classes = 0 if _BORDER.search(text) else hyperscan.HS_FLAG_UCP
        return int(hyperscan.HS_FLAG_UTF8 | classes)

    try:
        search = one_pass(
            tuple(text.encode() for text, _ in expressions), tuple(flags | unicode(text) for text, _ in expressions)
        )
    except hyperscan.error as error:
        raise PatternTooSlow(f"one of the patterns cannot be matched in bounded time: {error}") from None

    def match(text: str) -> list[str]:
        found: set[int] = set()
        search(_bounded(text).encode("utf-8", "replace"), lambda each, *_: found.add(expressions[each][1]))
        return [patterns[number] for number in sorted(found)]

    return match


def _with_re(patterns: Sequence[str]) -> PatternMatcher:
    expressions = []
    for pattern in patterns:
        for order in word_orders(pattern):
            pieces = order.split(".*") if _is_words(order) else [order]
            if any(map(_is_too_slow, pieces)):
                raise PatternTooSlow(f"{pattern!r} could take for ever without hyperscan; install hyperscan.")
            flags = re.IGNORECASE | re.MULTILINE | (re.ASCII if _is_plain(order) else 0)
            expressions.append((pattern, [re.compile(piece, flags) for piece in pieces]))

    def match(text: str) -> list[str]:
        lines = _bounded(text).split("\n")
        found = {pattern for pattern, pieces in expressions for line in lines if _in_order(pieces, line)}
        return [pattern for pattern in patterns if pattern in found]

    return match


def _in_order(pieces: Sequence[re.Pattern[str]], line: str) -> bool:
    place = 0
    for piece in pieces:
        match = piece.search(line, place)
        if match is None:
            return False
        place = match.end()
    return True


def _bounded(text: str) -> str:
    return text if len(text) <= LINE else "\n".join(line[:LINE] for line in text[:TEXT].split("\n"))


def _is_too_slow(pattern: str) -> bool:
    """Tell whether ``re`` could try more ways to match at one place than it has time for."""
    from re import _parser  # type: ignore[attr-defined]  # the only way to see what a pattern is made of

    def log_of_matches(tree: Any) -> float:
        """Return the logarithm of how many ways there are at most."""
        total = 0.0
        for operation, argument in tree:
            within = [log_of_matches(part) for part in _parts(argument)]
            if str(operation) == "BRANCH":
                total += math.log(sum(math.exp(min(part_log, _ENDLESS)) for part_log in within))
            elif str(operation) in {"MAX_REPEAT", "MIN_REPEAT"}:
                least, most = (min(int(number), LINE) for number in argument[:2])
                total += math.log(most - least + 1) + most * sum(within)
            elif str(operation) == "POSSESSIVE_REPEAT":
                total += math.log(min(int(argument[1]), LINE) + 1) + sum(within)
            else:
                total += sum(within)
        return total

    def _parts(argument: Any) -> Iterator[Any]:
        if isinstance(argument, _parser.SubPattern):
            yield argument
        elif isinstance(argument, list | tuple):
            for part in argument:
                yield from _parts(part)

    return log_of_matches(_parser.parse(pattern)) > math.log(_MOST_WAYS)

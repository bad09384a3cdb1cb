"""Log levels in text: level words found in one pass over large buffers, lines classified only where there is one.

Two steps. A *finder* returns the places of words for a warning or worse, with hyperscan at the speed of ``grep``, or
without it with ``re``. Then a :class:`LevelClassifier` looks at the beginning of each such line, up to that word: does
a record begin there, and is that word its level? Lines of one program begin alike, so most answers are cached.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from ...core.text.pattern_search import one_pass
from .line_shapes import ANSI, BOM, COLOURS, TRACEBACK, begins_record, is_structured, is_uncaught
from .log_source import LogSource

if TYPE_CHECKING:
    from collections.abc import Iterable

LevelFinder: TypeAlias = Callable[[bytes], list[int]]
"""Given whole lines, returns where the words end, ascending, each once."""


class Level(IntEnum):
    """The levels of Python's ``logging``; levels below a warning are not told apart."""

    NOTHING = 0
    INFO = 20
    WARNING = 30
    ERROR = 40
    CRITICAL = 50


HEAD = 4096
"""Bytes of a line within which its level word must begin: nobody writes it further to the right."""

_LOOKED_UP = 20_000
"""Beginnings of lines whose judgement is kept."""

_NAMES = {
    b"warn": Level.WARNING,
    b"warning": Level.WARNING,
    b"error": Level.ERROR,
    b"critical": Level.CRITICAL,
    b"fatal": Level.CRITICAL,
}

# What follows the word is a part of the match: `ERROR_COUNT` and `ERROR=0` are no levels. Hyperscan knows no
# look-around, and both engines must take the same patterns; what they give too much, the judge leaves out.
# Nor may colours and a space both be optional in front of a word: there it overlooks some (the tests look for that).
_UPPER = rb"(?:ERROR|CRITICAL|FATAL|WARN(?:ING)?)[^\w=]"
_SMALL = rb"(?:error|critical|fatal|warning|warn|Error|Critical|Fatal|Warning|Warn)"
_LOWER = rb"[\"=']" + _SMALL + rb"[\"'\s]"
_BRACKET = rb"[\[m]" + _SMALL + rb"\s{0,8}" + COLOURS + rb"\]"  # "m" ends a colour
_PADDED = rb"\[ " + _SMALL + rb"\s{0,8}\]"
PATTERNS = (_UPPER, _LOWER, _BRACKET, _PADDED, re.escape(TRACEBACK))

_ANY_WORD = rb"(?:[Tt]race|[Dd]ebug|[Ii]nfo|[Nn]otice|[Ss]uccess|[Ee]rror|[Cc]ritical|[Ff]atal|[Ww]arn(?:ing)?)"
_TOKEN = re.compile(
    rb"\b(?P<upper>TRACE|DEBUG|INFO|NOTICE|SUCCESS|ERROR|CRITICAL|FATAL|WARN(?:ING)?)(?![\w=])"
    rb"|\[\0{0,3}\s?\0{0,3}(?P<bracket>" + _ANY_WORD + rb")\0{0,3}\s{0,8}\0{0,3}\]"
    rb"|\b(?:level|levelname|severity|lvl)\0{0,3}(?:=\0{0,3}[\"']?|[\"']:\s?[\"'])(?P<key>" + _ANY_WORD + rb")(?![\w=])"
)
"""Every form of a level in text; the first in a line is the record's. Where a colour was, there is a NUL."""

_COLOUR_MARK = b"\0"

CONTEXT = 1 << 14
"""Bytes in front of a traceback in which the record that it belongs to is looked for."""

_JSON = (b"{", BOM + b"{")
_DIGITS = bytes.maketrans(b"123456789", b"000000000")


class _JsonLine(msgspec.Struct):
    level: object = None
    levelname: object = None
    severity: object = None
    lvl: object = None
    log_level: object = msgspec.field(default=None, name="log.level")


_decode_json = msgspec.json.Decoder(_JsonLine).decode


def find_with_hyperscan() -> LevelFinder:
    """Return a finder that makes one pass at the speed of ``grep``.

    Raises:
        ImportError: hyperscan is not installed.
    """
    search = one_pass(tuple(PATTERNS), (0,) * len(PATTERNS))

    def find(buffer: bytes) -> list[int]:
        ends: list[int] = []
        search(buffer, lambda _number, _start, end, *_: ends.append(end))
        return list(dict.fromkeys(ends))

    return find


def find_with_re() -> LevelFinder:
    """Return a finder that gives the same answer without hyperscan, one pass per pattern."""
    patterns = [re.compile(pattern) for pattern in PATTERNS]

    def find(buffer: bytes) -> list[int]:
        return sorted({match.end() for pattern in patterns for match in pattern.finditer(buffer)})

    return find


def level_finder() -> LevelFinder:
    """Return the fastest finder that this machine has."""
    with suppress(ImportError):
        return find_with_hyperscan()
    return find_with_re()


class LevelClassifier:
    """Tells which of the words found are the levels of records.

    Args:
        structured: records have a shape of their own (a time, a level in front, JSON), so that a line without
            one goes on with the record before it. In a file of free text every line is a record.
    """

    def __init__(self, *, structured: bool) -> None:
        self.structured = structured
        self._known: dict[bytes, Level] = {}

    def count(self, buffer: bytes, ends: Sequence[int], before: bytes = b"") -> Counter[Level]:
        """Return how many records of which level begin in *buffer*; *before* is the text in front of it."""
        heads = Counter([head.translate(_DIGITS) for head in _line_heads(buffer, ends)])
        if any(head.startswith(_JSON) for head in heads):
            return Counter(level for _, level in self.lines(buffer, ends, before))
        total: Counter[Level] = Counter()
        if heads.pop(TRACEBACK, 0):
            starts = [end - len(TRACEBACK) for end in ends if buffer.endswith(b"\n" + TRACEBACK, 0, end)]
            starts += [0] * buffer.startswith(TRACEBACK)
            total[Level.ERROR] = sum(_is_uncaught(buffer, start, before) for start in starts)
        for head, number in heads.items():
            total[self._level(head)] += number
        return +Counter({level: number for level, number in total.items() if level})

    def lines(self, buffer: bytes, ends: Iterable[int], before: bytes = b"") -> Iterator[tuple[int, Level]]:
        """Yield where each record that has one of the words as its level begins, and that level.

        Args:
            buffer: whole lines.
            ends: what the finder gave for it, or a part of that; descending for descending results.
            before: the text in front of the buffer, for a traceback that begins it.
        """
        last = broken = -1
        for end in ends:
            start = buffer.rfind(b"\n", max(end - HEAD - 1, 0), end - 1) + 1
            if (start == 0 and end > HEAD) or start == last:
                continue
            level = None
            if buffer.startswith(TRACEBACK, start):
                level = Level.ERROR if _is_uncaught(buffer, start, before) else Level.NOTHING
                last = start
            elif buffer.startswith(_JSON, start) and start != broken:
                level = self._json_level(buffer, start, end)
                last, broken = (last, start) if level is None else (start, broken)
            if level is None:
                level = self._level(buffer[start:end].translate(_DIGITS))
            if level:
                last = start
                yield start, level

    def _level(self, head: bytes) -> Level:
        level = self._known.get(head)
        if level is None:
            if len(self._known) >= _LOOKED_UP:
                self._known.clear()
            level = self._known[head] = level_of_head(head, structured=self.structured)
        return level

    @staticmethod
    def _json_level(buffer: bytes, start: int, end: int) -> Level | None:
        """Return the level that a JSON line names; ``None`` where it is no JSON and must be read as text."""
        stop = buffer.find(b"\n", end - 1)
        try:
            line = _decode_json(buffer[start : stop if stop >= 0 else len(buffer)].removeprefix(BOM))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        fields = (line.level, line.levelname, line.severity, line.lvl, line.log_level)
        level_name = next((field for field in fields if field and isinstance(field, str)), "")
        return _NAMES.get(level_name.lower().encode("utf-8", "replace"), Level.NOTHING)


def _is_uncaught(buffer: bytes, start: int, before: bytes) -> bool:
    """Tell whether the traceback at *start* belongs to no record; *before* is the text in front of *buffer*."""
    if start >= CONTEXT:
        return is_uncaught(buffer, start, start - CONTEXT)
    text = before[-(CONTEXT - start) :] + buffer[:start]
    return is_uncaught(text, len(text))


def level_of_head(head: bytes, *, structured: bool) -> Level:
    """Return the level of a line that is read up to and with a level word and the character after it.

    Returns:
        ``NOTHING`` where the line begins no record, or where that word is not its first level word.
    """
    coloured = b"\x1b" in head
    # A colour keeps what stands before it apart from what follows: both may be words.
    plain = ANSI.sub(_COLOUR_MARK, head) if coloured else head
    token = _TOKEN.search(plain)
    if token is None or token.end() < len(plain) - 1:
        return Level.NOTHING
    if structured and not begins_record(ANSI.sub(b"", head) if coloured else head):
        return Level.NOTHING
    word = token["upper"] or token["bracket"] or token["key"]
    return _NAMES.get(word.lower(), Level.NOTHING)


def _line_heads(buffer: bytes, ends: Sequence[int]) -> list[bytes]:
    """Return the beginnings of lines up to each end; words further right than :data:`HEAD` are left out."""
    rfind = buffer.rfind
    first = bisect(ends, HEAD)
    heads = [buffer[rfind(b"\n", 0, end - 1) + 1 : end] for end in ends[:first]]
    return heads + [buffer[start:end] for end in ends[first:] if (start := rfind(b"\n", end - HEAD - 1, end - 1) + 1)]


@dataclass(frozen=True, slots=True)
class LevelClassifiers:
    """The judges of one run: what each has learnt in one log serves the next of that kind.

    Attributes:
        shaped: for logs whose records have a shape.
        free: for free text.
    """

    shaped: LevelClassifier = field(default_factory=lambda: LevelClassifier(structured=True))
    free: LevelClassifier = field(default_factory=lambda: LevelClassifier(structured=False))

    def of(self, source: LogSource) -> LevelClassifier:
        """Return the judge of a log's lines, by the look of its first ones."""
        return self.shaped if is_structured(source.sample()) else self.free

"""How a record is laid out: found from its beginning."""

from __future__ import annotations

import re
from typing import NamedTuple

from .scanning import Damaged, Incomplete, after_blanks, scan

_BOM = b"\xef\xbb\xbf"
_OPENING = re.compile(rb'\{\s*"(?:[^"\\]|\\.)*+"')

_ENTRY_KEYS = {"timestamp", "component", "duration", "success"}

_KINDS = {str: "string", float: "number", bool: "boolean", type(None): "null"}

_EXPECTED = "an array of entries, an object with such an array, or one entry on each line"


class Layout(NamedTuple):
    """Where the entries are.

    Attributes:
        start: the offset in bytes of the first one.
        lines: True where they follow each other as values of their own (JSON Lines), False in an array.
        wrapped: True where the array is the value of a key of an object.
        opening: how the first entry begins, up to its first key; most others begin the same.
    """

    start: int
    lines: bool
    wrapped: bool
    opening: bytes


class NoLayout(Exception):
    """The file holds something else; the message continues a sentence that begins with its name."""


def layout(head: bytes) -> Layout | None:
    """Return how the file that begins with *head* is laid out; ``None`` where it is empty.

    Raises:
        Incomplete: its beginning does not tell.
        NoLayout: it holds no entries.
    """
    skipped = len(_BOM) if head.startswith(_BOM) else 0
    text = head[skipped:].decode("utf-8", "surrogateescape")
    begin = after_blanks(text, 0)
    if begin == len(text):
        return None
    place, lines, wrapped = _found(text, begin)
    start = skipped + len(text[:place].encode("utf-8", "surrogateescape"))
    opening = _OPENING.match(head, start + _blanks(head, start))
    return Layout(start, lines, wrapped, opening[0] if opening else b"{")


def _blanks(head: bytes, start: int) -> int:
    return len(head) - start - len(head[start:].lstrip())


def _found(text: str, begin: int) -> tuple[int, bool, bool]:
    """Return where the entries begin, whether they are on lines, and whether in an array within an object."""
    if text[begin] == "[":
        return begin + 1, False, False
    if text[begin] == "{":
        return _in_object(text, begin)
    if '"timestamp"' in text:  # entries after a damaged stretch
        return begin, True, False
    try:
        value, _ = scan(text, begin)
    except (Damaged, Incomplete):
        raise NoLayout(f"is no JSON; {_EXPECTED} was expected") from None
    raise NoLayout(f"holds a JSON {_KINDS[type(value)]} where {_EXPECTED} was expected")


def _in_object(text: str, begin: int) -> tuple[int, bool, bool]:
    """Tell an object that holds the array from one that is the first entry on a line of its own."""
    try:
        value, end = scan(text, begin)
    except (Damaged, Incomplete):
        value, end = {}, len(text)
    if isinstance(value, dict) and not _ENTRY_KEYS.isdisjoint(value):
        return begin, True, False
    place = _array_of(text, begin)
    if place is not None:
        return place, False, True
    if text[after_blanks(text, end) :].startswith("{"):
        return begin, True, False
    raise NoLayout(f"holds an object without an array where {_EXPECTED} was expected")


def _array_of(text: str, begin: int) -> int | None:
    """Return where the elements of an object's array begin, ``None`` where the object is no more than an entry.

    The first array that begins with an object is the one, else the first of all.

    Raises:
        Incomplete: the text ends before it.
        NoLayout: the text is no object.
    """
    first = None
    place = after_blanks(text, begin + 1)
    try:
        while text[place : place + 1] != "}":
            key, place = scan(text, place)
            if not isinstance(key, str):
                raise Damaged  # noqa: TRY301 - the same as where there is no value at all
            if key in _ENTRY_KEYS:
                return None
            place = after_blanks(text, _after(":", text, place))
            if text[place : place + 1] == "[":
                if text[after_blanks(text, place + 1) :].startswith("{"):
                    return place + 1
                first = place + 1 if first is None else first
            _, place = scan(text, place)
            place = after_blanks(text, place)
            if text[place : place + 1] != "}":
                place = after_blanks(text, _after(",", text, place))
    except Damaged:
        raise NoLayout(f"is no JSON; {_EXPECTED} was expected") from None
    return first


def _after(mark: str, text: str, place: int) -> int:
    place = after_blanks(text, place)
    if place == len(text):
        raise Incomplete
    if text[place] != mark:
        raise Damaged
    return place + 1

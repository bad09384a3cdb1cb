"""Where the entries of a record are, found from its beginning."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

from .json_scanning import Damaged, Incomplete, after_blanks, scan

_BOM = b"\xef\xbb\xbf"
_OPENING = re.compile(rb'\s*(\{\s*"(?:[^"\\]|\\.)*+")')

_ENTRY_KEYS = {"timestamp", "component", "duration", "success"}

_KINDS = {str: "string", int: "number", float: "number", bool: "boolean", type(None): "null"}

_EXPECTED = "an array of entries, an object with such an array, or one entry on each line"


class Layout(NamedTuple):
    """Where the entries are.

    Attributes:
        start: the offset in bytes of the first entry, which in an array may have blanks before it.
        lines: True where the entries follow each other as values of their own (JSON Lines), False in an array.
        wrapped: True where the array is the value of a key of an object.
        opening: how the first entry begins, up to its first key; most others begin the same, and what is nested in
            them does not.
    """

    start: int
    lines: bool
    wrapped: bool
    opening: bytes


class NoLayout(Exception):
    """The file holds something else; the message continues a sentence that begins with its name."""


def layout(head: bytes) -> Layout | None:
    """Return where the entries are in a file that begins with *head*; ``None`` where that is blank.

    Raises:
        Incomplete: the beginning does not show it.
        NoLayout: it holds no entries.
    """
    skipped = len(_BOM) if head.startswith(_BOM) else 0
    text = head[skipped:].decode("utf-8", "surrogateescape")
    begin = after_blanks(text, 0)
    if begin == len(text):
        return None
    place, lines, wrapped = _first_entry(text, begin)
    start = skipped + len(text[:place].encode("utf-8", "surrogateescape"))
    opening = _OPENING.match(head, start)
    return Layout(start, lines, wrapped, opening[1] if opening else b"{")


_Place: TypeAlias = tuple[int, bool, bool]
"""Where the entries begin, whether they are on lines, and whether in an array within an object."""


def _first_entry(text: str, begin: int) -> _Place:
    if text[begin] == "[":
        return begin + 1, False, False
    try:
        if text[begin] == "{":
            return _in_object(text, begin)
        value, _ = scan(text, begin)
    except Damaged:
        if '"timestamp"' in text:  # entries after a damaged stretch
            return begin, True, False
        raise NoLayout(f"is no JSON; {_EXPECTED} was expected") from None
    raise NoLayout(f"holds a JSON {_KINDS[type(value)]} where {_EXPECTED} was expected")


def _in_object(text: str, begin: int) -> _Place:
    """Return where the entries are: in an array of this object, or the object is itself the first of the lines.

    Raises:
        Incomplete: the text ends before that shows.
        Damaged: it is no JSON.
        NoLayout: the object is neither.
    """
    try:
        value, end = scan(text, begin)
    except (Damaged, Incomplete):
        value, end = {}, len(text)
    if isinstance(value, dict) and not _ENTRY_KEYS.isdisjoint(value):
        return begin, True, False
    found = _first_array(text, begin)
    if found is None and text[after_blanks(text, end) :].startswith("{"):
        return begin, True, False
    if found is None:
        raise NoLayout(f"holds an object without an array where {_EXPECTED} was expected")
    return found


def _first_array(text: str, begin: int) -> _Place | None:
    """Return where the elements of an object's array begin, or the object itself where it is an entry.

    The first array that begins with an entry is the one, else the first that begins with an object, else the first of
    all. ``None`` where there is none.
    """
    first = objects = None
    try:
        for key, place in _values(text, begin):
            if key in _ENTRY_KEYS:
                return begin, True, False
            if text[place : place + 1] == "[":
                array = place + 1, False, True
                element = after_blanks(text, place + 1)
                if _is_entry(text, element):
                    return array
                if text[element : element + 1] == "{":
                    objects = objects or array
                first = first or array
    except (Damaged, Incomplete):
        if objects is None:
            raise
    return objects or first


def _values(text: str, begin: int) -> Iterator[tuple[str, int]]:
    """Yield the keys of the object at a place, each with where its value begins.

    Raises:
        Incomplete: the text ends within it.
        Damaged: it is no JSON.
    """
    place = after_blanks(text, begin + 1)
    while text[place : place + 1] != "}":
        key, place = scan(text, place)
        if not isinstance(key, str):
            raise Damaged
        place = after_blanks(text, _after(":", text, place))
        yield key, place
        _, place = scan(text, place)
        place = after_blanks(text, place)
        if text[place : place + 1] != "}":
            place = after_blanks(text, _after(",", text, place))


def _is_entry(text: str, place: int) -> bool:
    """Return whether an entry begins at a place, by its keys; of one that is cut off, what is there of it counts."""
    if text[place : place + 1] != "{":
        return False
    try:
        value, _ = scan(text, place)
    except (Damaged, Incomplete):
        return any(f'"{key}"' in text[place:] for key in _ENTRY_KEYS)
    return isinstance(value, dict) and not _ENTRY_KEYS.isdisjoint(value)


def _after(mark: str, text: str, place: int) -> int:
    place = after_blanks(text, place)
    if place == len(text):
        raise Incomplete
    if text[place] != mark:
        raise Damaged
    return place + 1

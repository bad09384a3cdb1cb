"""One JSON value at a time, as Python writes them, and what it means where there is none."""

from __future__ import annotations

import json
import re

_LONGEST_INTEGER = 18
"""Characters up to which an integer is read as one: Python refuses some thousand digits, and they take long."""


def _integer(text: str) -> float:
    return int(text) if len(text) <= _LONGEST_INTEGER else float(text)


_DECODER = json.JSONDecoder(strict=False, parse_int=_integer)
"""Takes ``NaN``, control characters in strings and integers of any length."""

_PARTIAL = re.compile(r"\.|[eE][+-]?|-|\\?u?[0-9a-fA-F]{0,4}")
_INCOMPLETE_NUMBER = re.compile(r"\.|[eE][+-]?")
"""What a number may go on with, digits to follow."""

_LITERALS = ("true", "false", "null", "NaN", "Infinity", "-Infinity")

_DEEP = 500
"""Characters to pass over in brackets that are nested too deeply; at least as many of them are opening ones."""

_BLANKS = re.compile(r"[ \t\r\n]*")


class Incomplete(Exception):
    """The text ends before the value does."""


class Damaged(Exception):
    """There is no value; *skip* is how many characters from here on need no further look."""

    def __init__(self, skip: int = 1) -> None:
        super().__init__()
        self.skip = skip


def after_blanks(text: str, place: int) -> int:
    """Return where the blanks of JSON at *place* end."""
    return _BLANKS.match(text, place).end()  # type: ignore[union-attr] # matches everywhere


def scan(text: str, place: int) -> tuple[object, int]:
    """Return the JSON value that begins at *place*, and where it ends.

    Raises:
        Incomplete: the text ends in the middle of it.
        Damaged: there is no valid value, whatever may follow the text.
    """
    try:
        value, end = _DECODER.raw_decode(text, place)
    except json.JSONDecodeError as error:
        rest = text[error.pos : error.pos + 16]
        if error.msg.startswith("Unterminated string") or (
            error.pos + len(rest) == len(text) and (_PARTIAL.fullmatch(rest) or _is_incomplete_literal(rest))
        ):
            raise Incomplete from None
        raise Damaged from None
    except RecursionError:
        raise Damaged(_DEEP) from None
    if type(value) in {int, float} and _INCOMPLETE_NUMBER.fullmatch(text, end):
        raise Incomplete
    return value, end


def _is_incomplete_literal(text: str) -> bool:
    return any(literal.startswith(text) for literal in _LITERALS)

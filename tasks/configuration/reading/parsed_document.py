"""What a reader returns: what a file says, and what is wrong with it."""

from __future__ import annotations

from typing import Any, NamedTuple

from ...core.text.formatting import printable

SHOWN = 100
"""Characters of a line that are shown around the place."""


class Problem(NamedTuple):
    """One thing that is wrong with a file.

    Attributes:
        message: what, as the start of a sentence without its full stop.
        line: where, from 1; 0 where the line is not known.
        column: where in that line, from 1; 0 where the column is not known.
        excerpt: the line, or what is around the place in a long one, and below it a caret; empty where there is none.
        whole: the whole line, which tells whether anything in the excerpt is secret.
    """

    message: str
    line: int = 0
    column: int = 0
    excerpt: str = ""
    whole: str = ""


class Document(NamedTuple):
    """A file that was read.

    Attributes:
        value: what it says, in plain dictionaries, lists and scalars; ``None`` where it cannot be read at all.
        problems: what is wrong with it.
        readable: False where *value* is not what the file says.
        supported: False where there is no reader for its format: then the file may be well.
    """

    value: Any = None
    problems: tuple[Problem, ...] = ()
    readable: bool = True
    supported: bool = True


def problem_at(text: str, message: str, line: int, column: int) -> Problem:
    """Return a problem with the line that it is in and a caret under the place, as compilers show them.

    Args:
        text: the file's.
        message: what is wrong.
        line: from 1.
        column: from 1, in characters.
    """
    start = _start_of(text, line)
    if start is None:
        return Problem(message, line, column)
    end = text.find("\n", start)
    whole = text[start : end if end >= 0 else len(text)].rstrip("\r")
    first = max(0, column - 1 - SHOWN // 2)
    shown = whole[first : first + SHOWN].replace("\t", " ")
    caret = " " * (column - 1 - first)
    return Problem(message, line, column, f"{printable(shown)}\n{caret}^", whole)


def _start_of(text: str, line: int) -> int | None:
    """Return where a line begins; ``None`` where the text has fewer."""
    start = 0
    for _ in range(line - 1):
        start = text.find("\n", start) + 1
        if not start:
            return None
    return start

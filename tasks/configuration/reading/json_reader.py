"""JSON, with the places of its faults and of repeated keys."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from .parsed_document import Document, Problem, problem_at

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]')

_PROBLEMS = 20


class _Open(NamedTuple):
    """A collection that is being followed: the lines of an object's keys, ``None`` for an array."""

    keys: dict[str, int] | None


def read_json(text: str) -> Document:
    """Return what a JSON text says. Of equal keys the last counts, and all are reported.

    Args:
        text: the text; ``NaN`` and ``Infinity`` are accepted, as Python writes them.
    """
    twice: list[str] = []

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(found)
        if len(made) < len(found):
            twice.append("")
        return made

    try:
        value = json.loads(text, object_pairs_hook=pairs)
    except json.JSONDecodeError as error:
        message = f"{error.msg[:1].lower()}{error.msg[1:]}"
        return Document(None, (problem_at(text, message, error.lineno, error.colno),), readable=False)
    except (RecursionError, ValueError):  # a number of more digits than Python converts is a ValueError
        return Document(
            None, (Problem("it is nested too deeply, or has a number too long, to be read"),), readable=False
        )
    return Document(value, (*_repeated(text),) if twice else ())


def _repeated(text: str) -> Iterator[Problem]:
    """Yield the keys of a valid text that are repeated in one object."""
    stack: list[_Open] = []
    line, counted, reported = 1, 0, 0
    last: re.Match[str] | None = None
    for token in _TOKEN.finditer(text):
        kind = token[0][0]
        if kind in "{[":
            stack.append(_Open({} if kind == "{" else None))
        elif kind in "}]":
            stack.pop()
        elif kind == ":" and last is not None and (keys := stack[-1].keys) is not None:
            line += text.count("\n", counted, last.start())
            counted = last.start()
            key = json.loads(last[0])
            if key in keys and reported < _PROBLEMS:
                reported += 1
                column = last.start() - text.rfind("\n", 0, last.start())
                yield problem_at(
                    text, f"the key {key!r} stands on line {keys[key]} already; this one counts", line, column
                )
            keys[key] = line
        last = token

"""TOML, as Python's own parser reads it."""

from __future__ import annotations

import re
import tomllib

from .parsed_document import Document, Problem, problem_at

_PLACE = re.compile(r" \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$")


def read_toml(text: str) -> Document:
    """Return what a TOML text says; keys that are there twice are errors by the format's own rules.

    Args:
        text: the text.
    """
    try:
        return Document(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        place = _PLACE.search(message)
        message = _PLACE.sub("", message)
        message = f"{message[:1].lower()}{message[1:]}"
        if place is None or place["line"] is None:
            line, column = text.count("\n") + 1, len(text) - text.rfind("\n")
        else:
            line, column = int(place["line"]), int(place["column"])
        return Document(None, (problem_at(text, message, line, column),), readable=False)
    except RecursionError:
        return Document(None, (Problem("it is nested too deeply to be read"),), readable=False)

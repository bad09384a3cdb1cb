"""API keys as a project keeps them: in the environment, else in its ``.env``."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from io import StringIO
from pathlib import Path
from typing import NamedTuple

from ..files import safe_files
from ..text.formatting import printable

FILE = ".env"

_LIMIT = 1_000_000


class Key(NamedTuple):
    """One key.

    Attributes:
        value: the key without blanks around it; empty where there is none.
        source: ``environment`` or ``.env``; empty where it is set nowhere.
        problem: what is wrong with it, as the end of a sentence; ``None`` where nothing is.
    """

    value: str
    source: str
    problem: str | None = None

    def __repr__(self) -> str:
        """Say where the key is from, never what it is: a traceback may show this."""
        return f"Key(source={self.source!r}, problem={self.problem!r})"


def find_keys(root: Path, names: Iterable[str], environment: Mapping[str, str]) -> dict[str, Key]:
    """Return the key of each name: the environment's, else that of the project's ``.env``.

    That order is python-dotenv's own: what is set for one run counts more than what a file says. A variable that
    is set and empty hides the file's, as it does for the project.

    Args:
        root: the project.
        names: the variables, ``DEEPSEEK_API_KEY`` for one.
        environment: the process's environment.
    """
    wanted = [*dict.fromkeys(names)]
    filed = _filed(root) if any(name not in environment for name in wanted) else _Filed()
    return {name: _key(environment[name], "environment") if name in environment else filed.key(name) for name in wanted}


class _Filed(NamedTuple):
    """What the file holds: values by name, the lines that cannot be read by number, or why none of it could be."""

    values: Mapping[str, str | None] = {}
    odd: Mapping[int, str] = {}
    problem: str | None = None

    def key(self, name: str) -> Key:
        if name in self.values:
            return _key(self.values[name] or "", FILE)
        line = next((number for number, text in self.odd.items() if name in text), None)
        if line is not None:
            return Key(
                "", FILE, f"cannot be read in line {line} of {FILE}: NAME=value was expected, with quotes closed"
            )
        return Key("", "", self.problem or f"is set neither in the environment nor in {FILE}")


def _key(text: str, source: str) -> Key:
    value = text.strip()
    where = "in the environment" if source == "environment" else f"in {source}"
    if not value:
        return Key("", source, f"is empty {where}")
    if not (value.isascii() and value.isprintable()) or " " in value:
        return Key(value, source, f"has characters {where} that no key has: blanks inside, or others than ASCII")
    return Key(value, source, f"has blanks around it {where}" if value != text else None)


def _filed(root: Path) -> _Filed:
    """Read the file as python-dotenv's ``load_dotenv`` does for the project, references to other variables included."""
    try:
        text = safe_files.read(root, FILE, limit=_LIMIT).decode("utf-8-sig", "replace")
    except FileNotFoundError:
        return _Filed()
    except safe_files.Refused as error:
        return _Filed(problem=f"is not set in the environment; {error}")
    except OSError as error:
        return _Filed(problem=f"is not set in the environment, and {FILE} cannot be read: {printable(error.strerror)}")
    from dotenv import dotenv_values
    from dotenv.parser import parse_stream

    logging.getLogger("dotenv.main").setLevel(logging.ERROR)  # what it cannot read is reported with the key
    odd = {each.original.line: each.original.string for each in parse_stream(StringIO(text)) if each.error}
    return _Filed(dotenv_values(stream=StringIO(text)), odd)

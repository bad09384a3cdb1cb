"""JSON files that the suite shares with the project, which writes them as well.

What is found there may be anything. A file that cannot be used is never overwritten: it is kept aside under another
name, and the reader reports it. What the suite alone writes is read by :mod:`.state_files`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from ..text.formatting import printable
from . import safe_files

LIMIT = 10_000_000
"""Bytes of the largest file read; the files that share this format hold a few thousand."""

_KINDS = {list: "array", str: "string", int: "number", float: "number", bool: "boolean", type(None): "null"}


class Found(NamedTuple):
    """What reading a file gave.

    Attributes:
        content: the object in it; empty where there is none.
        problem: why the file could not be used; ``None`` where it could or is missing.
        replaceable: True where it may be written: it is usable or missing.
        broken: True where it must be kept aside before it is written.
    """

    content: dict[str, Any]
    problem: str | None = None
    replaceable: bool = True
    broken: bool = False


def read_object(root: Path, relative: str) -> Found:
    """Read the JSON object in the file *relative* below *root*; a missing or empty file holds an empty one.

    JSON as Python writes it is accepted, ``NaN`` included, for that is what the project writes.
    """
    try:
        content = safe_files.read(root, relative, limit=LIMIT)
    except FileNotFoundError:
        return Found({})
    except safe_files.Refused as error:
        return Found({}, str(error), replaceable=False)
    except OSError as error:
        return Found({}, f"{printable(relative)} cannot be read: {error.strerror}.", replaceable=False)
    return _parsed(content, printable(relative)) if content.strip() else Found({})


def _parsed(content: bytes, name: str) -> Found:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        return Found({}, f"{name} is no valid JSON: {printable(error)}.", broken=True)
    if not isinstance(value, dict):
        kind = _KINDS[type(value)]
        return Found({}, f"{name} holds a JSON {kind} where an object was expected.", broken=True)
    return Found(value)


def write_object(root: Path, relative: str, content: dict[str, Any], found: Found) -> str | None:
    """Write *content* to the file that *found* was read from, whole or not at all.

    Returns:
        The path under which an unusable old file was kept; ``None`` where there was none.

    Raises:
        Refused, OSError: it was not written, and the old file is where it was.
    """
    try:
        text = json.dumps(content, indent=2)
    except RecursionError:
        raise safe_files.Refused(f"{printable(relative)} is nested too deeply to be written again.") from None
    return safe_files.write(root, relative, text.encode("ascii") + b"\n", keep_old=found.broken)

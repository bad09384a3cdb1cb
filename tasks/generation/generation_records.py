"""Reading the record that the project keeps of its generations.

It is decoded in pieces of many entries, which needs neither more memory nor more time as the record grows. From the
first piece on that does not decode, the rest is read one value at a time.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import msgspec

from ..core.files.safe_files import Refused, regular_file
from ..core.text.formatting import printable
from .damaged_records import read_damaged
from .entry_times import Periods
from .generation_tally import Entry, LooseEntry, Tally
from .json_scanning import Incomplete
from .record_layout import Layout, NoLayout, layout

PIECE = 1 << 18
"""Bytes read at a time: more than a thousand entries, which a processor's cache holds."""

LONGEST_HEAD = 16 << 20
"""Bytes that may come before the first entry."""

_HEAD = 1 << 16

_BEFORE_ENTRY = rb"(?s:.*)\}[ \t\r\n]*,[ \t\r\n]*"
"""Everything up to where the last entry seems to begin. That may be inside an entry, in a nested array or in a string;
but a text that begins at an entry and, with brackets around it, decodes as an array ends at the end of an entry."""

_Any = LooseEntry | str | int | float | bool | list[Any] | None

_CLEAN, _CLEAN_LINES = msgspec.json.Decoder(list[Entry]), msgspec.json.Decoder(Entry)
_LOOSE: msgspec.json.Decoder[list[_Any]] = msgspec.json.Decoder(list[_Any])
_LOOSE_LINES: msgspec.json.Decoder[_Any] = msgspec.json.Decoder(_Any)

_UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError)


@dataclass(frozen=True, slots=True)
class Records:
    """What the record holds.

    Attributes:
        tally: its entries.
        absent: the sentence that says why there are none, where that is nothing unusual.
        problem: the sentence that says why it could not be read.
        truncated: True where it ends in the middle.
    """

    tally: Tally
    absent: str | None = None
    problem: str | None = None
    truncated: bool = False


def read_records(root: Path, path: str, periods: Periods) -> Records:
    """Read the entries of *periods*; nothing is raised for what is wrong with the file.

    The file is a JSON array of objects, an object with such an array under a key, or JSON Lines. An entry has a
    ``timestamp``, a ``component``, a ``duration`` in seconds and ``success``, true or false.

    Args:
        root: the project.
        path: the file, below it.
        periods: the periods whose entries are kept.
    """
    name = printable(path)
    try:
        with regular_file(root, path) as (descriptor, _), os.fdopen(descriptor, "rb", 0, closefd=False) as file:
            return _read(file, name, periods)
    except FileNotFoundError:
        return Records(Tally(periods), absent=f"There is no {name}.")
    except Refused as error:
        return Records(Tally(periods), problem=str(error))
    except OSError as error:
        return Records(Tally(periods), problem=f"{name} cannot be read: {printable(error.strerror)}.")


def _read(file: IO[bytes], name: str, periods: Periods) -> Records:
    tally = Tally(periods)
    try:
        head, found = _head(file)
    except NoLayout as error:
        return Records(tally, problem=f"{name} {error}.")
    if found is None:
        return Records(tally, absent=f"{name} is empty.")
    content, offset = head[found.start :], found.start
    while True:
        used = _add_piece(content, found, tally)
        content, offset = content[used:], offset + used
        block = file.read(PIECE) if used or len(content) < PIECE else b""
        if not block:
            break
        content += block
    return Records(tally, truncated=read_damaged(file, content, offset, found, tally))


def _head(file: IO[bytes]) -> tuple[bytes, Layout | None]:
    """Return as much of the beginning as it takes to find the entries, and where they are.

    Raises:
        NoLayout: it holds no entries, or nothing that can be read before them.
    """
    head = file.read(_HEAD)
    while True:
        more = file.read(15 * len(head)) if len(head) < LONGEST_HEAD else b""
        try:
            found = layout(head)
        except Incomplete:
            if not more:
                raise NoLayout("ends, or goes on for too long, before its first entry") from None
        else:
            if found is not None or not more:
                return head + more, found
        head += more


def _add_piece(content: bytes, found: Layout, tally: Tally) -> int:
    """Add all entries but the last; return how many bytes they take, 0 where they do not decode at once."""
    if found.lines:
        used = content.rfind(b"\n") + 1
        text = content[:used]
    else:
        borders = (re.match(_BEFORE_ENTRY + rb"(?=%s)" % re.escape(mark), content) for mark in (found.opening, b"{"))
        used = next((border.end() for border in borders if border), 0)
        text = b"".join((b"[", memoryview(content)[: content.rfind(b"}", 0, used) + 1], b"]"))
    if not used:
        return 0
    entries: Sequence[Entry]
    try:
        entries = _CLEAN_LINES.decode_lines(text) if found.lines else _CLEAN.decode(text)
    except _UNREADABLE:
        pass
    else:
        tally.add_clean(entries)
        return used
    try:
        values = _LOOSE_LINES.decode_lines(text) if found.lines else _LOOSE.decode(text)
    except _UNREADABLE:
        return 0
    for value in values:
        tally.add_any(value)
    return used

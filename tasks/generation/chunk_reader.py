"""Reading a stretch of the record in blocks, with as little work for each entry as its content allows.

Three ways of decoding, each tried where the one before fails: a block of entries with nothing wrong in them, a
block of valid JSON, one value at a time. A block ends where an entry seems to end: at a ``}`` that a comma and a
``{`` follow. That may be inside an entry, in a nested array or in a string; but a text that begins at an entry and,
with brackets around it, decodes as an array has closed all that it opened, so it ends at the end of an entry.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

import msgspec

from .generation_tally import Entry, Fault, LooseEntry, Tally
from .layouts import Layout
from .scanning import Damaged, Incomplete, after_blanks, scan

BLOCK = 1 << 18
"""Bytes read at a time: more than a thousand entries, which a processor's cache holds."""

WINDOW = 1 << 16
"""Bytes that are decoded one value at a time before a whole block is tried again."""

LARGEST = 16 << 20
"""Bytes from which on an entry is taken for damaged: as much of the file is held in memory at once."""

_SEPARATOR = 200
"""Bytes of comma and blanks that may lie between two entries of a block."""

_Any = LooseEntry | str | int | float | bool | list[Any] | None

_CLEAN = msgspec.json.Decoder(list[Entry])
_CLEAN_LINES = msgspec.json.Decoder(Entry)
_LOOSE = msgspec.json.Decoder(list[_Any])
_LOOSE_LINES: msgspec.json.Decoder[_Any] = msgspec.json.Decoder(_Any)

_UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError)

_ENTRY = re.compile(r'\{[ \t\r\n]*"')


class Ending(Enum):
    """Where a stretch ended."""

    BETWEEN = auto()  # after an entry, where the next one may begin
    CLOSED = auto()  # after the end of the array
    OPEN = auto()  # after an entry of an array that neither goes on nor ends
    INSIDE = auto()  # in the middle of an entry
    LOST = auto()  # in a damaged stretch


def read_stretch(descriptor: int, start: int, end: int, layout: Layout, tally: Tally) -> Ending:
    """Read the entries between two offsets, the first of them the begin of an entry, into *tally*.

    Memory is bounded by :data:`LARGEST`. Damage costs only the entries that it touches: reading goes on at the next
    object that has a ``timestamp``.

    Args:
        descriptor: the open file.
        start: the offset of the first byte.
        end: the offset after the last one.
        layout: how the file is laid out.
        tally: takes what is read.

    Raises:
        OSError: the file cannot be read.
    """
    content, offset, lost = b"", start, False
    wanted, window = BLOCK, WINDOW
    while True:
        if len(content) < wanted and offset + len(content) < end:
            ahead = offset + len(content)
            block = os.pread(descriptor, min(max(BLOCK, wanted - len(content)), end - ahead), ahead)
            content += block
            end = end if block else ahead  # the file has become shorter
        used = 0 if lost else _whole(content, layout, tally)
        if not used:
            last = window >= len(content) and offset + len(content) >= end
            values = _Values(content[:window].decode("utf-8", "surrogateescape"), offset, layout, tally, lost, last)
            ending = values.read()
            if last:
                return ending
            used, lost = _length(values.text[: values.place]), values.lost
        if used:
            content, offset = content[used:], offset + used
            wanted, window = BLOCK, WINDOW
        elif window < len(content):
            window *= 2
        elif len(content) < LARGEST:
            wanted = 2 * len(content)
        else:
            if not lost:
                tally.note(Fault.DAMAGED, f"byte {offset:,}")
            content, offset, lost = content[1:], offset + 1, True


def _length(text: str) -> int:
    return len(text.encode("utf-8", "surrogateescape"))


def _whole(content: bytes, layout: Layout, tally: Tally) -> int:
    """Decode all entries but the last at once; return how many bytes they take, 0 where that is not possible."""
    entries: Sequence[Entry]
    if layout.lines:
        used = content.rfind(b"\n") + 1
        text = content[:used]
        clean, loose = _CLEAN_LINES.decode_lines, _LOOSE_LINES.decode_lines
    else:
        used = last_border(content, layout.opening)
        text = b"".join((b"[", memoryview(content)[: content.rfind(b"}", 0, used) + 1], b"]"))
        clean, loose = _CLEAN.decode, _LOOSE.decode
    if not used:
        return 0
    try:
        entries = clean(text)
    except _UNREADABLE:
        pass
    else:
        tally.add_all(entries)
        return used
    try:
        values = loose(text)
    except _UNREADABLE:
        return 0
    for value in values:
        tally.add_any(value)
    return used


def last_border(content: bytes, opening: bytes) -> int:
    """Return where the last entry seems to begin: after ``}`` and a comma; 0 where there is no such place."""
    for mark in dict.fromkeys((opening, b"{")):
        place = content.rfind(mark)
        while place > 0:
            if _follows_entry(content, place):
                return place
            place = content.rfind(mark, 0, place)
    return 0


def first_border(content: bytes, layout: Layout) -> int:
    """Return where the first entry that begins in *content* seems to begin; 0 where none does."""
    if layout.lines:
        return content.find(b"\n") + 1
    for mark in dict.fromkeys((layout.opening, b"{")):
        place = content.find(mark)
        while place >= 0:
            if _follows_entry(content, place):
                return place
            place = content.find(mark, place + 1)
    return 0


def _follows_entry(content: bytes, place: int) -> bool:
    before = content[max(place - _SEPARATOR, 0) : place].rstrip()
    return before.endswith(b",") and before[:-1].rstrip().endswith(b"}")


@dataclass(slots=True)
class _Values:
    """A text that is read one value at a time.

    Attributes:
        text: what to read.
        offset: of the text in the file, in bytes.
        layout: how the file is laid out.
        tally: takes what is read.
        lost: True in a damaged stretch.
        last: True where nothing follows the text.
        place: the index of what has not been read.
    """

    text: str
    offset: int
    layout: Layout
    tally: Tally
    lost: bool
    last: bool
    place: int = 0

    def read(self) -> Ending:
        """Read until the text ends or does not tell how it goes on; what is :attr:`last` is read to its end."""
        while True:
            ending = self._find() if self.lost else self._take()
            if ending is not None:
                return ending

    def _take(self) -> Ending | None:
        """Read one entry, or the end of the array."""
        self.place = after_blanks(self.text, self.place)
        if self.place == len(self.text):
            return Ending.BETWEEN
        try:
            if not self.layout.lines and self.text[self.place] == "]":
                return self._close()
            value, end = scan(self.text, self.place)
        except Incomplete:
            return Ending.INSIDE
        except Damaged as damage:
            self._lose(self.place, damage.skip)
            return None
        return self._add(value, end)

    def _add(self, value: object, end: int) -> Ending | None:
        """Add an entry that ends at *end*, unless only what follows the text can tell that it does."""
        after = after_blanks(self.text, end)
        if after == len(self.text) and not self.last:
            return Ending.INSIDE
        self.tally.add_any(value)
        mark = self.text[after : after + 1]
        self.place = after + (mark == ",")
        if self.layout.lines or mark in {",", "]"}:
            return None
        if not mark:
            return Ending.OPEN
        self._lose(after, 0)
        return None

    def _close(self) -> Ending:
        """Look at what follows the array: nothing, or the rest of the object that holds it.

        Raises:
            Incomplete: the rest of the object is missing.
            Damaged: something else follows.
        """
        begun = '{"":0' if self.layout.wrapped else ""
        rest = begun + self.text[self.place + 1 :]
        end = scan(rest, 0)[1] if begun else 0
        if after_blanks(rest, end) < len(rest):
            raise Damaged
        return Ending.CLOSED

    def _lose(self, place: int, skip: int) -> None:
        """Note damage at *place*, and that nothing is known of what follows it."""
        self.tally.note(Fault.DAMAGED, f"byte {self.offset + _length(self.text[:place]):,}")
        self.lost = True
        self.place = min(place + skip, len(self.text))

    def _find(self) -> Ending | None:
        """Go to the next entry that has a timestamp."""
        found = _ENTRY.search(self.text, self.place)
        if found is None:
            brace = self.text.rfind("{", self.place)
            begun = brace >= 0 and after_blanks(self.text, brace + 1) == len(self.text)
            self.place = brace if begun and not self.last else len(self.text)
            return Ending.LOST
        self.place = found.start()
        try:
            value, _ = scan(self.text, self.place)
        except Incomplete:
            if not self.last:
                return Ending.LOST
            self.place += 1
        except Damaged as damage:
            self.place += damage.skip
        else:
            self.lost = not (isinstance(value, dict) and "timestamp" in value)
            self.place += self.lost
        return None

"""The end of a record, and what does not decode in pieces, read one value at a time.

Damage costs only the entries that it touches: reading goes on at the next object that has a ``timestamp``. Not only
damage is read here: also what only Python writes, ``NaN`` and integers of any length.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import IO

from .generation_tally import Fault, Tally
from .json_scanning import Damaged, Incomplete, after_blanks, scan
from .record_layout import Layout

WINDOW = 1 << 20
"""Bytes that are decoded as text at a time; what is wrong with a value is found in time that grows with them."""

LARGEST = 16 << 20
"""Bytes from which on an entry is taken for damaged."""

_ENTRY = re.compile(r'\{[ \t\r\n]*"')


class _Ending(Enum):
    """Where a text ended."""

    BETWEEN = auto()  # after an entry, where the next one may begin
    CLOSED = auto()  # after the end of the array
    OPEN = auto()  # after an entry of an array that neither goes on nor ends
    INSIDE = auto()  # in the middle of an entry
    LOST = auto()  # in a damaged stretch


def read_damaged(file: IO[bytes], content: bytes, offset: int, layout: Layout, tally: Tally) -> bool:
    """Read what is left of a file into *tally*; return True where it ends in the middle.

    Memory is bounded by :data:`LARGEST`.

    Args:
        file: what has not been read of it.
        content: what has been read and not been used: it begins with an entry.
        offset: of that content in the file, in bytes.
        layout: how the file is laid out.
        tally: counts the entries, and the damaged stretches with the offset of the first one.
    """
    size, lost, ended = WINDOW, False, False
    while True:
        while len(content) <= size and not ended:
            block = file.read(size)
            content, ended = content + block, not block
        text = content[:size].decode("utf-8", "surrogateescape")
        last = len(content) <= size
        values = _Values(text, offset, layout, tally, lost, last)
        ending = values.read()
        if last:
            return ending not in {_Ending.CLOSED, _Ending.LOST} and not (layout.lines and ending is _Ending.BETWEEN)
        used, lost = _length(text[: values.place]), values.lost
        if used:
            content, offset, size = content[used:], offset + used, WINDOW
        elif size < LARGEST:
            size *= 2
        else:
            if not lost:
                tally.note(Fault.DAMAGED, f"byte {offset:,}")
            content, offset, lost = content[1:], offset + 1, True


def _length(text: str) -> int:
    return len(text.encode("utf-8", "surrogateescape"))


@dataclass(slots=True)
class _Values:
    """A text that is read one value at a time.

    Attributes:
        text: what to read.
        offset: of the text in the file, in bytes.
        layout: how the file is laid out.
        tally: counts what is read.
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

    def read(self) -> _Ending:
        """Read until the text ends or does not show how it goes on; what is :attr:`last` is read to its end."""
        while True:
            ending = self._find() if self.lost else self._take()
            if ending is not None:
                return ending

    def _take(self) -> _Ending | None:
        """Read one entry, or the end of the array."""
        self.place = after_blanks(self.text, self.place)
        if self.place == len(self.text):
            return _Ending.BETWEEN
        try:
            if not self.layout.lines and self.text[self.place] == "]":
                return self._close()
            value, end = scan(self.text, self.place)
        except Incomplete:
            return _Ending.INSIDE
        except Damaged as damage:
            self._lose(self.place, damage.skip)
            return None
        return self._add(value, end)

    def _add(self, value: object, end: int) -> _Ending | None:
        """Add an entry that ends at *end*, unless only what follows the text can show that it does."""
        after = after_blanks(self.text, end)
        if after == len(self.text) and not self.last:
            return _Ending.INSIDE
        self.tally.add_any(value)
        mark = self.text[after : after + 1]
        self.place = after + (mark == ",")
        if self.layout.lines or mark in {",", "]"}:
            return None
        if not mark:
            return _Ending.OPEN
        self._lose(after, 0)
        return None

    def _close(self) -> _Ending:
        """Look at what follows the array: nothing, or the rest of the object that holds it.

        Raises:
            Incomplete: the rest of the object is missing.
            Damaged: something else follows.
        """
        opening = '{"":0' if self.layout.wrapped else ""
        rest = opening + self.text[self.place + 1 :]
        end = scan(rest, 0)[1] if opening else 0
        if after_blanks(rest, end) < len(rest):
            raise Damaged
        return _Ending.CLOSED

    def _lose(self, place: int, skip: int) -> None:
        """Note damage at *place*, and that nothing is known of what follows it."""
        self.tally.note(Fault.DAMAGED, f"byte {self.offset + _length(self.text[:place]):,}")
        self.lost = True
        self.place = min(place + skip, len(self.text))

    def _find(self) -> _Ending | None:
        """Go to the next entry that has a timestamp."""
        found = _ENTRY.search(self.text, self.place)
        if found is None:
            brace = self.text.rfind("{", self.place)
            ends_open = brace >= 0 and after_blanks(self.text, brace + 1) == len(self.text)
            self.place = brace if ends_open and not self.last else len(self.text)
            return _Ending.LOST
        self.place = found.start()
        try:
            value, _ = scan(self.text, self.place)
        except Incomplete:
            if not self.last:
                return _Ending.LOST
            self.place += 1
        except Damaged as damage:
            self.place += damage.skip
        else:
            self.lost = not (isinstance(value, dict) and "timestamp" in value)
            self.place += self.lost
        return None

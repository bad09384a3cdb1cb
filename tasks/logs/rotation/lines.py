"""Where lines begin and end in an open log, and whether there is anything but blanks in it."""

from __future__ import annotations

import os

_STEP = 1 << 18
_BLANKS = b" \n"


def end_of_last_line(log: int, size: int) -> int:
    """Return the offset after the last newline within the first *size* bytes; 0 where there is none."""
    end = size
    while end > 0:
        start = max(end - _STEP, 0)
        place = os.pread(log, end - start, start).rfind(b"\n")
        if place >= 0:
            return start + place + 1
        end = start
    return 0


def end_of_line(log: int, offset: int) -> int:
    """Return the end of the line that contains *offset*, or *offset* where a line begins there.

    The end of the file counts as the end of a line.
    """
    if offset == 0 or os.pread(log, 1, offset - 1) == b"\n":
        return offset
    while block := os.pread(log, _STEP, offset):
        place = block.find(b"\n")
        if place >= 0:
            return offset + place + 1
        offset += len(block)
    return offset


def is_blank(log: int, size: int) -> bool:
    """Tell whether the first *size* bytes are spaces and newlines: what a rotation leaves, and no record."""
    offset = 0
    while offset < size:
        block = os.pread(log, min(_STEP if offset else 4096, size - offset), offset)
        if not block or block.strip(_BLANKS):
            return not block
        offset += len(block)
    return True

"""Reading the record that the project keeps of its work, however large and however damaged it is."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

import msgspec

from ..core.files.safe_files import Refused, regular_file
from ..core.programs.forks import in_forks, processors
from ..core.text.formatting import printable
from .chunk_reader import BLOCK, LARGEST, Ending, first_border, read_stretch
from .generation_tally import Tally, packed, unpacked
from .layouts import Layout, NoLayout, layout
from .scanning import Incomplete
from .times import Periods

LARGE = 32 << 20
"""Bytes from which on it is worth the forks to read the file in stretches side by side."""

_HEAD = 1 << 16


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
        with regular_file(root, path) as (descriptor, status):
            return _read(descriptor, status.st_size, name, periods)
    except FileNotFoundError:
        return Records(Tally(periods), absent=f"There is no {name}.")
    except Refused as error:
        return Records(Tally(periods), problem=str(error))
    except OSError as error:
        return Records(Tally(periods), problem=f"{name} cannot be read: {printable(error.strerror)}.")


def _read(descriptor: int, size: int, name: str, periods: Periods) -> Records:
    try:
        found = _layout(descriptor)
    except NoLayout as error:
        return Records(Tally(periods), problem=f"{name} {error}.")
    if found is None:
        return Records(Tally(periods), absent=f"{name} is empty.")
    read = _side_by_side(descriptor, size, found, periods) if size - found.start >= LARGE else None
    if read is None:
        tally = Tally(periods)
        read = tally, read_stretch(descriptor, found.start, size, found, tally)
    tally, ending = read
    complete = {Ending.CLOSED, Ending.LOST, Ending.BETWEEN} if found.lines else {Ending.CLOSED, Ending.LOST}
    return Records(tally, truncated=ending not in complete)


def _layout(descriptor: int) -> Layout | None:
    """Return how the file is laid out, from as much of its beginning as that takes.

    Raises:
        NoLayout: it holds no entries, or nothing that can be read before them.
    """
    wanted = _HEAD
    while True:
        head = os.pread(descriptor, wanted, 0)
        whole = len(head) < wanted
        try:
            found = layout(head)
        except Incomplete:
            if whole or wanted >= LARGEST:
                raise NoLayout("ends, or goes on for too long, before its first entry") from None
        else:
            if found is not None or whole or wanted >= LARGEST:
                return found
        wanted *= 16


def _side_by_side(descriptor: int, size: int, found: Layout, periods: Periods) -> tuple[Tally, Ending] | None:
    """Read the file in stretches, one for each processor; ``None`` where it must be read in one.

    A stretch begins where an entry seems to begin. That it does is proved by the one before it, whose last entry
    ended right there.
    """
    workers = processors()
    nominal = [found.start + (size - found.start) * part // workers for part in range(1, workers)]
    borders = [place + first_border(os.pread(descriptor, BLOCK, place), found) for place in nominal]
    stretches = [*pairwise([found.start, *borders, size])]
    if any(start >= end for start, end in stretches):
        return None
    answers = in_forks([partial(_answer, descriptor, *stretch, found, periods) for stretch in stretches])
    whole = Tally(periods)
    ending = Ending.BETWEEN
    for answer in answers:
        if answer is None or ending is not Ending.BETWEEN:
            return None
        name, content = msgspec.msgpack.decode(answer, type=tuple[str, bytes])
        ending = Ending[name]
        whole.merge(unpacked(content, periods))
    return whole, ending


def _answer(descriptor: int, start: int, end: int, found: Layout, periods: Periods) -> bytes:
    tally = Tally(periods)
    ending = read_stretch(descriptor, start, end, found, tally)
    return msgspec.msgpack.encode((ending.name, packed(tally)))

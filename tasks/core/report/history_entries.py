"""The lines of the history: what entries there are, and how lines are read and written.

An entry is never changed. A line that cannot be read costs only itself: it is counted, and it stays. Fields that a
later version has added are ignored here, and an entry of a kind that is not known here stays as well.
"""

from __future__ import annotations

import os
from collections.abc import Container, Iterator
from datetime import UTC, datetime
from typing import Annotated, Any, NamedTuple, TypeAlias

import msgspec

from ..files.state_files import Count
from .model import Status, readable

LINE_LIMIT = 256_000
"""Bytes of the longest line that is read or written; a run with 30 figures has 2,000."""

READ_LIMIT = 128_000_000
"""Bytes that are read of a file, the newest: twice the size at which it is made smaller."""

_Moment = Annotated[datetime, msgspec.Meta(tz=True)]


_Whole = Annotated[int, msgspec.Meta(ge=-(1 << 63), le=(1 << 63) - 1)]
_Real = Annotated[float, msgspec.Meta(ge=-(2.0**63), le=2.0**63)]
_Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Figure(msgspec.Struct, frozen=True, array_like=True):
    """A metric of a report: ``["disk.used_bytes", ".", 123, "B"]``."""

    name: str
    subject: str | None
    value: _Whole | _Real
    unit: str


class _Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind"):
    """What all entries have in common: a kind, which comes first in the line."""


class Run(_Entry, frozen=True, kw_only=True, omit_defaults=True, tag="run"):
    """A run of a procedure that was no dry run.

    Attributes:
        task: its own name, ``weekly.cache-cleanup``.
        began: when, with the offset of the zone it ran in.
        ended: when, likewise.
        status: what it found.
        duration_seconds: how long it took.
        whole: True where it did all that the procedure does; False for a part, ``--only`` for one.
        reason: why it did not come to its end, as a sentence; ``None`` where it did.
        results: the worst status of each check.
        figures: what it measured.
        left_out: how many figures are missing here because the line would be too long.
        clock_newest: the newest log, stamp or archive, where the clock was too far past it to be believed.
    """

    task: str
    began: _Moment
    ended: _Moment
    status: Status
    duration_seconds: _Real
    whole: bool = True
    reason: str | None = None
    results: dict[str, Status] = {}
    figures: tuple[Figure, ...] = ()
    left_out: Count = 0
    clock_newest: _Moment | None = None


class ProviderMeasurement(_Entry, frozen=True, kw_only=True, omit_defaults=True, tag="provider"):
    """What one check measured of one provider; ``None`` stands for what was not measured.

    Attributes:
        moment: that of the check, aware of its zone.
        source: the procedure that asked.
        provider: its name.
        avg_response_time: mean of the requests that succeeded, in seconds.
        success_rate: the share of requests that succeeded, from 0 to 1.
        time_to_first_byte: in seconds.
        tokens_per_second: how fast the answer was made.
        requests: how many were made.
        failures: how many of them failed.
        error: the class of the fault.
        model: the model that was asked.
    """

    moment: _Moment
    source: str
    provider: str
    avg_response_time: _Real | None = None
    success_rate: _Share | None = None
    time_to_first_byte: _Real | None = None
    tokens_per_second: _Real | None = None
    requests: Count = 0
    failures: Count = 0
    error: str | None = None
    model: str | None = None


class Sizes(_Entry, frozen=True, kw_only=True, omit_defaults=True, tag="sizes"):
    """How much folders held at a moment within a run, before it changed them: bytes by the name of the series."""

    moment: _Moment
    source: str
    held: dict[str, _Whole | _Real]


class Benchmarks(_Entry, frozen=True, kw_only=True, omit_defaults=True, tag="benchmarks"):
    """How fast a machine was: seconds by the name of the benchmark; *identity* tells machines apart."""

    moment: _Moment
    identity: str
    processor: str
    processors: Count
    python: str
    seconds: dict[str, _Real]


Entry: TypeAlias = Run | ProviderMeasurement | Sizes | Benchmarks

KINDS: tuple[type[Entry], ...] = (Run, ProviderMeasurement, Sizes, Benchmarks)


class Line(NamedTuple):
    """A line of the file: where it is, how long, with its newline, and its entry.

    Attributes:
        offset: its place in the file.
        length: its bytes, those of its newline included.
        entry: ``None`` where it has none that is known here.
        is_damaged: True where it is no entry of any version, and not only torn.
        is_torn: True where it is the beginning of an entry: a kill or a full disk ended it.
    """

    offset: int
    length: int
    entry: Entry | None
    is_damaged: bool = False
    is_torn: bool = False


class _Tagged(msgspec.Struct):
    """An entry of any version."""

    kind: str


_ENTRY = msgspec.json.Decoder(Entry)
_TAGGED = msgspec.json.Decoder(_Tagged)
_OF_KIND = {kind: f'{{"kind":"{kind.__struct_config__.tag}",'.encode() for kind in KINDS}
"""How a line of each kind begins, as it is written here."""

_START = b'{"kind":"'
"""How every line begins that was written here."""

_TORN = "Input data was truncated"
"""What msgspec says of most beginnings of a JSON text; one that ends within a number is none for it."""


def seconds_since_1970(moment: datetime) -> float:
    """Return an aware moment in POSIX seconds, at the ends of the calendar as well."""
    return (moment - _EPOCH).total_seconds()


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def encoded(entry: Entry) -> bytes:
    """Return the line of an entry; a run whose line would be too long goes without its figures."""
    line = _json(entry)
    if len(line) > LINE_LIMIT and isinstance(entry, Run):
        line = _json(msgspec.structs.replace(entry, figures=(), left_out=len(entry.figures)))
    return line


def _json(entry: Entry) -> bytes:
    try:
        return msgspec.json.encode(entry) + b"\n"
    except UnicodeEncodeError:
        return msgspec.json.encode(readable(msgspec.to_builtins(entry))) + b"\n"


def starts_of_other_kinds(kinds: Container[object]) -> tuple[bytes, ...]:
    """Return how the lines begin whose entries are of none of these kinds, where they were written here."""
    return tuple(start for kind, start in _OF_KIND.items() if kind not in kinds)


def lines(descriptor: int, size: int, *, skip: tuple[bytes, ...] = (), reach: int | None = None) -> Iterator[Line]:
    """Yield the lines of an open history that are not blank, of a very large one the newest.

    Args:
        descriptor: that of the file.
        size: its size.
        skip: beginnings of lines whose entries are not needed.
        reach: bytes before the end that are read; by default all that can be.
    """
    with os.fdopen(descriptor, "rb", closefd=False) as file:
        offset = file.seek(max(0, size - (READ_LIMIT if reach is None else reach)))
        if offset:
            offset += _rest_of_line(file.readline(LINE_LIMIT), file)
        while start := file.readline(LINE_LIMIT):
            is_long = not start.endswith(b"\n") and len(start) == LINE_LIMIT
            length = _rest_of_line(start, file) if is_long else len(start)
            if length > len(start):
                yield Line(offset, length, None, is_damaged=True)
            elif start.startswith(skip):
                yield Line(offset, length, None)
            elif text := start.strip():
                yield _read(offset, length, text)
            offset += length


def _rest_of_line(start: bytes, file: Any) -> int:
    """Return the bytes of a line that begins with *start*; the rest is read and not kept."""
    length = len(start)
    while start and not start.endswith(b"\n"):
        start = file.readline(LINE_LIMIT)
        length += len(start)
    return length


def _read(offset: int, length: int, text: bytes) -> Line:
    try:
        return Line(offset, length, _ENTRY.decode(text))
    except (msgspec.DecodeError, RecursionError) as error:
        if str(error) == _TORN or (text.startswith(_START) and not text.endswith(b"}")):
            return Line(offset, length, None, is_torn=True)
    try:
        kind = _TAGGED.decode(text).kind
    except (msgspec.DecodeError, RecursionError):
        return Line(offset, length, None, is_damaged=True)
    is_known = any(kind == each.__struct_config__.tag for each in KINDS)
    return Line(offset, length, None, is_damaged=is_known)

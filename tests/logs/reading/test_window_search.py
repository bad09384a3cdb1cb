from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.logs.reading import window_search as module
from tasks.logs.reading.window_search import MARGIN, window_start
from tests.examples import examples

from .conftest import Counting, SetZone, in_memory

NOON = datetime(2025, 6, 2, 12, 0, tzinfo=UTC).timestamp()
DAY = 86_400


def line(time: float, text: str = "INFO it works") -> bytes:
    return f"{datetime.fromtimestamp(time, UTC):%Y-%m-%dT%H:%M:%S}Z - api - {text}\n".encode()


def log(times: list[float], text: str = "INFO it works and works and works and works") -> bytes:
    return b"".join(line(time, text) for time in times)


def offsets(data: bytes) -> list[int]:
    found, offset = [], 0
    for each in data.splitlines(keepends=True):
        found.append(offset)
        offset += len(each)
    return found


MONTH = [NOON - 30 * DAY + 100 * number for number in range(25_920)]
"""A record every 100 seconds for 30 days until noon."""

EVENLY = log(MONTH)


def test_in_a_log_of_some_size_the_window_is_found_and_little_is_read() -> None:
    assert len(EVENLY) > 1 << 20
    source = in_memory(EVENLY)
    counting = Counting(source.text)
    start = window_start(source._replace(text=counting), NOON - DAY)
    places = offsets(EVENLY)
    assert start in places
    assert 0 < start <= places[-DAY // 100]
    assert places[-DAY // 100] - start < (1 << 20) + 2 * MARGIN * len(EVENLY) // (30 * DAY)
    assert counting.read < len(EVENLY)


def test_what_is_read_does_not_grow_with_the_log() -> None:
    line_length = len(line(NOON))

    class Huge:
        """A log of 100 GB with a record every 10 milliseconds, made up as it is read."""

        size = 10**11 // line_length * line_length

        def read_at(self, offset: int, size: int) -> bytes:
            first = offset // line_length
            last = min(offset + size, self.size)
            lines = (line(NOON + number // 100) for number in range(first, -(-last // line_length)))
            return b"".join(lines)[offset - first * line_length :][: max(last - offset, 0)]

    counting = Counting(Huge())
    source = in_memory(b"")._replace(text=counting, size=Huge.size)
    last = NOON + Huge.size // line_length // 100
    for hours in (0, 1, 24, 1000):
        counting.read = 0
        since = last - hours * 3600
        start = window_start(source, since)
        assert start % line_length == 0
        assert NOON + start // line_length // 100 < since
        assert start > Huge.size - (hours * 3600 + MARGIN + 600) * 100 * line_length
        assert counting.read < 20 << 20


@pytest.mark.parametrize("since", [NOON - 31 * DAY, NOON - 30 * DAY, 0, -1e12, float("-inf")])
def test_where_everything_lies_in_the_window_all_is_read(since: float) -> None:
    assert window_start(in_memory(EVENLY), since) == 0


@pytest.mark.parametrize("since", [NOON + 30 * DAY, float("inf")])
def test_where_nothing_lies_in_the_window_the_end_is_read(since: float) -> None:
    assert window_start(in_memory(EVENLY), since) > len(EVENLY) - (3 << 19)


def test_where_all_is_in_the_future_all_is_read() -> None:
    assert window_start(in_memory(log([time + 365 * DAY for time in MONTH])), NOON - DAY) == 0


@pytest.mark.parametrize(
    "data",
    [b"", b"x\n" * 10, b"no time at all\n" * 100_000, b"x" * (2 << 20), b"\n" * (2 << 20), b"\0" * (2 << 20)],
    ids=["empty", "small", "no times", "one line", "no text", "nothing"],
)
def test_where_there_is_no_time_all_is_read(data: bytes) -> None:
    assert window_start(in_memory(data), NOON) == 0


def test_a_small_log_and_an_archive_are_read_whole() -> None:
    assert window_start(in_memory(EVENLY[: 1 << 20]), NOON) == 0
    assert window_start(in_memory(EVENLY, seekable=False), NOON) == 0


def test_where_blocks_of_lines_are_out_of_order_all_is_read() -> None:
    third = len(MONTH) // 3
    for moved in (MONTH[third:] + MONTH[:third], MONTH[:third] + MONTH[2 * third :] + MONTH[third : 2 * third]):
        assert window_start(in_memory(log(moved)), NOON - DAY) == 0


def test_where_the_search_meets_a_time_out_of_order_all_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SMALL", 1000)
    probes = [module._probe(in_memory(EVENLY), place * (len(EVENLY) // 32)) for place in range(32)]
    between = probes[-2:]
    assert between[0] is not None
    assert between[1] is not None
    middle = (between[0].offset + between[1].offset) // 2
    for wrong in (NOON - 29 * DAY, NOON + 300 * DAY):
        strange = line(wrong)
        data = bytearray(EVENLY)
        start = data.find(b"\n", middle - 1) + 1
        stop = start + len(EVENLY) // 200
        length = len(line(NOON, "INFO it works and works and works and works"))
        for offset in range(start, stop, length):
            data[offset : offset + 20] = strange[:20]
        assert window_start(in_memory(bytes(data)), between[0].time + MARGIN + DAY // 3) == 0


@pytest.mark.parametrize("jump", [3600, -3600])
def test_local_time_may_jump_by_an_hour(jump: int, set_zone: SetZone) -> None:
    set_zone("Europe/Berlin")
    turn = datetime(2025, 3, 30, 1, 0, tzinfo=UTC) if jump > 0 else datetime(2025, 10, 26, 1, 0, tzinfo=UTC)
    times = [turn.timestamp() + 20 * number for number in range(-15_000, 15_000)]
    data = b"".join(
        f"{datetime.fromtimestamp(time):%Y-%m-%d %H:%M:%S} - api - INFO it works and works\n".encode()  # noqa: DTZ006
        for time in times
    )
    places = offsets(data)
    for minutes in range(-180, 181, 15):
        since = turn.timestamp() + minutes * 60
        start = window_start(in_memory(data), since)
        first = next(place for place, time in zip(places, times, strict=True) if time >= since)
        assert 0 < start <= first


def with_tracebacks(size: int) -> Callable[[random.Random], bytes]:
    def text(chance: random.Random) -> bytes:
        return b"  more\n" * (chance.randrange(size) // 7) if chance.random() < 0.02 else b""

    return text


def with_a_giant(at: int, size: int) -> Callable[[random.Random], bytes]:
    number = 0

    def text(_chance: random.Random) -> bytes:
        nonlocal number
        number += 1
        return b"x" * size + b"\n" if number == at else b""

    return text


@settings(max_examples=examples(30), deadline=None)
@given(
    seed=st.integers(0, 10**6),
    jitter=st.sampled_from([0, 1, 600, MARGIN - 1]),
    step=st.sampled_from([0, 30, 300]),
    after=st.sampled_from(
        [lambda: lambda _chance: b"", lambda: with_tracebacks(40_000), lambda: with_a_giant(3000, 3 << 20)]
    ),
    back=st.floats(-0.1, 1.1),
)
def test_no_record_of_the_window_lies_before_the_place(
    seed: int, jitter: int, step: int, after: Callable[[], Callable[[random.Random], bytes]], back: float
) -> None:
    chance = random.Random(seed)
    between = after()
    pieces, times, places = [], [], []
    time, offset = NOON, 0
    small = 1 << 15
    for _ in range(4000):
        time += chance.randrange(step + 1) * chance.choice([0, 1, 1, 5])
        written = int(time - chance.randrange(jitter + 1))
        piece = line(written) + between(chance)
        pieces.append(piece)
        times.append(written)
        places.append(offset)
        offset += len(piece)
    since = NOON + back * (time - NOON)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_SMALL", small)
        start = window_start(in_memory(b"".join(pieces)), since)
    assert all(place >= start for place, written in zip(places, times, strict=True) if written >= since)


def test_a_probe_looks_past_a_long_traceback() -> None:
    data = line(NOON) + b"  more\n" * 50_000 + line(NOON + 5)
    for place in (1, 20_000, 200_000):
        probe = module._probe(in_memory(data), place)
        assert probe == (len(data) - len(line(NOON)), NOON + 5)
    assert module._probe(in_memory(data), 0) == (0, NOON)
    assert module._probe(in_memory(data), len(data) - 3) is None
    assert module._probe(in_memory(b"x\n" + b"  more\n" * 500_000 + line(NOON)), 1) is None


def test_a_search_that_comes_to_a_giant_line_ends_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SMALL", 1 << 10)
    half = len(EVENLY) // 2
    cut = EVENLY.find(b"\n", half) + 1
    data = EVENLY[:cut] + b"x" * 200_000 + b"\n" + EVENLY[cut:]
    start = window_start(in_memory(data), NOON - 15 * DAY + MARGIN)
    assert 0 < start <= cut

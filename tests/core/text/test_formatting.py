from __future__ import annotations

import os
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.text.formatting import age, count, duration, hours, listed, percent, printable, size

ANYTHING = st.text(st.characters(codec="utf-8") | st.characters(categories=["Cs"]))
"""Any text that Python can hold, halves of surrogate pairs included."""


@given(ANYTHING)
def test_a_printable_name_is_one_line_that_any_terminal_shows_as_it_is(name: str) -> None:
    shown = printable(name)
    assert len(shown.splitlines()) <= 1
    assert shown.isprintable()
    assert shown.encode("utf-8").decode("utf-8") == shown


@given(ANYTHING)
def test_a_printable_name_stays_as_it_is(name: str) -> None:
    assert printable(printable(name)) == printable(name)


@given(st.binary())
def test_any_file_name_of_the_system_can_be_shown(name: bytes) -> None:
    assert printable(os.fsdecode(name)).isprintable()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("plain name.json", "plain name.json"),
        ("Grüße 激光.json", "Grüße 激光.json"),
        ("a\nb", r"a\nb"),
        ("\x1b[2Jgone", r"\x1b[2Jgone"),
        ("abc\u202egpj.exe", r"abc\u202egpj.exe"),
        (os.fsdecode(b"caf\xe9"), r"caf\xe9"),
        ("\ud800", r"\ud800"),
        ("", ""),
        (42, "42"),
    ],
)
def test_what_a_terminal_would_obey_becomes_an_escape(name: object, shown: str) -> None:
    assert printable(name) == shown


def test_all_of_a_few_names_are_listed() -> None:
    assert listed(["a", "b"], 2) == '"a", "b"'


def test_the_names_that_are_left_out_of_a_list_are_counted() -> None:
    assert listed(list("abcdefg"), 1207) == '"a", "b", "c", "d", "e" and 1,202 more'


def test_fewer_names_than_there_are_things_count_the_rest() -> None:
    assert listed(["a"], 3) == '"a" and 2 more'


def test_listed_names_are_printable() -> None:
    assert listed(["a\nb"], 1) == r'"a\nb"'


def test_a_list_can_be_cut_elsewhere() -> None:
    assert listed(["a", "b", "c"], 3, most=1) == '"a" and 2 more'


_FACTOR = {"B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "PB": 1e15}


def _bytes(text: str) -> float:
    number, unit = text.split()
    return float(number) * _FACTOR[unit]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0 B"),
        (1, "1 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (1234, "1.2 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (10_000_000, "10.0 MB"),
        (3.2e9, "3.2 GB"),
        (5e12, "5.0 TB"),
        (7e15, "7.0 PB"),
        (7e18, "7000.0 PB"),
        (-1500, "-1.5 kB"),
    ],
)
def test_a_size_has_the_unit_that_fits(number: float, text: str) -> None:
    assert size(number) == text


@given(st.integers(0, 999 * 10**15))
def test_a_size_is_never_wider_than_eight_characters(number: int) -> None:
    assert len(size(number)) <= 8


@given(st.integers(0, 10**20))
def test_a_size_is_right_to_one_part_in_twenty(number: int) -> None:
    assert _bytes(size(number)) == pytest.approx(number, rel=0.05)


@given(st.integers(0, 10**18), st.integers(0, 10**18))
def test_a_larger_size_never_reads_as_a_smaller_one(one: int, other: int) -> None:
    smaller, larger = sorted((one, other))
    assert _bytes(size(smaller)) <= _bytes(size(larger))


_SECONDS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0}


def _seconds(text: str) -> float:
    return sum(float(number) * _SECONDS[unit] for number, unit in re.findall(r"([\d.]+) (\w+)", text))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 ms"),
        (0.012, "12 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1.0 s"),
        (3.44, "3.4 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 0 s"),
        (125, "2 min 5 s"),
        (3599.6, "1 h 0 min"),
        (3800, "1 h 3 min"),
        (100 * 3600, "100 h 0 min"),
    ],
)
def test_a_duration_reads_as_people_say_it(seconds: float, text: str) -> None:
    assert duration(seconds) == text


_spans = st.floats(0, 99 * 3600) | st.floats(0, 120) | st.floats(0, 2)


@given(_spans)
def test_a_duration_below_a_hundred_hours_is_never_wider_than_eleven_characters(seconds: float) -> None:
    assert len(duration(seconds)) <= 11


@given(_spans)
def test_a_duration_is_right_to_its_last_figure(seconds: float) -> None:
    slack = 60 if seconds >= 3599 else 0.51 if seconds >= 59 else 0.051 if seconds >= 0.9995 else 0.00051
    assert abs(_seconds(duration(seconds)) - seconds) <= slack


@given(_spans, _spans)
def test_a_longer_duration_never_reads_as_a_shorter_one(one: float, other: float) -> None:
    shorter, longer = sorted((one, other))
    assert _seconds(duration(shorter)) <= _seconds(duration(longer))


@given(st.floats(59, 99 * 3600))
def test_a_duration_never_has_sixty_seconds_or_minutes(seconds: float) -> None:
    parts = {unit: float(number) for number, unit in re.findall(r"([\d.]+) (\w+)", duration(seconds))}
    assert parts.get("s", 0) < 60
    assert parts.get("min", 0) < 60


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0 h"),
        (0.5, "30 min"),
        (1, "1 h"),
        (6, "6 h"),
        (24, "24 h"),
        (36, "36 h"),
        (48, "2 days"),
        (49, "49 h"),
        (168, "7 days"),
        (1.5, "1.5 h"),
    ],
)
def test_hours_read_as_people_say_them(number: float, text: str) -> None:
    assert hours(number) == text


@pytest.mark.parametrize(
    ("number", "one", "many", "text"),
    [
        (0, "file", None, "0 files"),
        (1, "file", None, "1 file"),
        (2, "file", None, "2 files"),
        (1, "entry", "entries", "1 entry"),
        (12_000, "entry", "entries", "12,000 entries"),
    ],
)
def test_a_number_agrees_with_its_noun(number: int, one: str, many: str | None, text: str) -> None:
    assert count(number, one, many) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (1.0, "100 %"),
        (0.0, "0 %"),
        (0.82, "82 %"),
        (0.29, "29 %"),
        (0.57, "57 %"),
        (0.8999, "89.9 %"),
        (0.99999, "99.9 %"),
        (0.9735, "97.3 %"),
    ],
)
def test_a_share_is_rounded_down(share: float, text: str) -> None:
    assert percent(share) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 h"), (3599, "0 h"), (3600, "1 h"), (47.9 * 3600, "47 h"), (48 * 3600, "2 days"), (2160 * 3600, "90 days")],
)
def test_how_long_ago_something_was(seconds: float, text: str) -> None:
    assert age(seconds) == text

from __future__ import annotations

import re
import subprocess
import sys
import time
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.logs.errors.fingerprint import TITLE_LIMIT, VERSION, fingerprint
from tasks.logs.errors.message_masks import MASKED_LIMIT, MESSAGE_LIMIT, masked
from tasks.logs.errors.tracebacks import HEAD, TAIL

from .labelled_records import RECORDS, Record

ANYTHING = st.text(st.characters(codec="utf-8") | st.characters(categories=["Cs"]))


def key(message: str, details: str = "", logger: str = "app") -> str:
    return fingerprint(logger, message, details).key


def test_there_are_enough_records_to_tell() -> None:
    assert len(RECORDS) >= 80
    assert len({label for label, *_ in RECORDS}) >= 40


def test_the_same_bug_has_the_same_key_and_another_bug_another() -> None:
    keys = [(record, fingerprint(*record[1:]).key) for record in RECORDS]
    wrong: list[tuple[str, Record, Record]] = []
    for (first, first_key), (second, second_key) in combinations(keys, 2):
        if (first[0] == second[0]) != (first_key == second_key):
            wrong.append(("merged" if first_key == second_key else "split", first, second))
    assert wrong == []


@pytest.mark.parametrize("record", RECORDS)
def test_a_title_is_one_printable_line(record: Record) -> None:
    title = fingerprint(*record[1:]).title
    assert title
    assert title.isprintable()
    assert len(title) <= TITLE_LIMIT


def test_a_key_is_a_version_and_twelve_digits() -> None:
    assert re.fullmatch(rf"{VERSION}:[0-9a-f]{{12}}", key("any message"))


def test_keys_outlive_the_process() -> None:
    code = "from tasks.logs.errors.fingerprint import fingerprint as f; print(f('a', 'b 1', 'ValueError: c').key)"
    root = Path(__file__).parents[3]
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root).stdout
    assert shown.strip() == key("b 2", "ValueError: c", logger="a")


# If this changes, every group that a project tracks is new again: raise VERSION.
@pytest.mark.parametrize(
    ("message", "details", "expected"),
    [
        ("request 17 failed with status 429", "", "1:3a4a99812dec"),
        ("", 'Traceback\n  File "/x/api/client.py", line 1, in ask\n    a\nValueError: b', "1:0c3c8b0d10f9"),
    ],
)
def test_keys_do_not_change_unnoticed(message: str, details: str, expected: str) -> None:
    assert key(message, details) == expected


@given(ANYTHING, ANYTHING, ANYTHING)
def test_any_text_has_a_key_and_a_title(logger: str, message: str, details: str) -> None:
    first = fingerprint(logger, message, details)
    assert fingerprint(logger, message, details) == first
    assert re.fullmatch(rf"{VERSION}:[0-9a-f]{{12}}", first.key)
    assert first.title.isprintable()
    assert 0 < len(first.title) <= TITLE_LIMIT


NUMBERS = st.integers(0, 10**12).map(str) | st.floats(0, 1e6).map(lambda number: f"{number:.3f}")
QUANTITIES = st.tuples(NUMBERS, st.sampled_from(["", " ms", "s", " MB", "%", " kB/s"])).map("".join)
HEX = st.text("0123456789abcdef", min_size=6, max_size=40).filter(lambda text: any(map(str.isdigit, text)))
IDS = HEX | st.uuids().map(str) | HEX.map("0x{}".format) | NUMBERS
NAMES = st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=8)
PATHS = st.builds(
    lambda names, end: "/" + "/".join(names) + end, st.lists(NAMES, min_size=2, max_size=5), st.just(".yaml")
)
TIMES = st.datetimes().filter(lambda time: time.year > 1000).map(lambda time: time.isoformat(timespec="milliseconds"))


@given(st.tuples(QUANTITIES, IDS, PATHS, TIMES, NAMES), st.tuples(QUANTITIES, IDS, PATHS, TIMES, NAMES))
def test_volatile_parts_do_not_matter(first: tuple[str, ...], second: tuple[str, ...]) -> None:
    template = "took {} for job {}, file {} (at {}): material '{}' not written"
    assert key(template.format(*first)) == key(template.format(*second))


@given(st.integers(100, 599), st.integers(100, 599))
def test_the_status_of_http_matters(first: int, second: int) -> None:
    frames = 'Traceback\n  File "/x/api/client.py", line 1, in ask\n    a\nhttpx.HTTPStatusError: status {}'
    assert (key(f"returned {first}") == key(f"returned {second}")) == (first == second)
    assert (key("", frames.format(first)) == key("", frames.format(second))) == (first == second)
    assert (key(f"HTTP{first}", frames) == key(f"HTTP{second}", frames)) == (first == second)


def test_lines_after_the_first_count_as_details() -> None:
    details = 'Traceback (most recent call last):\n  File "/x/api/client.py", line 1, in ask\n    a\nValueError: b'
    assert key(f"bad\n{details}") == key("bad", details) == key("", details)
    assert key(details) == key("bad", details)


def test_details_that_are_no_traceback_do_not_matter() -> None:
    assert key("bad answer", "a: 1\nb: 2") == key("bad answer", "<html>\nelse") == key("bad answer")


def test_the_title_of_a_traceback_is_its_exception() -> None:
    frame = 'Traceback\n  File "/x/api/client.py", line 1, in ask\n'
    assert fingerprint("", "x", f"{frame}KeyError: 'density'").title == "KeyError: 'density'"
    assert fingerprint("", "x", f"{frame}ValueError: 17 is bad").title == "ValueError: # is bad"
    assert fingerprint("", "x", f"{frame}app.Gone").title == "app.Gone"
    assert fingerprint("", "x 1", frame).title == "x #"
    assert fingerprint("", "", frame).title == "a traceback without its exception"
    assert fingerprint("", "", "").title == "(no message)"
    assert fingerprint("", "word " * 100, "").title == f"{'word ' * 100}"[: TITLE_LIMIT - 1] + "…"


def test_only_the_beginning_of_a_long_message_counts() -> None:
    assert key("x" * MASKED_LIMIT + "a") == key("x" * MASKED_LIMIT + "b")
    assert masked("12345 " * MESSAGE_LIMIT) == "#"


def test_the_beginning_and_the_end_of_long_details_count() -> None:
    begin = 'Traceback (most recent call last):\n  File "/x/run.py", line 1, in <module>\n    main()\n'
    middle = '  File "/x/a/b.py", line 1, in step\n    step()\n'
    often = begin + middle * ((HEAD + TAIL) // len(middle) + 50)
    assert key("", f"{often}ValueError: a") == key("", f"{begin}{middle}ValueError: b")
    assert key("", f"{often}ValueError: a") != key("", f"{often}KeyError: a")


@pytest.mark.parametrize(
    "piece",
    [
        *(
            "a",
            "1",
            "/",
            "'",
            '"',
            "[",
            "{",
            "a.",
            "a@",
            "://",
            "h://",
            "1.",
            "a1",
            "A-",
            "0:",
            "::",
            "\n",
            "x/",
            "id=",
        ),
        *("a:a@", 'File "', '  File "a", line 1, in b\n', "+--\n", "GET /", "Material Aa ", "E: x\n", "\\", " 1 1"),
        *("\x1b[", "`", "“"),
    ],
)
def test_hostile_text_takes_bounded_time(piece: str) -> None:
    text = piece * (10_000_000 // len(piece))
    started = time.process_time()
    fingerprint("app", text, text)
    assert time.process_time() - started < 1

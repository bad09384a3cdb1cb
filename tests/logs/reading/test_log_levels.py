from __future__ import annotations

import re
import sys
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.logs.reading import log_levels as module
from tasks.logs.reading.line_shapes import is_structured
from tasks.logs.reading.log_levels import (
    HEAD,
    Level,
    LevelClassifier,
    LevelClassifiers,
    LevelFinder,
    level_finder,
    level_of_head,
)
from tasks.logs.reading.log_source import chunks

from .conftest import FINDERS, HYPERSCAN, RE, in_memory, levels

WORDS = [b"ERROR", b"CRITICAL", b"FATAL", b"WARN", b"WARNING", b"INFO", b"DEBUG"]
SMALL = [b"error", b"critical", b"fatal", b"warn", b"warning", b"info", b"Error", b"Warning"]
PIECES = [
    *WORDS,
    *SMALL,
    *(b"[" + word + b"]" for word in SMALL),
    b"ERROR_COUNT",
    b"errors=0",
    b"ERROR=5",
    b"MYERROR",
    b"[error    ]",
    b"[ warning ]",
    b"[Error opening]",
    b"level=error",
    b'level="error"',
    b"severity='fatal'",
    b"lvl=warn",
    b"level=info",
    b'{"level": "error", "message": "x"}',
    b'{"severity": "CRITICAL"}',
    b'{"levelname": "Warning", "msg": "ERROR inside"}',
    b'{"level": "info", "msg": "ERROR "}',
    b'{"level": "error"',
    b'{"message": ERROR: ERROR ',
    b'{"a": 1}',
    b"\x1b[31mERROR\x1b[0m",
    b"[\x1b[31m\x1b[1merror    \x1b[0m]",
    b"\x1b[1m",
    b"2025-06-02 11:59:59,707 ",
    b"[2025-06-02 11:59:59 +0000] ",
    b"12:00:00 ",
    b"  File x, line 1",
    b"\0",
    b"\xff\xfe",
    b"\xc3",
    b"\xef\xbb\xbf",
    b"\r\n",
    b"\r",
    b"\n",
    b"\n\n",
    b"\v",
    b"\f",
    b"\x85",
    b"\xa0",
    b" ",
    b":",
    b"=",
    b'"',
    b"'",
    b"x" * (HEAD - 20),
    b"x" * HEAD,
]
texts = st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=6)), max_size=25).map(
    lambda pieces: b"".join(pieces) + b"\n"
)


def found(data: bytes, find: LevelFinder, classifier: LevelClassifier) -> list[tuple[int, Level]]:
    return list(classifier.lines(data, find(data)))


@given(data=texts, structured=st.booleans())
def test_both_finders_lead_to_the_same_lines(data: bytes, structured: bool) -> None:  # noqa: FBT001
    classifier = LevelClassifier(structured=structured)
    assert found(data, HYPERSCAN, classifier) == found(data, RE, classifier)


@given(data=st.binary(max_size=200), structured=st.booleans())
def test_both_finders_agree_on_any_bytes(data: bytes, structured: bool) -> None:  # noqa: FBT001
    classifier = LevelClassifier(structured=structured)
    assert found(data, HYPERSCAN, classifier) == found(data, RE, classifier)


@given(data=texts, structured=st.booleans(), find=st.sampled_from([HYPERSCAN, RE]))
def test_counting_gives_what_the_lines_give(data: bytes, structured: bool, find: LevelFinder) -> None:  # noqa: FBT001
    classifier = LevelClassifier(structured=structured)
    assert classifier.count(data, find(data)) == Counter(level for _, level in classifier.lines(data, find(data)))


@given(data=texts, structured=st.booleans(), find=st.sampled_from([HYPERSCAN, RE]))
def test_backwards_the_lines_are_the_same(data: bytes, structured: bool, find: LevelFinder) -> None:  # noqa: FBT001
    classifier = LevelClassifier(structured=structured)
    backwards = list(classifier.lines(data, reversed(find(data))))
    assert backwards[::-1] == found(data, find, classifier)


@given(data=texts, structured=st.booleans(), more=st.integers(1, 6000), seekable=st.booleans())
def test_the_lines_do_not_depend_on_how_a_text_is_cut_into_blocks(
    data: bytes,
    structured: bool,  # noqa: FBT001
    more: int,
    seekable: bool,  # noqa: FBT001
) -> None:
    classifier = LevelClassifier(structured=structured)
    block = max(map(len, data.splitlines(keepends=True)), default=0)
    block = max(block, max(len(line) for line in data.split(b"\n")) + 1)
    source = in_memory(data, seekable=seekable)
    pieces = [
        (chunk.offset + start, level)
        for chunk in chunks(source, block=block + more)
        for start, level in classifier.lines(chunk.data, HYPERSCAN(chunk.data))
    ]
    assert pieces == found(data, HYPERSCAN, classifier)


@given(data=texts, structured=st.booleans())
def test_what_a_judge_has_learnt_changes_no_judgement(data: bytes, structured: bool) -> None:  # noqa: FBT001
    fresh = [
        (start, level) for line_start, line in _lines(data) for start, level in _alone(line_start, line, structured)
    ]
    assert fresh == found(data, RE, LevelClassifier(structured=structured))


def _lines(data: bytes) -> list[tuple[int, bytes]]:
    return [(match.start(), match[0]) for match in re.finditer(rb"[^\n]*\n", data)]


def _alone(start: int, line: bytes, structured: bool) -> list[tuple[int, Level]]:  # noqa: FBT001
    return [(start + offset, level) for offset, level in found(line, RE, LevelClassifier(structured=structured))]


@FINDERS
def test_an_empty_buffer_holds_nothing(find: LevelFinder) -> None:
    assert find(b"") == []
    assert LevelClassifier(structured=True).count(b"", []) == Counter()


def test_without_hyperscan_the_other_finder_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hyperscan", None)
    assert level_finder()(b"an ERROR here\n") == [9]
    monkeypatch.delitem(sys.modules, "hyperscan")
    assert level_finder()(b"an ERROR here\n") == [9]


PLACED = [
    shape % word
    for word in (b"error", b"Critical", b"fatal", b"warning", b"warn")
    for shape in (
        b"[%s]",
        b"[ %s ]",
        b"[%s    ]",
        b"[\x1b[31m\x1b[1m%s    \x1b[0m]",
        b"[\x1b[31m%s\x1b[0m]",
        b"level=%s ",
        b'level="%s"',
    )
]


@pytest.mark.parametrize("fill", [b"x", b" ", b"-", b"[", b"e", b"error ", b"\x1b[0m", b"2025-06-02 "])
def test_a_word_is_found_wherever_it_stands(fill: bytes) -> None:
    for length in range(120):
        before = (fill * length)[:length]
        for piece in (*PLACED, b"[ERROR]", b"CRITICAL:", b" WARN "):
            data = before + piece + b" and more\n"
            assert set(RE(data)) <= set(HYPERSCAN(data)), data


NOT_LEVELS = [
    b"errors=0 found",
    b"ERROR_COUNT: 3",
    b"ERROR=5 things",
    b"MYERROR: x",
    b"my_ERROR: x",
    b"ERRORS: x",
    b"WARNINGS: 3",
    b"an error occurred",
    b"no warning at all",
    b"error_level=warning_count",
    b"[errors] x",
    b"INFO: after that an ERROR came",
    b"[info     ] [error    ]",
    b"level=info message=ERROR",
    b'level=info msg="error"',
    b"2025-06-02 11:59:59 INFO retry after ERROR: timeout",
    b"2025-06-02 11:59:59 - api - DEBUG - [error] in the answer",
    b'{"level": "info", "message": "ERROR"}',
    b'{"level": "debug", "message": "x", "errors": ["error", "CRITICAL "]}',
    b'{"level": null, "message": "an \\"error\\""}',
    b'{"level": 40, "message": "an ERROR "}',
    b'{"message": "an ERROR "}',
]


@pytest.mark.parametrize("line", NOT_LEVELS)
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""])
def test_what_is_no_level(line: bytes, end: bytes) -> None:
    assert levels(line + end) == []


LEVELS = {
    b"ERROR": Level.ERROR,
    b"CRITICAL": Level.CRITICAL,
    b"FATAL": Level.CRITICAL,
    b"WARN": Level.WARNING,
    b"WARNING": Level.WARNING,
}
ENDS = (b"\n", b"\r\n", b"")


@pytest.mark.parametrize(
    "shape",
    [
        b"%s",
        b"%s: message",
        b"[%s] message",
        b"<%s> message",
        b"** %s ** message",
        b"%s:root:message",
        b"free text with %s in it",
        b"at the end of free text: %s",
        b"\xff\xfe\0\0 %s \xc3",
        b"\0%s\0",
        b"2025-06-02 11:59:59,707 - name - %s - message",
        b"level=%s message",
        b'time="2025-06-02T11:59:59Z" level="%s" msg="message"',
        b'{"level": "%s", "message": "x"}',
        b'{"levelname": "%s"}',
        b'{"message": "first", "severity": "%s"}',
        b'{"lvl":"%s"}',
        b'{"log.level":"%s"}',
        b'{"level": 40, "levelname": "%s"}',
        b'{"level": "%s", cut off',
        b"12:00:00 %s x",
        b"[12:00:00] %s x",
        b"\x1b[31m%s\x1b[0m: message",
        b"\x1b[31m\x1b[1m%s\x1b[0m message",
        b"\x1b[32m2025-06-02 11:59:59.707\x1b[0m | \x1b[31m\x1b[1m%s   \x1b[0m | a:b:1 - \x1b[31mx\x1b[0m",
        b"\xef\xbb\xbf%s: message",
        b'\xef\xbb\xbf{"level": "%s"}',
    ],
)
def test_levels_in_capitals(shape: bytes) -> None:
    for word, level in LEVELS.items():
        for end in ENDS:
            assert levels(shape % word + end) == [level], (word, end)


@pytest.mark.parametrize(
    "shape",
    [
        b"[%s] message",
        b"[%s    ] message",
        b"[ %s ] message",
        b"2025-06-02T11:59:59.707Z [%s    ] message",
        b"2025-06-02 11:59:59 [%s] 12#0: message",
        b"[\x1b[31m\x1b[1m%s    \x1b[0m] \x1b[1mmessage\x1b[0m",
        b"\x1b[2m2025-06-02T11:59:59Z\x1b[0m [\x1b[31m\x1b[1m%s\x1b[0m] \x1b[1mmessage\x1b[0m",
        b"level=%s message",
        b"level=%s",
        b"ts=2025-06-02T11:59:59Z lvl=%s msg=x",
        b'severity="%s" msg="x"',
        b"level='%s' msg='x'",
        b'{"level": "%s", "message": "x"}',
        b'{"levelname":"%s"}',
        b'{"severity": "%s"}',
        b'{"level":"%s", cut off',
    ],
)
def test_levels_in_small_letters(shape: bytes) -> None:
    for word, level in LEVELS.items():
        for end in ENDS:
            for spelling in (word.lower(), word.capitalize()):
                assert levels(shape % spelling + end) == [level], (spelling, end)


@given(data=texts)
def test_words_are_told_in_ascending_order(data: bytes) -> None:
    for find in (HYPERSCAN, RE):
        ends = find(data)
        assert ends == sorted(set(ends))


@FINDERS
def test_json_lines_and_others_are_counted_alike(find: LevelFinder) -> None:
    data = b'ERROR: x\n{"level": "error"}\n\xef\xbb\xbf{"msg": "ERROR ", "level": "warn"}\n'
    assert LevelClassifier(structured=True).count(data, find(data)) == {Level.ERROR: 2, Level.WARNING: 1}
    assert [level for _, level in found(data, find, LevelClassifier(structured=True))] == [40, 40, 30]


def test_in_free_text_every_line_with_a_level_word_counts() -> None:
    data = b"it began well\n  then came an ERROR , sadly\nand WARNING\nno more\n\tCRITICAL\n"
    assert not is_structured(data)
    assert levels(data) == [Level.ERROR, Level.WARNING, Level.CRITICAL]


@FINDERS
def test_a_colour_joins_no_words(find: LevelFinder) -> None:
    data = b"ERROR\x1b[31mERROR\x1b[0m[error]\n"
    assert [level for _, level in found(data, find, LevelClassifier(structured=False))] == [Level.ERROR]
    assert LevelClassifier(structured=False).count(data, find(data)) == {Level.ERROR: 1}


def test_lines_of_a_traceback_are_no_records() -> None:
    data = (
        b"2025-06-02 11:59:59,707 - api - ERROR - it failed\n"
        b"Traceback (most recent call last):\n"
        b'  File "x.py", line 1, in <module>\n'
        b"    raise ValueError('ERROR: not this one')\n"
        b"ValueError: ERROR: not this one\n"
        b"level of CRITICAL mass\n"
    )
    assert levels(data) == [Level.ERROR]


@pytest.mark.parametrize("before", [b"", b"\n", b"x\n" * 5000])
def test_a_word_further_to_the_right_is_left_out(before: bytes) -> None:
    classifier = LevelClassifier(structured=False)
    for length, expected in ((HEAD - 6, [(len(before), Level.ERROR)]), (HEAD - 5, []), (3 * HEAD, [])):
        data = before + b" " * length + b"ERROR\n"
        assert found(data, HYPERSCAN, classifier) == expected
        assert classifier.count(data, HYPERSCAN(data)).total() == len(expected)


def test_judgements_that_are_kept_do_not_grow_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LOOKED_UP", 10)
    classifier = LevelClassifier(structured=False)
    for length in range(100):
        assert found(b"." * length + b"ERROR\n", HYPERSCAN, classifier) == [(0, Level.ERROR)]
        assert len(classifier._known) <= 10


def test_lines_that_begin_alike_are_judged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def counted(head: bytes, *, structured: bool) -> Level:
        calls.append(head)
        return level_of_head(head, structured=structured)

    monkeypatch.setattr(module, "level_of_head", counted)
    data = b"".join(b"2025-06-%02d 11:59:%02d ERROR x\n" % (day, day) for day in range(10, 30))
    assert LevelClassifier(structured=True).count(data, HYPERSCAN(data)) == {Level.ERROR: 20}
    assert len(calls) == 1


@pytest.mark.parametrize("depth", [500, 3000, 100_000])
def test_json_of_any_depth_is_survived(depth: int) -> None:
    data = b'{"level": "error", "x": ' + b"[" * depth + b"]" * depth + b"}\n"
    assert levels(data) == [Level.ERROR]
    data = b'{"level": ' + b"[" * depth + b'"error"' + b"]" * depth + b"}\n"
    assert levels(data) == []


def test_a_line_that_is_not_quite_json_is_read_as_text() -> None:
    for line in (b'{"a": ERROR: ERROR again\n', b'{"a": ERROR: "\xff"}\n'):
        assert levels(line) == [Level.ERROR]
        classifier = LevelClassifier(structured=True)
        assert list(classifier.lines(line, reversed(HYPERSCAN(line)))) == [(0, Level.ERROR)]


def test_the_judge_of_a_log_goes_by_its_first_lines() -> None:
    classifiers = LevelClassifiers()
    assert classifiers.of(in_memory(b"2025-06-02 11:59:59 INFO x\n")) is classifiers.shaped
    assert classifiers.of(in_memory(b"some text\n")) is classifiers.free
    assert classifiers.of(in_memory(b"")) is classifiers.free
    assert classifiers.shaped.structured
    assert not classifiers.free.structured

from __future__ import annotations

import pytest

from tasks.generation.json_scanning import Incomplete
from tasks.generation.record_layout import Layout, NoLayout, layout

ENTRY = b'{"timestamp": "2025-06-02T12:00:00Z", "duration": 1}'
OPENING = b'{"timestamp"'


def array(start: int, opening: bytes) -> Layout:
    return Layout(start, lines=False, wrapped=False, opening=opening)


def lines(start: int, opening: bytes) -> Layout:
    return Layout(start, lines=True, wrapped=False, opening=opening)


def wrapped(start: int, opening: bytes) -> Layout:
    return Layout(start, lines=False, wrapped=True, opening=opening)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (b"[", b"]", array(1, OPENING)),
        (b"\xef\xbb\xbf \r\n[", b"]", array(7, OPENING)),
        (b"", b"\n", lines(0, OPENING)),
        (b"\xef\xbb\xbf", b"", lines(3, OPENING)),
        (b"", b", ", lines(0, OPENING)),
        (b'{"entries":[', b"]}", wrapped(12, OPENING)),
        ('{"für": ["a", "b"], "n": 1 , "entries" : ['.encode(), b"]}", wrapped(43, OPENING)),
        (b'{"a": {"b": [{}]}, "c": [], "records": [', b", ", wrapped(40, OPENING)),
        (b'{"errors": [{"a": 1}], "generations": [', b"]}", wrapped(39, OPENING)),
        (b"\0\0\0", b"\n", lines(0, b"{")),
        (b'{"a": 1}\n', b"", lines(0, b'{"a"')),
        (b'{"attempts": [{"n": 1}], "success": true}\n', b"", lines(0, b'{"attempts"')),
    ],
)
def test_the_entries_are_found(before: bytes, after: bytes, expected: Layout) -> None:
    assert layout(before + ENTRY + after) == expected


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b'[\n  {\n    "a\\"b": 1', array(1, b'{\n    "a\\"b"')),
        (b"[", array(1, b"{")),
        (b"[1, 2]", array(1, b"{")),
        (b'{"entries": []}', wrapped(13, b"{")),
        (b'{"entries": [1]}', wrapped(13, b"{")),
        (b'{"errors": [{"a": 1}], "runs": [{"timestamp', wrapped(12, b'{"a"')),
        (b'{"errors": [{"a": 1}], "runs": [{"timestamp": 5, ', wrapped(32, b'{"timestamp"')),
        (b'{"errors": [{"a": 1}, {"b": 2', wrapped(12, b'{"a"')),
        (b'{"entries": [1, 2], "more": [{"a": 1}]}', wrapped(29, b'{"a"')),
        (b'{"timestamp": "2025', lines(0, b'{"timestamp"')),
        (b'{"component": "a", "x": [{', lines(0, b'{"component"')),
        (b'{"timestamp" 1}\n', lines(0, b'{"timestamp"')),
        (b'{"first" 1}\n{"timestamp": 1}', lines(0, b'{"first"')),
    ],
)
def test_the_beginning_is_enough(head: bytes, expected: Layout) -> None:
    assert layout(head) == expected


@pytest.mark.parametrize("head", [b"", b" \n", b"\xef\xbb\xbf"])
def test_a_file_without_content_has_none(head: bytes) -> None:
    assert layout(head) is None


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (b'"text"', "holds a JSON string where an array of entries"),
        (b"12", "holds a JSON number where"),
        (b"true", "holds a JSON boolean where"),
        (b"null", "holds a JSON null where"),
        (b"{}", "holds an object without an array where"),
        (b'{"a": {"b": [1]}, "c": "[{"}', "holds an object without an array where"),
        (b"hello", "is no JSON; an array of entries"),
        (b"\xff\xfe[\0", "is no JSON"),
        (b'{"a" 1, "b": 2}', "is no JSON"),
        (b'{"a": 1; "b": [{}]}', "is no JSON"),
        (b'{1: 2, "entries": [{}]}', "is no JSON"),
    ],
)
def test_another_shape_is_named(head: bytes, message: str) -> None:
    with pytest.raises(NoLayout, match=r"^" + message.replace("[", r"\[")):
        layout(head)


@pytest.mark.parametrize(
    "head", [b"{", b'{"a"', b'{"a":', b'{"a": 1', b'{"a": 1,', b'{"a": [', b'{"a": [1', b'{"a": "x', b"nul", b'"text']
)
def test_more_is_asked_for_where_the_beginning_does_not_tell(head: bytes) -> None:
    with pytest.raises(Incomplete):
        layout(head)

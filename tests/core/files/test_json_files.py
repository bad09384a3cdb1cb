from __future__ import annotations

import errno
import json
import math
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.core.files import json_files, safe_files
from tasks.core.files.json_files import Found, read_object, write_object


def test_an_object_is_read_and_may_be_replaced(project: Path) -> None:
    (project / "a.json").write_text('{"hit_rate": 0.5, "name": "Grüße"}', encoding="utf-8")
    assert read_object(project, "a.json") == Found(
        {"hit_rate": 0.5, "name": "Grüße"}, None, replaceable=True, broken=False
    )


@pytest.mark.parametrize("content", [None, b"", b" \n\t"])
def test_a_missing_or_empty_file_holds_an_empty_object(project: Path, content: bytes | None) -> None:
    if content is not None:
        (project / "a.json").write_bytes(content)
    assert read_object(project, "a.json") == Found({})


def test_a_missing_folder_is_a_missing_file(project: Path) -> None:
    assert read_object(project, "logs/a.json") == Found({})


def test_json_as_python_writes_it_is_read(project: Path) -> None:
    (project / "a.json").write_text(json.dumps({"rate": math.nan, "most": math.inf}))
    content = read_object(project, "a.json").content
    assert math.isnan(content["rate"])
    assert content["most"] == math.inf


def test_a_byte_order_mark_is_no_problem(project: Path) -> None:
    (project / "a.json").write_bytes(b'\xef\xbb\xbf{"a": 1}')
    assert read_object(project, "a.json").content == {"a": 1}


@pytest.mark.parametrize(
    "content",
    [b'{"a": 1', b"not json", b"\x00\x01\x02", b'{"a": "\xff"}', b"[" * 100_000, b'{"a": ' + b"9" * 5000 + b"}"],
    ids=["truncated", "text", "binary", "mis-encoded", "deep", "huge number"],
)
def test_what_is_no_json_is_to_be_kept_aside(project: Path, content: bytes) -> None:
    (project / "a.json").write_bytes(content)
    found = read_object(project, "a.json")
    assert (found.content, found.replaceable, found.broken) == ({}, True, True)
    assert found.problem is not None
    assert found.problem.startswith("a.json is no valid JSON: ")
    assert found.problem.isprintable()


@pytest.mark.parametrize("content", ["[]", "1", '"a"', "true"])
def test_json_that_is_no_object_is_to_be_kept_aside(project: Path, content: str) -> None:
    (project / "a.json").write_text(content)
    found = read_object(project, "a.json")
    assert (found.content, found.replaceable, found.broken) == ({}, True, True)
    assert found.problem is not None
    assert found.problem.endswith(" where an object was expected.")


@pytest.mark.usefixtures("_deadline")
@pytest.mark.parametrize("kind", ["link", "fifo", "too large", "folder"])
def test_what_is_refused_is_neither_read_nor_replaceable(
    project: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    path = project / "a.json"
    if kind == "link":
        (project / "real").write_text("{}")
        path.symlink_to("real")
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        monkeypatch.setattr(json_files, "LIMIT", 10)
        path.write_text('{"key": "longer than that"}')
    found = read_object(project, "a.json")
    assert (found.content, found.replaceable, found.broken) == ({}, False, False)
    assert found.problem is not None
    assert found.problem.startswith("a.json ")


def test_a_file_that_may_not_be_read_is_left_alone(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object, **__: object) -> bytes:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(safe_files, "read", denied)
    assert read_object(project, "a\n.json") == Found(
        {}, r"a\n.json cannot be read: Permission denied.", replaceable=False, broken=False
    )


def test_an_object_is_written_as_text_that_people_can_read(project: Path) -> None:
    assert write_object(project, "logs/a.json", {"a": {"b": 1}, "ü": None}, Found({})) is None
    assert (project / "logs/a.json").read_text(encoding="ascii") == (
        '{\n  "a": {\n    "b": 1\n  },\n  "\\u00fc": null\n}\n'
    )


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@settings(deadline=None)
@given(content=st.dictionaries(st.text(st.characters()), _json))
def test_what_was_written_is_read_again(tmp_path_factory: pytest.TempPathFactory, content: dict[str, Any]) -> None:
    root = tmp_path_factory.getbasetemp()
    assert write_object(root, "any.json", content, read_object(root, "any.json")) is None
    assert read_object(root, "any.json") == Found(content)


def test_a_broken_file_is_kept_aside_before_it_is_replaced(project: Path) -> None:
    (project / "a.json").write_text("{broken")
    found = read_object(project, "a.json")
    assert write_object(project, "a.json", {"a": 1}, found) == "a.json.broken-1"
    assert (project / "a.json.broken-1").read_text() == "{broken"
    assert read_object(project, "a.json") == Found({"a": 1})


def test_a_usable_file_is_replaced_without_a_copy(project: Path) -> None:
    (project / "a.json").write_text('{"a": 1}')
    assert write_object(project, "a.json", {"a": 2}, read_object(project, "a.json")) is None
    assert [path.name for path in project.iterdir()] == ["a.json"]


def test_what_cannot_be_written_as_json_leaves_the_old_file_where_it_was(project: Path) -> None:
    (project / "a.json").write_text("{broken")
    deep: dict[str, Any] = {}
    for _ in range(100_000):
        deep = {"a": deep}
    with pytest.raises(safe_files.Refused, match=r"^a\.json is nested too deeply"):
        write_object(project, "a.json", deep, read_object(project, "a.json"))
    assert [path.name for path in project.iterdir()] == ["a.json"]
    assert (project / "a.json").read_text() == "{broken"

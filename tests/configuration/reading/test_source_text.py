from __future__ import annotations

import os
from pathlib import Path

import pytest

from tasks.configuration.reading import source_text
from tasks.configuration.reading.source_text import read_source
from tasks.core.files import safe_files
from tasks.core.files.safe_files import Identity

LIMIT = 10_000


def read(root: Path, content: bytes, name: str = "a.yaml") -> source_text.Source:
    (root / name).write_bytes(content)
    return read_source(root, name, limit=LIMIT)


def message(found: source_text.Source) -> str:
    (problem,) = found.problems
    return problem.message


@pytest.mark.parametrize("content", ["", "a: 1\n", "density: g/cm³\n", "a: 😀\r\n"])
def test_utf8_is_read_with_or_without_a_mark(tmp_path: Path, content: str) -> None:
    assert read(tmp_path, content.encode()) == source_text.Source(content)
    assert read(tmp_path, content.encode("utf-8-sig")) == source_text.Source(content)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_wider_encodings_are_read_and_told(tmp_path: Path, encoding: str) -> None:
    found = read(tmp_path, "a: ü\n".encode(encoding))
    assert found.text == "a: ü\n"
    assert encoding.upper() in message(found)


def test_big_endian_is_read_too(tmp_path: Path) -> None:
    assert read(tmp_path, b"\xfe\xff" + "a: ü\n".encode("utf-16-be")).text == "a: ü\n"


def test_what_begins_as_utf16_and_is_none_is_broken(tmp_path: Path) -> None:
    found = read(tmp_path, b"\xff\xfea")
    assert (found.text, found.broken) == (None, True)
    assert message(found) == "it begins as UTF-16 and is none"


def test_what_is_no_utf8_is_told_with_its_place(tmp_path: Path) -> None:
    found = read(tmp_path, b"a: 1\nb: caf\xe9\n")
    assert (found.text, found.broken) == (None, True)
    assert found.problems[0][:3] == ("the byte 0xE9 is no UTF-8", 2, 7)


def test_binary_is_told(tmp_path: Path) -> None:
    found = read(tmp_path, b"\x7fELF\0\0\0")
    assert (found.text, found.broken) == (None, True)
    assert "binary" in message(found)


def test_a_module_says_its_own_encoding(tmp_path: Path) -> None:
    declared = b"# -*- coding: latin-1 -*-\nA = 'caf\xe9'\n"
    assert read(tmp_path, declared, "a.py").text == declared.decode("latin-1")
    assert read(tmp_path, declared).text is None
    found = read(tmp_path, b"# coding: klingon\n", "a.py")
    assert (found.text, found.broken) == (None, True)
    assert "klingon" in message(found)


def test_a_large_file_is_not_read(tmp_path: Path) -> None:
    assert read(tmp_path, b"x" * LIMIT).text == "x" * LIMIT
    found = read(tmp_path, b"x" * (LIMIT + 1))
    assert (found.text, found.broken) == (None, False)
    assert "10,001 bytes, more than the 10,000" in message(found)


def test_a_missing_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_source(tmp_path, "a.yaml", limit=LIMIT)


@pytest.mark.parametrize("kind", ["folder", "pipe", "parent"])
def test_what_is_no_file_is_told(tmp_path: Path, kind: str) -> None:
    path = "a.yaml"
    if kind == "folder":
        (tmp_path / path).mkdir()
    elif kind == "pipe":
        os.mkfifo(tmp_path / path)
    else:
        (tmp_path / path).touch()
        path = "a.yaml/b.yaml"
    found = read_source(tmp_path, path, limit=LIMIT)
    assert (found.text, found.broken) == (None, False)
    assert message(found)


def test_a_file_that_the_system_refuses_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "a.yaml").touch()
    monkeypatch.setattr(safe_files, "regular_file", refuse)
    assert message(read_source(tmp_path, "a.yaml", limit=LIMIT)) == "it cannot be read: Permission denied"


def test_a_link_within_the_project_is_followed(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/b.yaml").write_text("a: 1\n")
    (tmp_path / "a.yaml").symlink_to("deep/b.yaml")
    (tmp_path / "folder").symlink_to("deep")
    assert read_source(tmp_path, "a.yaml", limit=LIMIT).text == "a: 1\n"
    assert read_source(tmp_path, "folder/b.yaml", limit=LIMIT).text == "a: 1\n"


def test_a_link_that_leads_out_is_not(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (tmp_path / "b.yaml").write_text("a: 1\n")
    (project / "a.yaml").symlink_to("../b.yaml")
    found = read_source(project, "a.yaml", limit=LIMIT)
    assert found.text is None
    assert "leads out of the project" in message(found)


def test_a_link_in_a_circle_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").symlink_to("a.yaml")
    assert read_source(tmp_path, "a.yaml", limit=LIMIT).text is None


def test_a_file_that_changes_while_it_is_read_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("a: 1\n")
    left = [2]
    identity = Identity.of

    def changing(status: os.stat_result) -> Identity:
        if left[0] > 0:
            left[0] -= 1
            return identity(status)._replace(mtime_ns=left[0])
        return identity(status)

    monkeypatch.setattr(Identity, "of", changing)
    assert read_source(tmp_path, "a.yaml", limit=LIMIT).text == "a: 1\n"
    left[0] = 100
    found = read_source(tmp_path, "a.yaml", limit=LIMIT)
    assert (found.text, found.broken, message(found)) == (None, False, "it changed 3 times while it was read")

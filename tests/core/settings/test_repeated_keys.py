from __future__ import annotations

import json
from pathlib import Path

import pytest

from tasks.core.errors import SettingsError
from tasks.core.settings.repeated_keys import RepeatedKey, repeated_keys, require_unique_keys


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: 2\n", []),
        ("a: 1\nb: 2\na: 3\n", [RepeatedKey("a", (1, 3))]),
        ("a: 1\na: 2\na: 3\n", [RepeatedKey("a", (1, 2, 3))]),
        ("m:\n  c:\n    d: 1\n    e: 2\n    d: 1\n", [RepeatedKey("m.c.d", (3, 5))]),
        ("m: [{x: 1}, {x: 1,\n x: 2}]\n", [RepeatedKey("m[1].x", (1, 2))]),
        ("m: {x: 1}\nn: {x: 1}\n", []),
        ("m: 1\n'm': 2\n", [RepeatedKey("m", (1, 2))]),
        ("1: a\n'1': b\n", []),
        ("base: &b {x: 1}\nm:\n  <<: *b\n  x: 2\n", []),
        ("a: &a {x: 1}\nb: &b {y: 1}\nm:\n  <<: *a\n  <<: *b\n", []),
        ("a: &a\n  x: 1\n  x: 2\nb: *a\n", [RepeatedKey("a.x", (2, 3))]),
        ("a: [\n", []),
        ("\t\n", []),
        ("", []),
        ("- a\n- b\n", []),
        ("? [a]\n: {x: 1, x: 2}\n", [RepeatedKey("?.x", (2, 2))]),
    ],
)
def test_keys_that_stand_twice_are_found_with_their_lines(text: str, expected: list[RepeatedKey]) -> None:
    assert repeated_keys(text.encode()) == expected


def test_bytes_that_are_no_text_hold_no_keys() -> None:
    assert repeated_keys(b"a: \xff\xfe\na: 1") == []


def test_json_is_looked_at_with_its_tabs() -> None:
    text = '{\n\t"maintenance": {\n\t\t"fail_on": "never",\n\t\t"fail_on": "warning"\n\t}\n}\n'
    assert json.loads(text)
    assert repeated_keys(text.encode(), is_json=True) == [RepeatedKey("maintenance.fail_on", (3, 4))]


@pytest.mark.parametrize("name", ["invoke.yaml", "invoke.yml", "invoke.json"])
def test_the_sentence_names_file_keys_and_lines(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text('{"a": 1,\n"a": 2,\n"m": {"b": 3,\n"b": 4}}')
    with pytest.raises(SettingsError) as caught:
        require_unique_keys(path)
    assert str(caught.value) == (
        f"The settings file {str(path)!r} has keys more than once, and only the last one would count: a in lines 1 and "
        "2; m.b in lines 3 and 4. Keep one of them; nothing was run."
    )
    path.write_text('{"a": 1,\n"a": 2,\n"a": 4}')
    with pytest.raises(SettingsError, match=r"has a key more than once.*: a in lines 1, 2 and 3\. "):
        require_unique_keys(path)


def test_what_is_no_yaml_or_missing_or_a_folder_is_not_looked_at(tmp_path: Path) -> None:
    python = tmp_path / "invoke.py"
    python.write_text("a: 1\na: 2\n")
    (tmp_path / "folder.yaml").mkdir()
    for path in (python, tmp_path / "missing.yaml", tmp_path / "folder.yaml"):
        require_unique_keys(path)


def test_only_the_keys_that_are_read_count_where_one_is_named(tmp_path: Path) -> None:
    path = tmp_path / "invoke.yaml"
    path.write_text("run: {a: 1, a: 2}\nmaintenances: 1\nmaintenances: 2\nmaintenance: {}\n")
    require_unique_keys(path, "maintenance")
    for text in ("maintenance: {a: 1, a: 2}", "maintenance: {}\nmaintenance: {}", "maintenance: [{a: 1, a: 2}]"):
        path.write_text(text)
        with pytest.raises(SettingsError):
            require_unique_keys(path, "maintenance")

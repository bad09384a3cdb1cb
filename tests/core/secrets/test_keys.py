from __future__ import annotations

import os
from pathlib import Path

import pytest

from tasks.core.secrets.keys import Key, find_keys

NAME = "DEEPSEEK_API_KEY"
VALUE = "sk-0123456789abcdef"


def key(root: Path, environment: dict[str, str]) -> Key:
    return find_keys(root, [NAME, NAME], environment)[NAME]


def test_the_environment_comes_before_the_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"{NAME}=sk-of-the-file-0000\nOTHER_KEY='quoted # value'\nexport THIRD=x1\n")
    found = find_keys(tmp_path, [NAME, "OTHER_KEY", "THIRD", "NONE"], {NAME: VALUE})
    assert found[NAME] == (VALUE, "environment", None)
    assert found["OTHER_KEY"].value == "quoted # value"
    assert found["THIRD"] == ("x1", ".env", None)
    assert found["NONE"] == ("", "", "is set neither in the environment nor in .env")


def test_a_variable_that_is_set_and_empty_hides_that_of_the_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"{NAME}={VALUE}\n")
    assert key(tmp_path, {NAME: ""}) == ("", "environment", "is empty in the environment")


@pytest.mark.parametrize("text", [f"{NAME}=\n", f"{NAME}\n", f"{NAME}='   '\n"])
def test_an_empty_one_of_the_file_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / ".env").write_text(text)
    assert key(tmp_path, {}) == ("", ".env", "is empty in .env")


def test_blanks_around_a_key_are_taken_off_and_told(tmp_path: Path) -> None:
    assert key(tmp_path, {NAME: f" {VALUE}\n"}) == (VALUE, "environment", "has blanks around it in the environment")


@pytest.mark.parametrize("value", ["sk-01 23456789", "sk-ключ-012345", "sk-0123\x00456"])
def test_a_value_that_no_header_can_carry_is_told(tmp_path: Path, value: str) -> None:
    problem = key(tmp_path, {NAME: value}).problem
    assert problem is not None
    assert "no key has" in problem


def test_references_in_the_file_are_followed_as_the_project_follows_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFIX", "sk")
    (tmp_path / ".env").write_text(f"END=0123456789\n{NAME}=${{PREFIX}}-${{END}}\n")
    assert key(tmp_path, {}).value == "sk-0123456789"


@pytest.mark.parametrize("line", [f"{NAME}='sk-not-closed", f"{NAME}: sk-of-yaml-0123"])
def test_a_line_that_cannot_be_read_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / ".env").write_text(f"OTHER=1\n{line}\n")
    found = key(tmp_path, {})
    assert found.value == ""
    assert found.problem is not None
    assert found.problem.startswith("cannot be read in line 2 of .env")
    assert "sk-" not in found.problem


def test_a_key_is_not_shown(tmp_path: Path) -> None:
    assert VALUE not in repr(key(tmp_path, {NAME: VALUE}))


def test_a_linked_file_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text(f"{NAME}={VALUE}\n")
    (tmp_path / ".env").symlink_to("elsewhere")
    found = key(tmp_path, {})
    assert found.value == ""
    assert found.problem is not None
    assert "symbolic link" in found.problem


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    found = key(tmp_path, {})
    assert found.value == ""
    assert found.problem is not None
    assert found.problem.startswith("is not set in the environment")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_of_somebody_else_is_told(tmp_path: Path) -> None:
    (tmp_path / ".env").touch(mode=0)
    assert "Permission denied" in str(key(tmp_path, {}).problem)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"=\n==\n\x00", b"no line\n'"])
def test_a_file_of_anything_is_read_without_an_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / ".env").write_bytes(content + f"\n{NAME}={VALUE}\n".encode())
    assert isinstance(key(tmp_path, {}), Key)

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.files import safe_files, state_files
from tasks.core.files.safe_files import Refused
from tasks.core.files.state_files import (
    Below,
    Count,
    Distrusted,
    Number,
    Plain,
    Size,
    StateFile,
    append,
    decode,
    read,
    read_bytes,
    remove,
    set_aside,
    write,
)


class Row(msgspec.Struct):
    name: Plain
    path: Below = "a"
    size: Size = 0
    count: Count = 0
    inode: Number = 0
    rate: float = 0.0


def _open_descriptors() -> int:
    return sum(1 for _ in Path("/dev/fd").iterdir())


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# Reading


def test_a_file_that_is_believed_and_of_its_type_is_read(project: Path) -> None:
    (project / "logs").mkdir()
    (project / "logs/state.json").write_text('{"name": "app.log", "size": 3}')
    before = _open_descriptors()
    assert read(project, "logs/state.json", Row) == StateFile(Row("app.log", size=3), exists=True)
    assert _open_descriptors() == before


@pytest.mark.parametrize("path", ["state.json", "missing/state.json"])
def test_what_is_missing_is_no_problem(project: Path, path: str) -> None:
    assert read(project, path, Row) == StateFile()


@pytest.mark.parametrize("content", ["", " \n"])
def test_what_a_full_disk_left_is_there_and_holds_nothing(project: Path, content: str) -> None:
    (project / "state.json").write_text(content)
    assert read(project, "state.json", Row) == StateFile(exists=True)


def _link(path: Path, outside: Path) -> None:
    path.symlink_to(outside)


def _hard_link(path: Path, outside: Path) -> None:
    path.hardlink_to(outside)


def _open_to_all(path: Path, _outside: Path) -> None:
    path.write_text('{"name": "forged"}')
    path.chmod(0o666)


def _fifo(path: Path, _outside: Path) -> None:
    os.mkfifo(path)


def _folder(path: Path, _outside: Path) -> None:
    (path / "below").mkdir(parents=True)


FORGED = {
    "is a symbolic link": _link,
    "has a second name elsewhere (hard link)": _hard_link,
    "is writable by everybody (mode 0666)": _open_to_all,
    "is not a regular file": _fifo,
    "is not a regular file ": _folder,
}


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    path = tmp_path / "outside"
    path.write_text('{"name": "outside"}')
    return path


@pytest.mark.parametrize(("reason", "forge"), FORGED.items(), ids=FORGED)
def test_what_is_not_believed_is_reported_and_not_read(
    project: Path, outside: Path, reason: str, forge: Callable[[Path, Path], None]
) -> None:
    forge(project / "state.json", outside)
    before = _open_descriptors()
    problem = f"state.json {reason.strip()}, so it is not read or written."
    assert read(project, "state.json", Row) == StateFile(problem=problem, exists=True, broken=True)
    assert _open_descriptors() == before


@pytest.mark.parametrize(("reason", "forge"), FORGED.items(), ids=FORGED)
def test_what_is_not_believed_is_kept_aside_and_what_it_leads_to_stays(
    project: Path, outside: Path, reason: str, forge: Callable[[Path, Path], None]
) -> None:
    assert reason
    path = project / "state.json"
    forge(path, outside)
    before, kept = outside.lstat(), path.lstat()
    state = read(project, "state.json", Row)
    assert write(project, "state.json", {"name": "new"}, state) == "state.json.broken-1"
    assert read(project, "state.json", Row).content == Row("new")
    after = outside.lstat()
    assert (after.st_mtime_ns, after.st_nlink, after.st_mode) == (before.st_mtime_ns, before.st_nlink, before.st_mode)
    assert outside.read_text() == '{"name": "outside"}'
    assert (project / "state.json.broken-1").lstat().st_ino == kept.st_ino
    assert path.lstat().st_mode & 0o7777 == 0o666 & ~_umask() & ~0o002


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_what_is_forged_after_it_was_read_is_kept_aside_as_well(project: Path, outside: Path) -> None:
    (project / "state.json").write_text('{"name": "good"}')
    state = read(project, "state.json", Row)
    (project / "state.json").unlink()
    (project / "state.json").hardlink_to(outside)
    assert write(project, "state.json", {"name": "new"}, state) == "state.json.broken-1"
    assert outside.read_text() == '{"name": "outside"}'


def test_what_was_kept_aside_is_put_back_where_the_new_one_cannot_be_written(
    project: Path, outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "state.json").symlink_to(outside)
    state = read(project, "state.json", Row)

    def full(*_args: object, **_options: object) -> None:
        raise OSError("full")

    monkeypatch.setattr(safe_files, "write", full)
    with pytest.raises(OSError, match="full"):
        write(project, "state.json", {"name": "new"}, state)
    assert _names(project) == ["state.json"]
    assert (project / "state.json").readlink() == outside


def test_a_name_that_is_swapped_for_a_hard_link_while_it_is_opened_is_not_believed(
    project: Path, outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once the planted name is removed again, the open file has one link, and it is the one outside."""
    path, real = project / "state.json", os.open
    path.write_text('{"name": "good"}')

    def swapped(name: Any, flags: int, *rest: Any, **options: Any) -> int:
        if name != "state.json":
            return real(name, flags, *rest, **options)
        path.unlink()
        path.hardlink_to(outside)
        descriptor = real(name, flags, *rest, **options)
        path.unlink()
        path.write_text('{"name": "good"}')
        return descriptor

    monkeypatch.setattr(os, "open", swapped)
    before = _open_descriptors()
    with pytest.raises(Distrusted, match=r"^state\.json is replaced again and again"):
        read_bytes(project, "state.json", limit=100)
    assert _open_descriptors() == before


def test_a_file_that_another_run_replaces_is_opened_anew(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, real = project / "state.json", os.open
    calls: list[object] = []
    path.write_text("old")

    def replaced(name: Any, flags: int, *rest: Any, **options: Any) -> int:
        descriptor = real(name, flags, *rest, **options)
        if name == "state.json" and not calls:
            calls.append(name)
            (project / "new").write_text("new")
            (project / "new").rename(path)
        return descriptor

    monkeypatch.setattr(os, "open", replaced)
    assert read_bytes(project, "state.json", limit=100) == b"new"


@pytest.mark.parametrize("link", ["logs", "."])
def test_a_folder_that_is_a_link_is_not_entered(project: Path, tmp_path: Path, link: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/state.json").write_text('{"name": "outside"}')
    (project / "logs").symlink_to(tmp_path / "elsewhere")
    state = read(project, "logs/state.json" if link == "logs" else "../elsewhere/state.json", Row)
    assert (state.content, state.replaceable) == (None, False)
    with pytest.raises(Refused):
        write(project, "logs/state.json", {"name": "new"}, state)
    assert _names(tmp_path / "elsewhere") == ["state.json"]


def test_what_cannot_be_opened_is_left_alone(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "state.json").write_text("{}")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    state = read(project, "state.json", Row)
    assert state == StateFile(
        problem="state.json cannot be read: Permission denied.", exists=True, broken=False, replaceable=False
    )


@pytest.mark.parametrize(("size", "taken"), [(99, True), (100, True), (101, False)])
def test_a_file_that_is_larger_than_expected_is_not_read(project: Path, size: int, *, taken: bool) -> None:
    (project / "state.json").write_text('{"name": "a"}'.ljust(size))
    state = read(project, "state.json", Row, limit=100)
    assert (state.content is not None) is taken
    if not taken:
        assert state.problem == "state.json has 101 bytes, more than the 100 expected."
        assert state.broken


# Content


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("{", "is no valid JSON: "),
        ("[]", "does not hold what this suite writes: Expected `object`, got `array`"),
        ("{}", "does not hold what this suite writes: Object missing required field `name`"),
        ('{"name": 1}', "Expected `str`, got `int` - at `$.name`"),
        ('{"name": "a", "size": NaN}', "Expected `int`, got `null` - at `$.size`"),
        ('{"name": "a", "rate": Infinity}', "Expected `float`, got `null` - at `$.rate`"),
        ('{"name": "a", "rate": -1e999}', "Expected `float`, got `null` - at `$.rate`"),
        ('{"name": "a", "rate": 1e999}', "Expected `float`, got `null` - at `$.rate`"),
        ('{"name": "a", "size": ' + "9" * 5000 + "}", "Expected `int`, got `null` - at `$.size`"),
        ('{"name": "../a"}', "Expected `str` that is a name of the expected form - at `$.name`"),
        ('{"name": "\xff"', "is no valid JSON: "),
    ],
)
def test_what_this_suite_does_not_write_is_not_taken(project: Path, content: str, problem: str) -> None:
    (project / "state.json").write_text(content, encoding="latin-1")
    state = read(project, "state.json", Row)
    assert state.content is None
    assert state.broken
    assert state.problem is not None
    assert state.problem.startswith("state.json ")
    assert problem in state.problem


@pytest.mark.parametrize(("levels", "taken"), [(3, True), (4, False)])
@pytest.mark.parametrize("form", ["[{}]", '[{{"a": {}}}]'])
def test_depth_is_bounded_before_anything_is_built(form: str, levels: int, *, taken: bool) -> None:
    text = '"[[[[[["'
    for _ in range(levels if form == "[{}]" else levels // 2):
        text = form.format(text)
    depth = 3 if form == "[{}]" else 3 - levels % 2
    if taken:
        assert decode(text.encode(), Any, depth=depth) is not None
    else:
        with pytest.raises(ValueError, match=f"^is nested more than {depth} levels deep$"):
            decode(text.encode(), Any, depth=depth)


def test_side_by_side_is_not_within_each_other() -> None:
    assert len(decode(b"[[], [], [], {}]", list[Any], depth=2)) == 4


@given(
    st.recursive(
        st.text() | st.integers(-(2**63), 2**64 - 1), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_depth_is_that_of_the_value(value: Any) -> None:
    def depth(each: Any) -> int:
        if isinstance(each, dict):
            each = [*each.values()]
        return 1 + max(map(depth, each), default=0) if isinstance(each, list) else 0

    text = json.dumps(value).encode()
    assert decode(text, Any, depth=depth(value)) == value
    assert state_files._is_deeper(text, depth(value) - 1) is (depth(value) > 0)


@pytest.mark.parametrize("name", ["a", "app.log", "...", ".hidden", "..a", "a b", "ä", "\udcff", "a\n", "x" * 255])
def test_a_plain_name_is_taken(name: str) -> None:
    assert decode(json.dumps({"name": name, "path": name}).encode(), Row) == Row(name, name)


@pytest.mark.parametrize("name", ["", ".", "..", "/", "a/b", "/a", "a/", "a\0", "../a", "x" * 256])
def test_a_name_that_leads_elsewhere_is_not_taken(name: str) -> None:
    with pytest.raises(ValueError, match=r"at `\$\.name`$"):
        decode(json.dumps({"name": name}).encode(), Row)


@pytest.mark.parametrize("path", ["a/b", "2026/11/app.log.gz", ".../a", "a/..b"])
def test_a_path_below_is_taken(path: str) -> None:
    assert decode(json.dumps({"name": "a", "path": path}).encode(), Row).path == path


@pytest.mark.parametrize(
    "path", ["", "/", "/a", "a/", "a//b", "./a", "a/.", "../a", "a/..", "a/../b", "a/./b", "a\0/b"]
)
def test_a_path_that_leads_elsewhere_is_not_taken(path: str) -> None:
    with pytest.raises(ValueError, match=r"at `\$\.path`$"):
        decode(json.dumps({"name": "a", "path": path}).encode(), Row)


@given(st.text(alphabet="./a\0\n", max_size=12))
def test_a_path_below_is_plain_names_with_slashes_between_them(path: str) -> None:
    plain = all(part not in {"", ".", ".."} and "\0" not in part for part in path.split("/"))
    try:
        decode(json.dumps({"name": "a", "path": path}).encode(), Row)
    except ValueError:
        assert not plain
    else:
        assert plain


@pytest.mark.parametrize(("field", "most"), [("size", 2**63 - 1), ("count", 2**53 - 1), ("inode", 2**64 - 1)])
def test_numbers_have_a_range(field: str, most: int) -> None:
    for number in (0, most):
        assert getattr(decode(json.dumps({"name": "a", field: number}).encode(), Row), field) == number
    for text in ("-1", str(most + 1), "-" + "9" * 19, "9" * 20, "9" * 9999, "0.5", "true"):
        with pytest.raises(ValueError, match="does not hold what this suite writes"):
            decode(f'{{"name": "a", "{field}": {text}}}'.encode(), Row)


@given(st.binary(max_size=200) | st.text(alphabet='{}[]":,\\0a.e-', max_size=60).map(str.encode))
def test_no_bytes_raise_anything_but_what_is_said(content: bytes) -> None:
    said = ""
    try:
        decode(content, Row)
    except ValueError as error:
        said = str(error)
    assert said.isprintable()


# Writing


def test_what_was_broken_is_kept_aside(project: Path) -> None:
    (project / "state.json").write_text("{")
    state = read(project, "state.json", Row)
    assert write(project, "state.json", {"name": "new"}, state) == "state.json.broken-1"
    assert (project / "state.json.broken-1").read_text() == "{"
    assert (project / "state.json").read_text() == '{\n  "name": "new"\n}\n'


def test_what_was_good_is_replaced(project: Path) -> None:
    (project / "state.json").write_text('{"name": "old"}')
    state = read(project, "state.json", Row)
    assert write(project, "state.json", b"new", state, private=True) is None
    assert (_names(project), (project / "state.json").read_text()) == (["state.json"], "new")
    assert (project / "state.json").stat().st_mode & 0o777 == 0o600


def test_what_must_not_be_replaced_is_not(project: Path) -> None:
    with pytest.raises(Refused, match=re.escape("a newer version wrote it")):
        write(project, "a", b"", StateFile(problem="a newer version wrote it", replaceable=False))
    with pytest.raises(Refused, match=re.escape("a cannot be replaced.")):
        write(project, "a", b"", StateFile(replaceable=False))
    assert _names(project) == []


def test_what_is_nested_too_deeply_is_not_written(project: Path) -> None:
    value: dict[str, Any] = {}
    for _ in range(100_000):
        value = {"a": value}
    with pytest.raises(Refused, match=r"^a is nested too deeply to be written again\.$"):
        write(project, "a", value, StateFile())


@pytest.mark.parametrize("mask", [0o000, 0o002, 0o022])
def test_what_is_written_is_believed_by_the_next_run_at_any_umask(project: Path, mask: int) -> None:
    project.chmod(0o777 & ~mask)
    before = os.umask(mask)
    try:
        write(project, "state.json", {"name": "new"}, StateFile())
    finally:
        os.umask(before)
    assert (project / "state.json").stat().st_mode & 0o002 == 0


# Adding lines


def test_lines_are_added_to_a_file_that_stays_the_same(project: Path) -> None:
    assert append(project, "logs/file", b"one\n") == 4
    (project / "logs/file").chmod(0o600)
    before = (project / "logs/file").stat()
    assert append(project, "logs/file", b"two\nthree\n") == 14
    after = (project / "logs/file").stat()
    assert (project / "logs/file").read_bytes() == b"one\ntwo\nthree\n"
    assert (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)


def test_a_line_without_its_end_is_ended_before_another_is_added(project: Path) -> None:
    (project / "file").write_bytes(b"one\ntw")
    assert append(project, "file", b"three\n") == 13
    assert (project / "file").read_bytes() == b"one\ntw\nthree\n"


@pytest.mark.parametrize(("reason", "forge"), FORGED.items(), ids=FORGED)
def test_lines_are_added_to_a_file_that_is_believed_only(
    project: Path, outside: Path, reason: str, forge: Callable[[Path, Path], None]
) -> None:
    forge(project / "file", outside)
    before, kept, handles = (project / "file").lstat(), outside.lstat(), _open_descriptors()
    with pytest.raises(Distrusted, match=f"^file {re.escape(reason.strip())}"):
        append(project, "file", b"new\n")
    assert ((project / "file").lstat(), outside.lstat()) == (before, kept)
    assert _open_descriptors() == handles


def test_no_file_is_made_at_the_end_of_a_link(project: Path, tmp_path: Path) -> None:
    (project / "file").symlink_to(tmp_path / "nowhere")
    with pytest.raises(Distrusted, match="is a symbolic link"):
        append(project, "file", b"new\n")
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
def test_what_root_begins_belongs_to_the_owner_of_its_folder(project: Path) -> None:
    os.chown(project, 12345, 12345)
    append(project, "logs/file", b"one\n")
    status = (project / "logs/file").stat()
    assert (status.st_uid, status.st_gid) == (12345, 12345)


@pytest.mark.parametrize("is_there", [True, False])
@pytest.mark.parametrize("call", ["write", "fsync", "fchown"])
def test_lines_that_cannot_be_written_leave_the_file_as_it_was(
    project: Path, monkeypatch: pytest.MonkeyPatch, call: str, *, is_there: bool
) -> None:
    if is_there:
        (project / "file").write_bytes(b"one")

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, call, full)
    if call == "fchown" and (is_there or os.geteuid() != 0):
        append(project, "file", b"two\n")
        return
    handles = len(os.listdir("/dev/fd"))  # noqa: PTH208 - a number is enough
    with pytest.raises(OSError, match="No space left"):
        append(project, "file", b"two\n")
    assert len(os.listdir("/dev/fd")) == handles  # noqa: PTH208
    if is_there:
        assert (project / "file").read_bytes() == b"one"
    else:
        assert not (project / "file").exists()


# Setting aside and removing


def test_each_thing_that_is_set_aside_gets_a_free_name(project: Path, outside: Path) -> None:
    (project / "a.broken-1").symlink_to("nowhere")
    for number, forge in enumerate((_link, _hard_link, _fifo, _folder), start=2):
        forge(project / "a", outside)
        assert set_aside(project, "a") == f"a.broken-{number}"
    assert (project / "a.broken-1").readlink() == Path("nowhere")
    assert outside.read_text() == '{"name": "outside"}'


def test_what_is_not_there_cannot_be_set_aside(project: Path) -> None:
    with pytest.raises(FileNotFoundError):
        set_aside(project, "a")


def test_a_link_is_removed_and_not_what_it_leads_to(project: Path, outside: Path) -> None:
    (project / "a").symlink_to(outside)
    remove(project, "a")
    remove(project, "a")
    remove(project, "missing/a")
    assert (_names(project), outside.exists()) == ([], True)

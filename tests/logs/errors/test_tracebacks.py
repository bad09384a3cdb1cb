from __future__ import annotations

import traceback
from collections.abc import Callable

import pytest

from tasks.logs.errors.tracebacks import RaisedException, TracebackFrame, project_frames, read_traceback


def details(*lines: str) -> str:
    return "\n".join(["Traceback (most recent call last):", *lines])


def frame(path: str, function: str = "ask") -> str:
    return f'  File "{path}", line 3, in {function}\n    source(of="x")'


def shown(text: str) -> list[list[str]]:
    return project_frames(read_traceback(text))


def _plain() -> None:
    int("x" * 3)


def _chained() -> None:
    try:
        _plain()
    except ValueError as error:
        raise OSError(28, "No space left") from error


def _group() -> None:
    raise ExceptionGroup("several", [ValueError("a"), ExceptionGroup("inner", [TypeError("b")])])


def _recursion() -> None:
    _recursion()


def _syntax() -> None:
    compile("a = = 1", "/srv/x/config/settings.py", "exec")


@pytest.mark.parametrize(
    ("raises", "types"),
    [
        (_plain, ["ValueError"]),
        (_chained, ["ValueError", "OSError"]),
        (_group, ["ExceptionGroup", "ValueError", "ExceptionGroup", "TypeError"]),
        (_recursion, ["RecursionError"]),
        (_syntax, ["SyntaxError"]),
    ],
)
def test_what_python_prints_is_understood(raises: Callable[[], None], types: list[str]) -> None:
    try:
        raises()
    except Exception:  # noqa: BLE001 - whatever it is, its text is what is tested
        text = traceback.format_exc()
    raised = read_traceback(text)
    assert [one.type for one in raised] == types
    assert any(frame.function == raises.__name__ for one in raised for frame in one.frames)
    assert all(len(set(one.frames)) == len(one.frames) for one in raised)


def test_an_exceptions_first_line_is_its_text() -> None:
    text = details(frame("/x/a.py"), "pkg.Outer.<locals>.GoneError: first", "second: line", frame("/x/b.py"))
    first, second = read_traceback(text)
    assert first == RaisedException("pkg.Outer.<locals>.GoneError", "first", 0, (TracebackFrame("/x/a.py", "ask"),))
    assert second == RaisedException("", "", 2, (TracebackFrame("/x/b.py", "ask"),))


def test_a_traceback_that_breaks_off_before_another_is_kept() -> None:
    first, second = read_traceback(details(frame("/x/a.py"), details(frame("/x/b.py"), "ValueError")))
    assert (first.type, second.type, second.text) == ("", "ValueError", "")


def test_an_exception_may_stand_alone() -> None:
    assert [one.type for one in read_traceback("ValueError: x\n\nOSError: y")] == ["ValueError"]
    assert read_traceback("Note: nothing\nValueError: x") == []
    assert read_traceback("some text") == read_traceback("") == []


def test_text_after_the_frames_that_names_no_exception_ends_them() -> None:
    (one,) = read_traceback(details(frame("/x/a.py"), "... and so on", "ValueError: x"))
    assert (one.type, one.frames) == ("", (TracebackFrame("/x/a.py", "ask"),))
    assert read_traceback(details(frame("/x/a.py"), "note: lower case"))[0].type == ""


def test_source_lines_that_look_like_marks_are_source() -> None:
    (one,) = read_traceback(details(frame("/x/a.py"), "    + other", "    ^^^^", frame("/x/b.py"), "ValueError: x"))
    assert [frame.path for frame in one.frames] == ["/x/a.py", "/x/b.py"]


def test_the_same_exception_twice_is_one() -> None:
    one = details(frame("/x/a.py"), "ValueError: 1")
    assert (
        len(read_traceback(f"{one}\n\nDuring handling of the above exception, another exception occurred:\n\n{one}"))
        == 1
    )


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        # all in one folder: its name helps
        (["/srv/a/api/client.py"], ["api/client.py"]),
        (["/home/u/x/api/client.py"], ["api/client.py"]),
        (["C:\\u\\x\\api\\client.py"], ["api/client.py"]),
        (["run.py"], ["run.py"]),
        (["./api/client.py", "/srv/a/api/pool.py"], ["api/client.py", "api/pool.py"]),
        (["/run.py"], ["/run.py"]),
        # several: what they have in common is where the project lies
        (["/srv/a/run.py", "/srv/a/api/client.py"], ["run.py", "api/client.py"]),
        (["/srv/a/x/run.py", "/opt/b/api/client.py"], ["x/run.py", "api/client.py"]),
        (["/srv/a/run.py", "/srv/a/b/c/d/e.py"], ["run.py", "c/d/e.py"]),
        # installed code and the standard library do not count
        (["/srv/a/.venv/bin/zbeam", "/srv/a/api/client.py"], ["api/client.py"]),
        (["/srv/a/.venv/lib/python3.12/site-packages/httpx/c.py", "/srv/a/api/client.py"], ["api/client.py"]),
        (["/usr/lib/python3.11/asyncio/events.py", "/srv/a/api/client.py"], ["api/client.py"]),
        (["C:\\Python311\\Lib\\json\\decoder.py", "C:\\a\\api\\client.py"], ["api/client.py"]),
        (["/usr/lib/python3/dist-packages/yaml/reader.py", "/a/api/client.py"], ["api/client.py"]),
        (["<frozen runpy>", "<string>", "/srv/a/api/client.py"], ["api/client.py"]),
        # unless there is nothing else
        (["<frozen runpy>", "/usr/lib/python3.11/asyncio/events.py"], ["<frozen runpy>", "asyncio/events.py"]),
        (["/x/lib/python3.9/site-packages/httpx/_t/d/c.py"], ["_t/d/c.py"]),
    ],
)
def test_a_file_reads_the_same_wherever_the_project_lies(paths: list[str], expected: list[str]) -> None:
    text = details(*(frame(path) for path in paths), "ValueError")
    assert shown(text) == [[f"{path}:ask" for path in expected]]


def test_the_folder_of_the_script_is_the_root() -> None:
    text = details(frame("/srv/a/run.py", "<module>"), frame("/srv/a/api/v1/client.py"), "ValueError")
    assert shown(text) == [["run.py:<module>", "api/v1/client.py:ask"]]
    assert shown(details(frame("/srv/a/run.py", "<module>"), "ValueError")) == [["run.py:<module>"]]
    elsewhere = details(frame("/srv/a/bin/run.py", "<module>"), frame("/srv/a/api/client.py"), "ValueError")
    assert shown(elsewhere) == [["bin/run.py:<module>", "api/client.py:ask"]]


def test_functions_of_every_kind_are_named_but_inlined_comprehensions() -> None:
    names = ["<module>", "<lambda>", "<genexpr>", "<listcomp>", "<dictcomp>", "<setcomp>", "Client.ask"]
    text = details(*(frame("/srv/a/run.py", name) for name in names), "ValueError")
    assert shown(text) == [[f"run.py:{name}" for name in ("<module>", "<lambda>", "<genexpr>", "Client.ask")]]

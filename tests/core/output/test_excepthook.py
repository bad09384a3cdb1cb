from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, TypeAlias

import pytest
from invoke import Config

from tasks.core.output import excepthook
from tasks.core.output.excepthook import sentence

Seen: TypeAlias = list[type[BaseException]]

UNCAUGHT = """
import sys
from invoke import Config
from tasks.core.output import excepthook
excepthook.install()
config = Config(lazy=True, runtime_path=sys.argv[1])
config.load_runtime()
"""


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Seen:
    """Install the hook before one that remembers which exceptions it saw."""
    seen: Seen = []

    def remember(kind: type[BaseException], _error: BaseException, _trace: TracebackType | None) -> None:
        seen.append(kind)

    monkeypatch.setattr(sys, "excepthook", remember)
    excepthook.install()
    return seen


@pytest.fixture
def _debug() -> Iterator[None]:
    logger = logging.getLogger("invoke")
    before = logger.level
    logger.setLevel(logging.DEBUG)
    yield
    logger.setLevel(before)


def _uncaught(action: Callable[[], object]) -> None:
    """Do what Python does with an exception that nobody catches."""
    try:
        action()
    except BaseException as error:  # noqa: BLE001 - any of them reaches the hook
        sys.excepthook(type(error), error, error.__traceback__)


def _runtime(path: Path) -> Config:
    return Config(lazy=True, runtime_path=path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("broken.yaml", b"a: [1\nb: 2"),
        ("tag.yaml", b"a: !!python/object/apply:os.system ['true']"),
        ("bytes.yaml", b"a: \xff\xfe\x00"),
        ("broken.json", b"{"),
        ("broken.py", b"import nothing_of_this_name\n"),
        ("unknown.toml", b"a = 1"),
    ],
)
def test_a_settings_file_that_cannot_be_read_gets_one_sentence_and_status_78(
    project: Path, seen: Seen, capsys: pytest.CaptureFixture[str], name: str, content: bytes
) -> None:
    (project / name).write_bytes(content)
    with pytest.raises(SystemExit) as caught:
        _uncaught(_runtime(project / name).load_runtime)
    captured = capsys.readouterr()
    assert caught.value.code == 78
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert captured.err.startswith(f"The settings file '{project / name}' cannot be read: ")
    assert captured.err.endswith(". Correct it; nothing was run.\n")
    assert seen == []


def test_a_settings_file_that_cannot_be_merged_is_named_too(
    project: Path, seen: Seen, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "list.yaml").write_text("- a\n- b\n")
    with pytest.raises(SystemExit):
        _uncaught(_runtime(project / "list.yaml").load_runtime)
    assert str(project / "list.yaml") in capsys.readouterr().err
    assert seen == []


@pytest.mark.usefixtures("_debug")
def test_debugging_shows_the_traceback_as_well(project: Path, seen: Seen, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "broken.json").write_text("{")
    with pytest.raises(SystemExit):
        _uncaught(_runtime(project / "broken.json").load_runtime)
    assert len(seen) == 1
    assert issubclass(seen[0], ValueError)
    assert "broken.json" in capsys.readouterr().err


def test_any_other_exception_is_left_to_the_hook_before(seen: Seen, capsys: pytest.CaptureFixture[str]) -> None:
    _uncaught(lambda: int("no number"))
    assert seen == [ValueError]
    assert capsys.readouterr().err == ""


def test_functions_of_the_same_name_elsewhere_are_no_settings_readers(seen: Seen) -> None:
    def _load_file() -> None:
        raise ValueError

    _uncaught(_load_file)
    assert seen == [ValueError]


def test_an_exception_without_a_traceback_is_left_to_the_hook_before(seen: Seen) -> None:
    sys.excepthook(ValueError, ValueError(), None)
    assert seen == [ValueError]


@pytest.mark.usefixtures("seen")
def test_ctrl_c_while_a_settings_file_is_read_is_not_blamed_on_the_file(
    project: Path, monkeypatch: pytest.MonkeyPatch, seen: Seen
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Config, "_load_yaml", interrupted)
    _uncaught(_runtime(project / "a.yaml").load_runtime)
    assert seen == [KeyboardInterrupt]


@pytest.mark.parametrize(
    ("error", "what"),
    [
        (ValueError("line 1\n  line 2\r\n\tline 3"), "line 1 line 2 line 3"),
        (KeyError(), "KeyError"),
        (ValueError(" \n"), "ValueError"),
    ],
)
def test_the_sentence_is_one_line_that_says_what_is_wrong(error: Exception, what: str) -> None:
    code = compile("def _load_file(filepath, error):\n    raise error\n", "/lib/invoke/config.py", "exec")
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 - a function that looks like one of Invoke's
    with pytest.raises(type(error)) as caught:
        names["_load_file"]("/p/invoke.yaml", error)
    assert sentence(error, caught.tb) == f"The settings file '/p/invoke.yaml' cannot be read: {what}. Correct it"


def test_a_process_ends_with_the_sentence_and_without_a_traceback(
    project: Path, child: Callable[..., subprocess.Popen[str]], capfd: pytest.CaptureFixture[str]
) -> None:
    (project / "invoke.yaml").write_text("a: [1\n")
    process = child(UNCAUGHT, project / "invoke.yaml")
    process.communicate(timeout=300)
    assert process.returncode == 78
    captured = capfd.readouterr().err
    assert captured.startswith("The settings file ")
    assert "Traceback" not in captured

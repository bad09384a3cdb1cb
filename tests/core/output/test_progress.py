from __future__ import annotations

import io
import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tasks.core.output import progress
from tasks.core.output.progress import Display

CONTROL = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


class _EncodedTerminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


class _Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> _Clock:
    clock = _Clock()
    monkeypatch.setattr(time, "monotonic", clock)
    return clock


@pytest.fixture
def _no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_PATIENCE", 0)
    monkeypatch.setattr(progress, "_INTERVAL", 0)


def _shown(terminal: io.StringIO) -> str:
    return CONTROL.sub("", terminal.getvalue())


def test_work_under_a_second_shows_nothing(terminal: io.StringIO, clock: _Clock) -> None:
    with Display("weekly.cache-cleanup", terminal) as display:
        display.advance(10)
        clock.now += 0.99
        display.advance(10)
    assert terminal.getvalue() == ""


def test_work_over_a_second_shows_what_was_done_so_far(terminal: io.StringIO, clock: _Clock) -> None:
    with Display("weekly.cache-cleanup", terminal) as display:
        display.advance(1000)
        clock.now += 1.01
        display.advance(234)
        assert "weekly.cache-cleanup 1,234 looked at" in _shown(terminal)


@pytest.mark.usefixtures("_no_patience")
def test_nothing_is_shown_where_there_is_no_terminal() -> None:
    stream = io.StringIO()
    with Display("weekly.cache-cleanup", stream) as display:
        display.advance(10)
    assert stream.getvalue() == ""


def test_updates_keep_their_distance(terminal: io.StringIO, clock: _Clock) -> None:
    with Display("t", terminal) as display:
        clock.now += 2
        display.advance(1)
        before = terminal.getvalue()
        clock.now += 0.24
        display.advance(1)
        assert terminal.getvalue() == before
        clock.now += 0.02
        display.advance(1)
        assert "t 3 looked at" in _shown(terminal)


@pytest.mark.usefixtures("_no_patience")
def test_the_line_is_gone_and_the_cursor_back_at_the_end(terminal: io.StringIO) -> None:
    with Display("t", terminal) as display:
        display.advance(1)
        assert "\x1b[?25l" in terminal.getvalue()
        before = len(terminal.getvalue())
    assert "\x1b[2K" in terminal.getvalue()[before:]
    assert "\x1b[?25h" in terminal.getvalue()[before:]


@pytest.mark.usefixtures("_no_patience")
def test_the_cursor_is_back_where_the_work_fails(terminal: io.StringIO) -> None:
    display = Display("t", terminal)
    display.__enter__()
    display.advance(1)
    error = RuntimeError("work")
    assert not display.__exit__(RuntimeError, error, None)  # type: ignore[func-returns-value]
    assert terminal.getvalue().rindex("\x1b[?25h") > terminal.getvalue().rindex("\x1b[?25l")


@pytest.mark.usefixtures("_no_patience")
def test_work_of_many_threads_is_counted_in_full(terminal: io.StringIO) -> None:
    with Display("t", terminal) as display:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(display.advance, [1] * 200))
        assert "t 200 looked at" in _shown(terminal)


@pytest.mark.usefixtures("_no_patience")
def test_progress_goes_to_standard_error(
    terminal: io.StringIO, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stderr", terminal)
    with Display("t") as display:
        display.advance(1)
    assert "t 1 looked at" in _shown(terminal)
    assert capsys.readouterr().out == ""


@pytest.mark.usefixtures("_no_patience", "terminal")
@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_that_cannot_show_the_spinner_does_not_end_the_work(encoding: str) -> None:
    with Display("t", _EncodedTerminal(io.BytesIO(), encoding=encoding)) as display:
        display.advance(1)


def test_rich_is_not_loaded_for_short_work(terminal: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rich.progress", None)
    with Display("t", terminal) as display:
        display.advance(1)

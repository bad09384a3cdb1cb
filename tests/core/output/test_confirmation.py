from __future__ import annotations

import os
import pty
from collections.abc import Iterator
from io import StringIO
from threading import Event, Timer
from typing import TextIO

import pytest

from tasks.core.output.confirmation import confirm


class Terminal:
    """A terminal's two ends: what is typed, and what a program sees of it."""

    def __init__(self) -> None:
        self.typed, seen = pty.openpty()
        self.program: TextIO = os.fdopen(seen, encoding="utf-8")

    def type(self, text: str) -> None:
        os.write(self.typed, text.encode())


class Screen(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    terminal = Terminal()
    yield terminal
    os.close(terminal.typed)
    terminal.program.close()


@pytest.mark.parametrize(
    ("typed", "answer"),
    [("y\n", True), ("Yes \n", True), ("n\n", False), ("\n", False), ("yess\n", False), ("\x04", False)],
)
def test_only_a_yes_is_a_yes(terminal: Terminal, typed: str, *, answer: bool) -> None:
    screen = Screen()
    terminal.type(typed)
    assert confirm(["one", "two"], "Go?", Event(), answers=terminal.program, screen=screen) is answer
    assert screen.getvalue() == "one\ntwo\nGo? [y/N] "


def test_a_wish_to_stop_ends_the_waiting_and_is_a_no(terminal: Terminal) -> None:
    stop = Event()
    Timer(0.2, stop.set).start()
    assert confirm([], "Go?", stop, answers=terminal.program, screen=Screen()) is False


def test_nobody_is_asked_without_a_terminal(terminal: Terminal) -> None:
    screen = StringIO()
    assert confirm([], "Go?", Event(), answers=StringIO("y\n"), screen=Screen()) is None
    assert confirm([], "Go?", Event(), answers=terminal.program, screen=screen) is None
    assert screen.getvalue() == ""

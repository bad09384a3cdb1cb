"""Asking whoever sits at the terminal before something is changed."""

from __future__ import annotations

import select
import sys
from collections.abc import Callable, Sequence
from threading import Event
from typing import TextIO, TypeAlias

Confirm: TypeAlias = Callable[[Sequence[str], str, Event], bool | None]
"""Shows lines and asks a question; an event that is set is a no. ``None``: nobody can be asked."""

_TICK = 0.1
_YES = {"y", "yes"}


def askable(answers: TextIO | None = None, screen: TextIO | None = None) -> bool:
    """Tell whether somebody can be asked: standard input and standard error are a terminal."""
    answers, screen = answers or sys.stdin, screen or sys.stderr
    return answers is not None and screen is not None and answers.isatty() and screen.isatty()


def confirm(
    lines: Sequence[str],
    question: str,
    stop: Event,
    *,
    answers: TextIO | None = None,
    screen: TextIO | None = None,
) -> bool | None:
    """Show *lines* and ask *question*; only ``y`` and ``yes`` are a yes.

    It is shown on standard error, so that standard output holds nothing but the report.

    Args:
        lines: what is to be known before the answer.
        question: a question that yes or no answers.
        stop: ends the waiting where it is set, as Ctrl-C does.
        answers: where the answer is read (standard input).
        screen: where the question is shown (standard error).

    Returns:
        ``None`` where nobody can be asked, since one of the two is no terminal.
    """
    answers, screen = answers or sys.stdin, screen or sys.stderr
    if not askable(answers, screen):
        return None
    screen.write("\n".join([*lines, f"{question} [y/N] "]))
    screen.flush()
    while not stop.is_set():
        if select.select([answers], [], [], _TICK)[0]:
            return answers.readline().strip().lower() in _YES
    return False

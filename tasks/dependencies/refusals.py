"""Why a step could not be done."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import Event
from typing import NamedTuple

from ..core.programs.processes import Ended
from ..core.text.formatting import duration, printable

_LONGEST = 400


class Refusal(NamedTuple):
    """A step that could not be done.

    Attributes:
        message: a sentence on what happened.
        remedy: what to do.
    """

    message: str
    remedy: str


def reason(
    program: str,
    ended: Ended,
    said: Iterable[str],
    *,
    deadline_seconds: float,
    redact: Callable[[str], str],
    stop: Event,
) -> str:
    """Return why a call of a program failed, as the end of a sentence.

    Args:
        program: its name.
        ended: how it ended.
        said: what it said of the cause.
        deadline_seconds: how long it might take.
        redact: takes secrets out of a text.
        stop: whether it was told to end.
    """
    if ended.problem:
        return printable(ended.problem)
    if stop.is_set():
        return "it was told to stop"
    if ended.overdue:
        return f"{program} had not ended within {duration(deadline_seconds)}"
    words = printable(redact(" ".join(said)))[:_LONGEST].rstrip(". ")
    return words or f"{program} ended with status {ended.status}"

"""The project's own Python, as whoever knows the environments tells of it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Interpreter(NamedTuple):
    """The project's own Python.

    Attributes:
        python: its path; ``None`` where none is known to be the project's.
        reason: why there is none, as a sentence.
        remedy: what to do about that.
    """

    python: Path | None
    reason: str = ""
    remedy: str = ""

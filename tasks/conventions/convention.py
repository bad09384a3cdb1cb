"""A fact about how the project works, and the places that say so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from ..core.text.formatting import printable

T_co = TypeVar("T_co", covariant=True)

_LONGEST = 120
"""Characters of a line that is shown as evidence."""


class Evidence(NamedTuple):
    """A place that says how the project works.

    Attributes:
        place: a path below the root, or a command.
        line: the number of the line, from 1; ``None`` where it is the file or folder itself.
        text: what is there, on one line and without any secret.
    """

    place: str
    line: int | None = None
    text: str = ""

    def __str__(self) -> str:
        """Return it as people write it: ``pyproject.toml:12: packages = ["demo"]``."""
        place = printable(self.place) + (f":{self.line}" if self.line else "")
        if not self.text:
            return place
        shown = printable(" ".join(self.text.split()))
        return f"{place}: {shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + '…'}"


@dataclass(frozen=True)
class Convention(Generic[T_co]):
    """A convention of the project.

    Attributes:
        name: what it is about, ``log folders``.
        sought: what was looked for, as a clause.
        value: what was found; ``None`` where nothing was, or where the evidence contradicts itself.
        shown: the same in words.
        evidence: the places that say so.
        contradiction: why nothing holds, with both sides, as a sentence; empty where there is none.
        setting: the setting that overrides it, by its full path; empty where there is none.
    """

    name: str
    sought: str
    value: T_co | None = None
    shown: str = ""
    evidence: tuple[Evidence, ...] = ()
    contradiction: str = ""
    setting: str = ""

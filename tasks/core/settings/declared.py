"""What procedures add to the settings by their declarations: sections of their own, and gates of the checklist.

Imported whenever ``inv`` starts, so a section of the suite is named here by a text, and loaded when settings are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from .model import Section

SectionType: TypeAlias = "type[Section] | str"
"""A section's type, or where in the suite's package it is: ``cache.dust:DustSettings``."""


class Declared(NamedTuple):
    """What was declared.

    Attributes:
        suite: sections of the suite's procedures, by name; they are found under ``maintenance``.
        user: those of the user's own procedures; they are found under ``maintenance.own``.
        gates: the names of gates.
    """

    suite: dict[str, SectionType]
    user: dict[str, SectionType]
    gates: dict[str, None]


_declared = Declared({}, {}, {})


def declare_section(name: str, section: SectionType, *, is_ours: bool) -> None:
    """Add a section of the settings."""
    (_declared.suite if is_ours else _declared.user)[name] = section


def declare_gate(name: str) -> None:
    """Add a gate of the release checklist; one of that name is the same gate."""
    _declared.gates[name] = None


def declared() -> Declared:
    """Return what was declared so far."""
    return _declared

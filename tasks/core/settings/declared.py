"""What procedures add to the settings by their declarations: sections of their own, and gates of the checklist.

A procedure of the suite has its section under ``maintenance``, one of the user's under ``maintenance.own``.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple, TypeAlias

from msgspec import defstruct
from msgspec.structs import fields

from ..errors import DeclarationError
from .model import GATES, Section, Settings, plain


class _Declared(NamedTuple):
    """Sections by name, of the suite and of the user, and the names of gates."""

    suite: dict[str, type[Section]]
    user: dict[str, type[Section]]
    gates: dict[str, None]


_declared = _Declared({}, {}, {})


def declare_section(name: str, section: type[Section], *, is_ours: bool) -> None:
    """Add a section, which must have a default for each of its settings.

    Raises:
        DeclarationError: it is no section, or lacks a default.
    """
    if not issubclass(section, Section):
        raise DeclarationError(f"The settings of {name} are {section!r}; expected a class derived from Section.")
    if without := [field.name for field in fields(section) if field.required]:
        raise DeclarationError(f"The settings of {name} need a default for {', '.join(without)}.")
    (_declared.suite if is_ours else _declared.user)[name] = section


def declare_gate(name: str) -> None:
    """Add a gate of the release checklist; one of that name is the same gate."""
    _declared.gates[name] = None


def gate_names() -> tuple[str, ...]:
    """Return the names of all gates: the suite's in their order, then those that the user's procedures declare."""
    return (*GATES, *(name for name in _declared.gates if name not in GATES))


def settings_type() -> type[Settings]:
    """Return the type of all settings, with the sections that were declared.

    Raises:
        DeclarationError: a section has the name of another setting.
    """
    return _settings_type(tuple(_declared.suite.items()), tuple(_declared.user.items()))


def defaults() -> dict[str, Any]:
    """Return the default tree as plain data."""
    return plain(settings_type()())


_Sections: TypeAlias = "tuple[tuple[str, type[Section]], ...]"


@cache
def _settings_type(suite: _Sections, user: _Sections) -> type[Settings]:
    taken = {field.name for field in fields(Settings)} | {"own"}
    for name, _section in suite:
        if name in taken:
            raise DeclarationError(f"The settings of a procedure cannot be called {name}: there is such a setting.")
    sections = (*suite, *((("own", _struct(Section, user, "Settings of your own procedures.")),) if user else ()))
    made: type[Settings] = _struct(Settings, sections, Settings.__doc__) if sections else Settings
    return made


def _struct(base: type[Any], sections: _Sections, doc: str | None) -> type[Any]:
    described = [(name, section, section()) for name, section in sections]
    return defstruct(
        base.__name__,
        described,
        bases=(base,),
        namespace={"__doc__": doc},
        frozen=True,
        kw_only=True,
        forbid_unknown_fields=True,
    )

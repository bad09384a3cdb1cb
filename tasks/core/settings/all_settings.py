"""The type of all settings: the suite's own, and the sections that procedures declare."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any, TypeAlias

from msgspec import defstruct
from msgspec.structs import fields

from ..errors import DeclarationError
from .declared import SectionType, declared
from .model import GATES, Section, Settings, plain

_PACKAGE = __name__.partition(".core.")[0]

_Sections: TypeAlias = "tuple[tuple[str, SectionType], ...]"


def gate_names() -> tuple[str, ...]:
    """Return the names of all gates: the suite's in their order, then those that the user's procedures declare."""
    return (*GATES, *(name for name in declared().gates if name not in GATES))


def settings_type() -> type[Settings]:
    """Return the type of all settings, with the sections that were declared.

    Raises:
        DeclarationError: a section cannot be used, or has the name of another setting.
    """
    return _settings_type(tuple(declared().suite.items()), tuple(declared().user.items()))


def defaults() -> dict[str, Any]:
    """Return the default tree as plain data."""
    return plain(settings_type()())


@cache
def _settings_type(suite: _Sections, user: _Sections) -> type[Settings]:
    known = {field.name for field in fields(Settings)} | {"own"}
    for name, _section in suite:
        if name in known:
            raise DeclarationError(f"The settings of a procedure cannot be called {name}: there is such a setting.")
    sections = [(name, _loaded(name, section)) for name, section in suite]
    if user:
        own = [(name, _loaded(name, section)) for name, section in user]
        sections.append(("own", _struct(Section, own, "Settings of your own procedures.")))
    made: type[Settings] = _struct(Settings, sections, Settings.__doc__) if sections else Settings
    return made


def _loaded(name: str, section: SectionType) -> type[Section]:
    """Return the type of a section, which must have a default for each of its settings."""
    if isinstance(section, str):
        module, _, attribute = section.partition(":")
        try:
            section = getattr(import_module(f"{_PACKAGE}.{module}"), attribute)
        except (ImportError, AttributeError) as error:
            raise DeclarationError(
                f"The settings of {name} are {section!r}, which cannot be loaded: {error}. Expected MODULE:CLASS."
            ) from None
    if not (isinstance(section, type) and issubclass(section, Section)):
        raise DeclarationError(f"The settings of {name} are {section!r}; expected a class derived from Section.")
    if without := [field.name for field in fields(section) if field.required]:
        raise DeclarationError(f"The settings of {name} need a default for {', '.join(without)}.")
    return section


def _struct(base: type[Any], sections: list[tuple[str, type[Section]]], doc: str | None) -> type[Any]:
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

"""How it is said that a setting cannot be used: which, where it came from, what was expected, what was meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import NamedTuple

from ..text.formatting import printable
from .all_settings import defaults
from .fields import SettingPath, dotted, leaves, root_node
from .sources import ENVIRONMENT_PREFIX

_KEYS_NEARBY = (("providers",), ("backups", "repositories"))
"""The sections into which people paste a key by mistake: no text from there is repeated in a message."""


class Problem(NamedTuple):
    """One setting that cannot be used: its path (``None``: it has none), where it came from, and why."""

    path: SettingPath | None
    origin: str
    message: str


def suggestion(path: SettingPath) -> str:
    """Return "; did you mean …?" for the nearest known setting or section: spelled alike, or elsewhere."""
    settings = [setting for setting, _ in leaves(defaults(), root_node())]
    known = {setting[:size] for setting in settings for size in range(1, len(setting) + 1)}
    beside = {other[-1]: other for other in sorted(known) if other[:-1] == path[:-1]}
    anywhere = {other[-1]: other for other in sorted(known, reverse=True)}
    for names, cutoff in ((beside, 0.6), (anywhere, 0.8)):
        close = difflib.get_close_matches(path[-1], names, n=1, cutoff=cutoff)
        if close:
            return f"; did you mean {dotted(names[close[0]])}?"
    return ""


def nearest_variable(name: str, known: Iterable[str]) -> str:
    """Return "; did you mean …?" for the nearest of the *known* variables."""
    own = {variable.removeprefix(ENVIRONMENT_PREFIX): variable for variable in known}
    close = difflib.get_close_matches(name.removeprefix(ENVIRONMENT_PREFIX), own, n=1, cutoff=0.7)
    return f"; did you mean {own[close[0]]}?" if close else ""


def expectation(value: object, path: SettingPath, expected: str) -> str:
    """Return that *value* cannot be used at *path*, and what was *expected* there."""
    hidden = any(path[: len(near)] == near for near in _KEYS_NEARBY) and not isinstance(value, bool | int | float)
    return f"{'the value given' if hidden else shortened(value)} cannot be used; expected {expected}"


def shortened(value: object, limit: int = 200) -> str:
    """Return *value* as Python writes it, without secrets, up to *limit* characters."""
    from ..secrets import redaction  # only where something is wrong: its patterns are compiled on import

    return redaction.shortened(repr(value), limit, redaction.redactor(), mark="…")


def sentence(problems: Iterable[Problem]) -> str:
    """Return the message that names all *problems*, each on its line."""
    lines = [
        f"{origin}: {message}" if path is None else f"{dotted(path)} ({origin}): {message}"
        for path, origin, message in dict.fromkeys(problems)
    ]
    return "\n  ".join(["The settings cannot be used; nothing was run.", *map(printable, lines)])

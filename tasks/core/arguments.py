"""Checks of command-line arguments: each takes the settings and the text, and returns what a procedure takes."""

from __future__ import annotations

import difflib
import math
from collections.abc import Sequence

from .errors import UsageError
from .settings.model import MOST_HOURS, Settings


def hours(_settings: Settings, text: str | None) -> float | None:
    """Return a number of hours, 0 or more; ``None`` where the flag was not given.

    Raises:
        UsageError: it is no such number.
    """
    if text is None:
        return None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number <= MOST_HOURS:
        raise UsageError(
            f"--older-than takes a number of hours from 0 to {MOST_HOURS}, as in --older-than=12; got {text!r}."
        )
    return number


def cache_kinds(settings: Settings, names: Sequence[str] | None) -> tuple[str, ...]:
    """Return the kinds of cache entries asked for; none where the flag was not given.

    Raises:
        UsageError: a name is no configured kind.
    """
    kinds = settings.cache.expiry_hours
    for name in names or ():
        if name not in kinds:
            close = difflib.get_close_matches(name, kinds, n=1)
            hint = f" Did you mean {close[0]}?" if close else ""
            known = ", ".join(kinds) or "none is set"
            raise UsageError(f"--kind takes a kind of maintenance.cache.expiry_hours ({known}); got {name!r}.{hint}")
    return tuple(names or ())

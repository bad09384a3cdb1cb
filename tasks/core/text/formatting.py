"""Names and numbers as people read them, made of any bytes or characters."""

from __future__ import annotations

import math
from collections.abc import Sequence

_UNITS = ("kB", "MB", "GB", "TB", "PB")


def printable(name: object) -> str:
    r"""Return *name* on one line, with everything that a terminal would obey or cannot show as an escape.

    Bytes of a file name that are no UTF-8 become ``\xNN``, control characters, line ends and marks that
    turn the direction of writing ``\n``, ``\x1b``, ``\u202e``. The result is always valid UTF-8.
    """
    text = str(name)
    return text if text.isprintable() else "".join(c if c.isprintable() else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    if "\udc80" <= character <= "\udcff":  # how Python carries a byte that is no UTF-8
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")


def listed(names: Sequence[str], total: int, most: int = 5) -> str:
    """Return the first names, printable and quoted, and how many more there are."""
    shown = ", ".join(f'"{printable(name)}"' for name in names[:most])
    rest = total - min(len(names), most)
    return f"{shown} and {rest:,} more" if rest else shown


def size(number: float) -> str:
    """Return a number of bytes with its unit, in powers of 1,000 as disks and ``df -H`` count."""
    if abs(number) < 999.5:
        return f"{number:.0f} B"
    value = number / 1000
    for unit in _UNITS[:-1]:
        if abs(value) < 999.95:
            return f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} {_UNITS[-1]}"


def duration(seconds: float) -> str:
    """Return a time span as people say it: ``12 ms``, ``3.4 s``, ``2 min 5 s``, ``1 h 3 min``."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def hours(number: float) -> str:
    """Return a number of hours as people say it: ``30 min``, ``6 h``, ``7 days``."""
    if 0 < number < 1:
        return f"{number * 60:g} min"
    return f"{number / 24:g} days" if number >= 48 and number % 24 == 0 else f"{number:g} h"


def age(seconds: float) -> str:
    """Return how long ago something was, in whole hours up to two days, then in whole days: ``5 h``, ``90 days``."""
    whole = int(seconds // 3600)
    return f"{whole} h" if whole < 48 else f"{whole // 24:,} days"


def count(number: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun: ``1 entry``, ``12,000 entries``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def percent(share: float) -> str:
    """Return a share (0 to 1) in percent, rounded down to a tenth: what misses a threshold never reads like it."""
    return f"{math.floor(share * 1000 + 1e-9) / 10:g} %"

"""How many examples a property is tried with where the default is not right for it."""

from __future__ import annotations

from hypothesis import settings


def examples(number: int) -> int:
    """Return *number*, as ``--all`` tries it, or the share of it that the profile of the short command tries."""
    return max(1, number * settings().max_examples // 100)

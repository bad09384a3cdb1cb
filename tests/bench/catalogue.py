"""Every entry, in the order in which they are measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .entries import cache_cleanup, cache_memory, listing, progress_cost
from .entry import Entry

_MAKERS = (cache_cleanup.entry, cache_memory.entry, listing.entry, progress_cost.entry)

ENTRIES: Mapping[str, Callable[[float], Entry]] = {make(1).name: make for make in _MAKERS}
"""By name, what makes the entry at a scale."""

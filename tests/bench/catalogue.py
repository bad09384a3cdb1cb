"""Every entry, in the order in which they are measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .entries import (
    backup_again,
    backup_programs,
    cache_cleanup,
    cache_memory,
    config_review,
    error_monitor,
    error_monitor_flat,
    generation_records,
    health_check,
    listing,
    log_crash,
    log_review,
    log_rotation_gzip,
    log_rotation_pigz,
    log_rotation_size,
    log_soak,
    progress_cost,
)
from .entry import Entry

_MAKERS = (
    cache_cleanup.entry,
    cache_memory.entry,
    log_review.entry,
    error_monitor.entry,
    error_monitor_flat.entry,
    log_rotation_gzip.entry,
    log_rotation_pigz.entry,
    log_rotation_size.entry,
    log_soak.entry,
    log_crash.entry,
    backup_again.entry,
    *backup_programs.MAKERS,
    generation_records.entry,
    health_check.entry,
    config_review.entry,
    listing.entry,
    progress_cost.entry,
)

ENTRIES: Mapping[str, Callable[[float], Entry]] = {make(1).name: make for make in _MAKERS}
"""By name, what makes the entry at a scale."""

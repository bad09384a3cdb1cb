"""When generations are too slow."""

from __future__ import annotations

from ..core.report.model import Status
from ..core.settings.model import GenerationSettings
from ..core.text.formatting import duration


def slowness(settings: GenerationSettings, mean: float | None) -> tuple[Status, str]:
    """Judge a mean duration in seconds; return the status and what was expected, as the end of a sentence."""
    if mean is None:
        return Status.UNKNOWN, ""
    for status, limit in ((Status.CRITICAL, settings.very_slow_seconds), (Status.WARNING, settings.slow_seconds)):
        if mean > limit:
            return status, f"; at most {duration(limit)} was expected"
    return Status.OK, ""

"""The configuration's part of ``emergency.recover``: whether the files that are there can be read at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event

from ..core.report.model import Report, Status
from ..core.settings.model import Settings
from ..core.text.formatting import count
from .file_findings import file_findings
from .inventory import take


def readable(settings: Settings, *, redact: Callable[[str], str], stop: Event) -> Report:
    """Read every configured file that is there, and report those that cannot be read; what is missing is no fault.

    Args:
        settings: the project's settings, ``root`` absolute.
        redact: takes secrets out of a text.
        stop: ends it between two files where it is set.
    """
    inventory = take(Path(settings.root), settings.configuration, stop, lambda _count: None)
    broken = [
        finding
        for finding in file_findings(inventory, redact)
        if finding.check == "configuration.readable" and finding.status.severity > Status.WARNING.severity
    ]
    return Report(summary=f"{count(len(inventory.present), 'configured file')} read", findings=broken)

"""Is there room on the disk?"""

from __future__ import annotations

from ...core.report.model import Status
from ..gate import Gate
from ..report_gate import ReportGate

REPORT_GATE = ReportGate(
    Gate("disk", "there is room on the disk"),
    "daily.health-check",
    {"system.disk": Status.CRITICAL, "system.inodes": Status.CRITICAL},
)

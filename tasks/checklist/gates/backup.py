"""Is there a recent backup that was restored and compared?"""

from __future__ import annotations

from ...core.report.model import Status
from ..gate import Gate
from ..report_gate import ReportGate

REPORT_GATE = ReportGate(
    Gate("backup", "a recent backup was verified"),
    "quarterly.backup-verification",
    {"backup.recent": Status.WARNING, "backup.": Status.CRITICAL},
)

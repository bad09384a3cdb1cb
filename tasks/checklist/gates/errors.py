"""Have no critical errors begun since the last release?"""

from __future__ import annotations

from ...core.report.model import Status
from ..gate import Gate
from ..report_gate import ReportGate

REPORT_GATE = ReportGate(
    Gate("errors", "no critical errors have begun since the last release"),
    "daily.error-monitor",
    {"errors.critical": Status.CRITICAL, "logs.": Status.CRITICAL},
)

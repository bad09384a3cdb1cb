"""Do the providers answer?"""

from __future__ import annotations

from ...core.report.model import Status
from ..gate import Gate
from ..report_gate import ReportGate

REPORT_GATE = ReportGate(
    Gate("providers", "every provider answers"), "daily.health-check", {"providers.answer": Status.CRITICAL}
)
"""A slow answer is an answer."""

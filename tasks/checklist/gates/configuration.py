"""Can the configuration be used, and is it as it was accepted?"""

from __future__ import annotations

from ...core.report.model import Status
from ..gate import Gate
from ..report_gate import ReportGate

REPORT_GATE = ReportGate(
    Gate("configuration", "the configuration can be read and has not drifted"),
    "monthly.config-review",
    {"configuration.drift": Status.WARNING, "configuration.": Status.CRITICAL},
    of_commit=True,
)
"""Of other warnings, a material without density for one, the review tells for as long as they last."""

"""Has no installed package a known vulnerability?"""

from __future__ import annotations

from ...core.report.model import Status
from ..gate import Gate
from ..report_gate import ReportGate

REPORT_GATE = ReportGate(
    Gate("dependencies", "no installed package has a known vulnerability"),
    "monthly.dependency-update",
    {
        "dependencies.audit": Status.CRITICAL,
        "dependencies.vulnerable": Status.WARNING,
        "dependencies.not-audited": Status.CRITICAL,
        "dependencies.ignore": Status.CRITICAL,
        "dependencies.environment": Status.CRITICAL,
    },
    of_commit=True,
)
"""Packages that are merely outdated keep no release back."""

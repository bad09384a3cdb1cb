"""The demonstration: problems planted, the suite at work among them, and what it found."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from ..core.report.model import Report, Status
from . import (
    cache_problems,
    capacity_problems,
    dependency_problems,
    generation_problems,
    log_problems,
    provider_problems,
)
from .planted import Planted, evaluate, keepsakes


def plant(site: Path, now: datetime) -> list[Planted]:
    """Plant all problems in the project at *site* and return them."""
    return [
        *cache_problems.plant(site, now),
        *log_problems.plant(site, now),
        *provider_problems.plant(site, now),
        *generation_problems.plant(site, now),
        *dependency_problems.plant(site),
        *capacity_problems.plant(site, now),
    ]


def demonstrate(site: Path, problems: list[Planted], run: Callable[[], list[Report]]) -> Report:
    """Let *run* work on the project at *site* and report how many of the planted problems it found."""
    before = keepsakes(site)
    with cache_problems.in_use(site), log_problems.live_writer(site) as written:
        reports = run()
    findings = [*evaluate(problems, reports, before, site), log_problems.evaluate_lines(site, written)]
    found = sum(finding.check == "demo.planted" and finding.status is Status.OK for finding in findings)
    return Report(
        summary=f"found {found} of {len(problems)} planted problems",
        findings=findings,
        data={"reports": reports},
    )

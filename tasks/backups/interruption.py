"""What is reported of a run that was asked to stop: never that all is well."""

from __future__ import annotations

import msgspec

from ..core.report.model import Finding, Report, Status


def stopped(task: str, what: str, *, dry_run: bool) -> Report:
    """Return the report on a run that stopped; *what* says what came of it."""
    return Report(summary=f"stopped; {what}", findings=[_finding(task, what)], dry_run=dry_run)


def interrupted(task: str, report: Report) -> Report:
    """Return the report of a run that was asked to stop, which says so, also where that came at its very end."""
    if any(each.check == "run.interrupted" for each in report.findings):
        return report
    finding = _finding(task, "what is reported was done by then")
    return msgspec.structs.replace(report, findings=[*report.findings, finding])


def _finding(task: str, what: str) -> Finding:
    message = f"It was asked to stop: {what}."
    return Finding(check="run.interrupted", subject=task, status=Status.UNKNOWN, message=message)

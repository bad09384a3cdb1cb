"""Defaults of the settings that nothing in the project uses."""

from __future__ import annotations

from typing import NamedTuple

from ..core.report.model import Finding, Report, Status
from ..core.text.formatting import printable


class Unused(NamedTuple):
    """Defaults that do not apply.

    Attributes:
        names: what they are called.
        reason: how that is known, as sentences.
        certain: False where not every file of the project was looked at.
    """

    names: tuple[str, ...]
    reason: str
    certain: bool

    def finding(self, check: str) -> Finding:
        """Return the finding that says so."""
        status = Status.SKIPPED if self.certain else Status.UNKNOWN
        return Finding(check=check, subject=", ".join(map(printable, self.names)), status=status, message=self.reason)

    def report(self, check: str, summary: str, *, dry_run: bool) -> Report:
        """Return the report of a procedure that has nothing else to do."""
        return Report(summary=summary, findings=[self.finding(check)], dry_run=dry_run)

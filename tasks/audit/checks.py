"""What a check of the audit is: declared beside the code that makes it, with the weight that it has in the score."""

from __future__ import annotations

from typing import NamedTuple

from ..core.report.model import Finding, Scalar, Status


class Check(NamedTuple):
    """One declared check.

    Attributes:
        name: its identifier, ``audit.`` and what is checked.
        area: to which it belongs: architecture, security, performance, data, capacity, compliance.
        weight: the points that it is worth.
        what: what is well when it is, for people.
    """

    name: str
    area: str
    weight: int
    what: str

    def finding(
        self,
        status: Status,
        subject: str,
        message: str,
        remedy: str | None = None,
        *,
        value: Scalar = None,
        unit: str | None = None,
        warning: Scalar = None,
    ) -> Finding:
        """Return a finding of this check."""
        return Finding(
            check=self.name,
            subject=subject,
            status=status,
            message=message,
            remedy=remedy,
            value=value,
            unit=unit,
            warning=warning,
        )

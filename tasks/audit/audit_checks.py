"""The checks that the audit makes itself, with the weight that each has in the score."""

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


_ARCHITECTURE = "architecture"

PLACES = Check("audit.places", _ARCHITECTURE, 3, "The files and folders that belong to the project are there.")
CYCLES = Check("audit.cycles", _ARCHITECTURE, 8, "No modules import each other in a circle.")
SIZES = Check("audit.sizes", _ARCHITECTURE, 4, "No module is larger than people can keep in mind.")
UNREFERENCED = Check("audit.unreferenced", _ARCHITECTURE, 3, "Every component is used.")

ARCHITECTURE_CHECKS = (PLACES, CYCLES, SIZES, UNREFERENCED)

SECRETS = Check("audit.secrets", "security", 10, "no secret in a file that Git tracks")
IGNORED = Check("audit.env_ignored", "security", 5, ".env is ignored by Git, and one that is tracked holds no secret")
PERMISSIONS = Check("audit.permissions", "security", 5, "keys and .env can be read by their owner only")

SECURITY_CHECKS = (SECRETS, IGNORED, PERMISSIONS)

BENCHMARKS = Check("audit.benchmarks", "performance", 4, "this machine is as fast as it was a quarter ago")

PARSES = Check("audit.data", "data", 8, "every data file can be read by its own format")
CHECKSUMS = Check("audit.checksums", "data", 6, "every data file is what it was, or somebody changed it")

DATA_CHECKS = (PARSES, CHECKSUMS)

LICENCES = Check("audit.licences", "compliance", 4, "No installed package has a licence that the project may not use.")

OWN_CHECKS = (
    *ARCHITECTURE_CHECKS,
    *SECURITY_CHECKS,
    BENCHMARKS,
    *DATA_CHECKS,
    LICENCES,
)

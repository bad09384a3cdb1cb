"""How much room there is, as the report of the machine's domain has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ..core.report.model import Report, Status

DISK, INODES = "system.disk", "system.inodes"
"""The checks on which it depends whether the disk is short."""

_USED_BYTES, _USED_INODES = "disk.used_bytes", "disk.inodes_used"


class Freed(NamedTuple):
    """What is in use no more between two measurements; less than 0 where more is in use."""

    bytes: int
    inodes: int


class Room(NamedTuple):
    """What was measured.

    Attributes:
        report: all of it, judged.
        bytes: bytes in use, by the folder that stands for a file system.
        inodes: inodes in use, in the same way.
        percent: how full the root's file system is; ``None`` where that is unknown.
        short: True where space or inodes are not ok on one of them.
    """

    report: Report
    bytes: Mapping[str, int]
    inodes: Mapping[str, int]
    percent: float | None
    short: bool

    @classmethod
    def of(cls, report: Report) -> Room:
        """Return what a report of memory and disks tells."""
        disks = [finding for finding in report.findings if finding.check in {DISK, INODES}]
        full = {finding.subject: finding.value for finding in disks if finding.check == DISK}
        percent = full.get(".")
        return cls(
            report,
            _metrics(report, _USED_BYTES),
            _metrics(report, _USED_INODES),
            float(percent) if isinstance(percent, int | float) else None,
            any(finding.status.severity > Status.SKIPPED.severity for finding in disks),
        )

    def freed_since(self, before: Room) -> Freed:
        """Return what is in use no more, whoever freed it."""
        return Freed(_less(before.bytes, self.bytes), _less(before.inodes, self.inodes))


def _metrics(report: Report, name: str) -> dict[str, int]:
    return {each.subject or ".": int(each.value) for each in report.metrics if each.name == name}


def _less(before: Mapping[str, int], after: Mapping[str, int]) -> int:
    return sum(before[name] - used for name, used in after.items() if name in before)

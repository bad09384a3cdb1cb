"""How much room there is, as the report of the machine's domain has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ..core.report import Report, Status

DISK, INODES = "system.disk", "system.inodes"
"""The checks on which it depends whether the disk is short."""

_USED = "disk.used_bytes"


class Room(NamedTuple):
    """What was measured.

    Attributes:
        report: all of it, judged.
        used: bytes in use, by the folder that stands for a file system.
        percent: how full the root's file system is; ``None`` where that is unknown.
        short: True where space or inodes are not ok on one of them.
    """

    report: Report
    used: Mapping[str, int]
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
            {each.subject or ".": int(each.value) for each in report.metrics if each.name == _USED},
            float(percent) if isinstance(percent, int | float) else None,
            any(finding.status.severity > Status.SKIPPED.severity for finding in disks),
        )

    def freed_since(self, before: Room) -> int:
        """Return the bytes that are in use no more; less than 0 where more are in use now."""
        return sum(before.used[name] - used for name, used in self.used.items() if name in before.used)

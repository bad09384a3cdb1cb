"""What is wrong with the project, and how full its disk is: measured, and nothing changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from ..core.report.model import Finding, Report, Status
from ..core.run.composition import attempt
from .broken_files import entry_findings, record_findings
from .ports import Context
from .writable_folders import folder_findings

DISK, INODES = "system.disk", "system.inodes"
"""The checks on which it depends whether the disk is short."""

_USED_BYTES, _USED_INODES = "disk.used_bytes", "disk.inodes_used"


class FreedSpace(NamedTuple):
    """What is in use no more between two measurements; less than 0 where more is in use."""

    bytes: int
    inodes: int


class DiskRoom(NamedTuple):
    """What was measured.

    Attributes:
        report: all of it, with its findings.
        bytes: bytes in use, by the folder that represents a file system.
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
    def of(cls, report: Report) -> DiskRoom:
        """Return the room that a report of memory and disks measured."""
        disks = [finding for finding in report.findings if finding.check in {DISK, INODES}]
        full = {finding.subject: finding.value for finding in disks if finding.check == DISK}
        percent = full.get(".")
        return cls(
            report,
            _metrics(report, _USED_BYTES),
            _metrics(report, _USED_INODES),
            float(percent) if isinstance(percent, int | float) else None,
            any(finding.status.severity > Status.OK.severity for finding in disks),
        )

    def freed_since(self, before: DiskRoom) -> FreedSpace:
        """Return what is in use no more, whoever freed it."""
        return FreedSpace(_less(before.bytes, self.bytes), _less(before.inodes, self.inodes))


def _metrics(report: Report, name: str) -> dict[str, int]:
    return {each.subject or ".": int(each.value) for each in report.metrics if each.name == name}


def _less(before: Mapping[str, int], after: Mapping[str, int]) -> int:
    return sum(before[name] - used for name, used in after.items() if name in before)


class Diagnosis(NamedTuple):
    """What was found: how much room there is, what the configuration is like, and everything else."""

    room: DiskRoom
    configuration: tuple[Finding, ...]
    others: tuple[Finding, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All of it but what does not apply to this machine, which says nothing of the project's state."""
        found = (*self.room.report.findings, *self.configuration, *self.others)
        return tuple(each for each in found if each.status is not Status.SKIPPED)

    @property
    def problems(self) -> tuple[Finding, ...]:
        """What is not as it should be."""
        return tuple(each for each in self.findings if is_bad(each))


def is_bad(finding: Finding) -> bool:
    """Tell whether a finding calls for something."""
    return finding.status.severity > Status.OK.severity


def measure_room(context: Context) -> DiskRoom:
    """Measure how much room there is."""
    return DiskRoom.of(attempt("memory and disks", lambda _stop: context.ports.room(), context.stop))


def diagnose(context: Context, before: Diagnosis | None = None) -> Diagnosis:
    """Look at everything; what fails in that is a finding, and the rest is looked at all the same.

    Args:
        context: the project.
        before: the first diagnosis, whose findings on the configuration are reused: recovery does not change it.
    """
    others = (
        *_findings_of("folders", folder_findings, context),
        *_findings_of("cache entries", entry_findings, context),
        *_findings_of("records", record_findings, context),
    )
    configuration = before.configuration if before else (*_findings_of("configuration", _configuration, context),)
    return Diagnosis(measure_room(context), configuration, others)


def _findings_of(name: str, look: Callable[[Context], Iterable[Finding]], context: Context) -> list[Finding]:
    if context.stop.is_set():
        return []
    return attempt(name, lambda _stop: Report(summary="", findings=[*look(context)]), context.stop).findings


def _configuration(context: Context) -> Iterable[Finding]:
    return context.ports.configuration(context.stop).findings

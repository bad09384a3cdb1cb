"""What is wrong with the project: measured and tried, and nothing changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from ..core.report.model import Finding, Report, Status
from ..core.run.composition import attempt
from .damage import entry_findings, record_findings
from .folders import folder_findings
from .ports import Context
from .room import Room


class Diagnosis(NamedTuple):
    """What was found: how much room there is, what the configuration is like, and everything else."""

    room: Room
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
    return finding.status.severity > Status.SKIPPED.severity


def measure(scene: Context) -> Room:
    """Measure how much room there is."""
    return Room.of(attempt("memory and disks", lambda _stop: scene.means.room(), scene.stop))


def diagnose(scene: Context, before: Diagnosis | None = None) -> Diagnosis:
    """Look at everything; what fails in that is a finding, and the rest is looked at all the same.

    Args:
        scene: the project.
        before: the first look, of which the configuration is taken over: nothing that recovery does changes that.
    """
    others = (
        *_look("folders", folder_findings, scene),
        *_look("cache entries", entry_findings, scene),
        *_look("records", record_findings, scene),
    )
    configuration = before.configuration if before else (*_look("configuration", _configuration, scene),)
    return Diagnosis(measure(scene), configuration, others)


def _look(name: str, look: Callable[[Context], Iterable[Finding]], scene: Context) -> list[Finding]:
    if scene.stop.is_set():
        return []
    return attempt(name, lambda _stop: Report(summary="", findings=[*look(scene)]), scene.stop).findings


def _configuration(scene: Context) -> Iterable[Finding]:
    return scene.means.configuration(scene.stop).findings

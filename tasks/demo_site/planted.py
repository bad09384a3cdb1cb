"""Planted problems: how each shows that it was found, and that nothing else was touched."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from ..core.files.json_files import read_object
from ..core.report.model import Finding, Report, Status
from ..core.text.formatting import listed

LEDGER = "verified.json"
"""What the verification of backups keeps beside them."""

STATISTICS = "cache/stats.json"
OWN_STATISTICS = {"hit_rate": 0.62, "cache_size": 1_530_000}
"""What the project itself keeps there."""


class Planted(NamedTuple):
    """One planted problem.

    Attributes:
        name: what was planted, in words.
        check: the check that must tell of it.
        subject: the subject that the finding must name; ``None`` where that cannot be known before.
        value: the number that it must have measured; ``None`` where that is for the machine to say.
        status: the status that it must have.
    """

    name: str
    check: str
    subject: str | None
    value: float | None
    status: Status

    def reported_by(self, reports: Iterable[Report]) -> str | None:
        """Return the name of the task whose report tells of the problem exactly; ``None`` where none does."""
        for report in reports:
            for finding in report.findings:
                expected = (self.check, self.subject or finding.subject, self.status)
                measured = self.value is None or finding.value == self.value
                if measured and (finding.check, finding.subject, finding.status) == expected:
                    return report.task
        return None


def _number(value: float | None) -> str:
    return "" if value is None else f": {value:,.12g}"


_CHANGING = {".git", "cache", "logs"}


def keepsakes(site: Path) -> dict[str, str]:
    """Return the digest of every file that no procedure may change: all but cache, logs and what was verified.

    What Git keeps of its own is not the project's.
    """
    return {
        str(path.relative_to(site)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(site.rglob("*"))
        if path.is_file() and path.relative_to(site).parts[0] not in _CHANGING and path.name != LEDGER
    }


def evaluate(problems: list[Planted], reports: list[Report], before: dict[str, str], site: Path) -> Iterator[Finding]:
    """Yield one finding per planted problem, and one on whether everything else is as it was."""
    for problem in problems:
        task = problem.reported_by(reports)
        yield Finding(
            check="demo.planted",
            subject=problem.name,
            status=Status.CRITICAL if task is None else Status.OK,
            message="Not found." if task is None else f"Found by {task}{_number(problem.value)}.",
        )
    after = keepsakes(site)
    changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    if not read_object(site, STATISTICS).content.items() >= OWN_STATISTICS.items():
        changed.append(STATISTICS)
    yield Finding(
        check="demo.untouched",
        subject="everything else",
        status=Status.CRITICAL if changed else Status.OK,
        message=f"Changed: {listed(changed, len(changed))}."
        if changed
        else f"{len(after)} files outside cache and logs are as they were, and so are the project's statistics.",
        value=len(changed),
        unit="files",
    )

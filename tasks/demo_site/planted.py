"""The problems planted in the demo project, and how each shows that it was found."""

from __future__ import annotations

import fcntl
import hashlib
import json
import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from ..core.json_files import read_object
from ..core.names import listed
from ..core.report import Finding, Report, Status
from .site import cache_entry

_FRESH = {"api_responses": 260, "material_data": 380, "component_cache": 140}
_EXPIRED = {"api_responses": 412, "material_data": 57, "component_cache": 203}
_HOURS = {"api_responses": 24, "material_data": 168, "component_cache": 6}
_MISPLACED = 9

_OUTSIDE = "notes/kept.txt"
_STATISTICS = "cache/stats.json"
_OWN_STATISTICS = {"hit_rate": 0.62, "cache_size": 1_530_000}
_LOCKED = "cache/api_responses/expired_locked.json"


class Planted(NamedTuple):
    """One planted problem.

    Attributes:
        name: what was planted, in words.
        check: the check that must tell of it.
        subject: the subject that the finding must name.
        value: the number that it must have measured.
        status: the status that it must have.
    """

    name: str
    check: str
    subject: str
    value: int
    status: Status

    def is_told_of(self, reports: Iterable[Report]) -> str | None:
        """Return the name of the task whose report tells of the problem exactly; ``None`` where none does."""
        for report in reports:
            for finding in report.findings:
                if (finding.check, finding.subject, finding.value, finding.status) == self[1:]:
                    return report.task
        return None


def plant(site: Path, now: datetime) -> list[Planted]:
    """Plant the problems in the project at *site* and return them."""
    chance = random.Random("cache")  # noqa: S311 - varied, not secret
    problems = []
    for kind, hours in _HOURS.items():
        for number in range(_FRESH[kind]):
            age = timedelta(hours=hours * chance.uniform(0.01, 0.95))
            cache_entry(site / f"cache/{kind}/fresh_{number:04d}.json", chance, now - age)
        for number in range(_EXPIRED[kind]):
            age = timedelta(hours=hours * chance.uniform(1.05, 20))
            cache_entry(site / f"cache/{kind}/expired_{number:04d}.json", chance, now - age)
        name = f"expired entries in {kind}"
        problems.append(Planted(name, "cache.expired", f"cache/{kind}", _EXPIRED[kind], Status.OK))
    return [*problems, *_plant_oddities(site, now, chance)]


def _plant_oddities(site: Path, now: datetime, chance: random.Random) -> Iterator[Planted]:
    hour = timedelta(hours=1)
    yield Planted("folder cache/temp missing", "cache.structure", "cache", 1, Status.OK)

    for number in range(_MISPLACED):
        cache_entry(site / f"cache/api_loose_{number}.json", chance, now - hour)
    yield Planted("files lying loose in the cache", "cache.misplaced", "cache", _MISPLACED, Status.OK)

    cache_entry(site / "cache/material_twice.json", chance, now - hour)
    cache_entry(site / "cache/material_data/material_twice.json", chance, now - 2 * hour)
    yield Planted("a loose file whose name is taken at home", "cache.misplaced", "cache", 1, Status.WARNING)

    cache_entry(site / "cache/component_cache/from_the_future.json", chance, now + 48 * hour)
    yield Planted("an entry dated in the future", "cache.future", "cache/component_cache", 1, Status.WARNING)

    outside = site / _OUTSIDE
    outside.parent.mkdir()
    outside.write_text("A link in the cache leads here; nobody may follow it to delete this.\n")
    (site / "cache/material_data/linked.json").symlink_to(outside)
    yield Planted("a link that leads out of the cache", "cache.special", "cache/material_data", 1, Status.OK)

    cache_entry(site / _LOCKED, chance, now - 100 * hour)
    yield Planted("an expired entry that a process has locked", "cache.locked", "cache/api_responses", 1, Status.OK)

    (site / _STATISTICS).write_text(json.dumps(_OWN_STATISTICS))


@contextmanager
def in_use(site: Path) -> Iterator[None]:
    """Hold the lock on the planted entry that is in use while the suite runs."""
    with (site / _LOCKED).open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def keepsakes(site: Path) -> dict[str, str]:
    """Return the digest of every file that no procedure may change: all but cache and logs."""
    return {
        str(path.relative_to(site)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(site.rglob("*"))
        if path.is_file() and path.relative_to(site).parts[0] not in {"cache", "logs"}
    }


def judge(problems: list[Planted], reports: list[Report], before: dict[str, str], site: Path) -> Iterator[Finding]:
    """Yield one finding per planted problem, and one on whether everything else is as it was."""
    for problem in problems:
        task = problem.is_told_of(reports)
        yield Finding(
            check="demo.planted",
            subject=problem.name,
            status=Status.CRITICAL if task is None else Status.OK,
            message="Not found." if task is None else f"Found by {task}: {problem.value:,}.",
        )
    after = keepsakes(site)
    changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    if not read_object(site, _STATISTICS).content.items() >= _OWN_STATISTICS.items():
        changed.append(_STATISTICS)
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


def demonstrate(site: Path, problems: list[Planted], run: Callable[[], list[Report]]) -> Report:
    """Let *run* work on the project at *site* and report how many of the planted problems it found."""
    before = keepsakes(site)
    with in_use(site):
        reports = run()
    findings = list(judge(problems, reports, before, site))
    found = sum(finding.check == "demo.planted" and finding.status is Status.OK for finding in findings)
    return Report(
        summary=f"found {found} of {len(problems)} planted problems",
        findings=findings,
        data={"reports": reports},
    )

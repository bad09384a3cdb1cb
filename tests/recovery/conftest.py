"""A project, and stand-ins for what other domains do for its recovery."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import msgspec
import pytest

from tasks.core.report.model import Action, Finding, Metric, Report, Status
from tasks.core.settings.model import Settings
from tasks.recovery.ports import STEPS, Context, Ports

NOW = datetime(2026, 11, 26, 12, 0, 0, tzinfo=UTC)
TOTAL = 1000


def room(used: int = 500, inodes: int = 10, status: Status | None = None) -> Report:
    """Return the report of a disk of 1,000 bytes: critical above 900, as the machine's domain has it."""
    status = status or (Status.CRITICAL if used > 900 else Status.OK)
    full = Finding(
        check="system.disk", subject=".", status=status, message=f"{used} used.", value=used / 10, remedy="Run others."
    )
    few = Status.CRITICAL if inodes > 90 else Status.OK
    return Report(
        summary="disk",
        findings=[full, Finding(check="system.inodes", subject=".", status=few, message=f"{inodes} inodes.")],
        metrics=[
            Metric(name="disk.used_bytes", value=used, unit="B", subject="."),
            Metric(name="disk.inodes_used", value=inodes, unit="inodes", subject="."),
        ],
    )


def report_of(task: str, status: Status = Status.OK, *, actions: list[Action] | None = None, ago: float = -1) -> Report:
    """Return what a procedure reports that began so many seconds ago."""
    finding = Finding(check=f"{task}.check", subject="x", status=status, message="m")
    started = (NOW - timedelta(seconds=ago)).isoformat()
    return Report(task=task, summary=f"{task} ran", findings=[finding], actions=actions or [], started=started)


@dataclass
class Others:
    """The stand-ins: a disk, and what each procedure returns in turn and frees.

    Attributes:
        used: bytes in use.
        inodes: inodes in use.
        cleanings: per call, the report and the bytes that it frees; the last one stays.
        rotations: the same for the rotation.
        planned: what clearing would delete.
        calls: what was called, in order.
    """

    used: int = 500
    inodes: int = 10
    cleanings: list[tuple[Report, int]] = field(default_factory=lambda: [(report_of("weekly.cache-cleanup"), 0)])
    rotations: list[tuple[Report, int]] = field(default_factory=lambda: [(report_of("weekly.log-rotation"), 0)])
    planned: tuple[Action, ...] = ()
    calls: list[tuple[Any, ...]] = field(default_factory=list)

    def room(self) -> Report:
        return room(self.used, self.inodes)

    def clean(self, everything: bool, again: bool) -> Report:  # noqa: FBT001 - as the collection's
        self.calls.append(("clean", everything, again))
        return self._next(self.cleanings)

    def rotate(self, again: bool) -> Report:  # noqa: FBT001 - as the collection's
        self.calls.append(("rotate", again))
        return self._next(self.rotations)

    def _next(self, outcomes: list[tuple[Report, int]]) -> Report:
        report, freed = outcomes[0] if len(outcomes) == 1 else outcomes.pop(0)
        self.used -= freed
        return report

    def providers(self, _stop: Event) -> Report:
        self.calls.append(("providers",))
        finding = Finding(check="providers.answer", subject="deepseek", status=Status.OK, message="well")
        return Report(summary="1 of 1", findings=[finding], data={"providers": [{"a": 1}]})

    def ports(self, records: Mapping[str, str]) -> Ports:
        return Ports(
            room=self.room,
            configuration=lambda _stop: Report(summary=""),
            plan_clearing=lambda: Report(summary="", actions=[*self.planned]),
            clean=self.clean,
            rotate=self.rotate,
            providers=self.providers,
            records=records,
        )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with all its folders."""
    root = tmp_path.resolve() / "project"
    for folder in ("logs", "cache/api_responses", "cache/material_data", "cache/component_cache", "cache/temp"):
        (root / folder).mkdir(parents=True)
    return root


@pytest.fixture
def others() -> Others:
    """The stand-ins, with a disk that is half full."""
    return Others()


@pytest.fixture
def context(root: Path, others: Others) -> Callable[..., Context]:
    """Makes a context; every attribute of it can be given."""

    def make(*, records: Mapping[str, str] | None = None, limit: float = 1000, **changes: Any) -> Context:
        plain = Settings(root=str(root))
        logs = msgspec.structs.replace(plain.logs, emergency_total_mb=limit)
        settings = msgspec.structs.replace(plain, logs=logs)
        ports = others.ports(records or {})
        made = Context(settings, ports, STEPS, yes=True, ask=None, now=NOW, stop=Event(), dry_run=False)
        return made._replace(**changes)

    return make

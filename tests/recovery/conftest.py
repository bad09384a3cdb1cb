"""A project in need, and what others would do for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from tasks.core.report import Finding, Metric, Report, Status
from tasks.core.settings.model import Settings
from tasks.recovery.means import STEPS, Means, Scene

NOW = datetime(2026, 11, 26, 2, 0, tzinfo=UTC)
MEGABYTE = 1_000_000

Site = Callable[..., Scene]


def room(used: int, status: Status = Status.OK, *, inodes: int = 5) -> Report:
    """Return what the machine's domain tells of a disk of 100 MB."""
    disk = Finding(check="system.disk", subject=".", status=status, message="The disk.", value=used / MEGABYTE)
    metrics = [
        Metric(name="disk.used_bytes", value=used, unit="B", subject="."),
        Metric(name="disk.inodes_used", value=inodes, unit="inodes", subject="."),
    ]
    return Report(summary="", findings=[disk], metrics=metrics)


def well(summary: str = "done") -> Report:
    return Report(task="weekly.some-procedure", summary=summary)


@pytest.fixture
def scene(tmp_path: Path) -> Site:
    """Return what makes a scene, in which others find and do nothing unless told otherwise."""
    settings = Settings(root=str(tmp_path))

    def make(**changed: Any) -> Scene:
        means: dict[str, Any] = {
            "room": lambda: room(50 * MEGABYTE),
            "configuration": lambda _stop: well(),
            "plan_clearing": well,
            "clean": lambda _everything, _anew: well(),
            "rotate": lambda _anew: well(),
            "providers": lambda _stop: well(),
            "records": {},
        }
        own: dict[str, Any] = {
            "settings": settings,
            "steps": STEPS,
            "yes": True,
            "ask": None,
            "now": NOW,
            "stop": Event(),
            "dry_run": False,
        }
        means |= {name: value for name, value in changed.items() if name in means}
        own |= {name: value for name, value in changed.items() if name in own}
        return Scene(means=Means(**means), **own)

    return make

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from types import SimpleNamespace

import pytest

from tasks.capacity.capacity_planning import plan
from tasks.core.report.model import Status
from tasks.core.settings.loading import load
from tasks.core.settings.sources import Level, Sources
from tasks.demo_site import audit_problems, capacity_problems, demo_project

NOW = datetime(2025, 6, 2, 12, 0, 0, tzinfo=UTC)


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    demo_project.build_demo_project(tmp_path / "demo-site", NOW)
    (tmp_path / "demo-site" / ".env").write_text("KEY=a-key-of-nobody\n")
    return tmp_path / "demo-site"


@pytest.mark.parametrize(
    ("used", "expected"),
    [(0.005, Status.WARNING), (0.3, Status.WARNING), (0.89, Status.WARNING), (0.95, Status.CRITICAL)],
)
def test_a_disk_that_fills_is_found_however_full_it_is(
    demo: Path, monkeypatch: pytest.MonkeyPatch, used: float, expected: Status
) -> None:
    blocks = 10_000_000
    free = round(blocks * (1 - used))
    space = {"f_blocks": blocks, "f_bfree": free, "f_bavail": free, "f_frsize": 4096}
    inodes = {"f_files": 0, "f_ffree": 0, "f_favail": 0}
    status = SimpleNamespace(**space, **inodes)
    monkeypatch.setattr(os, "statvfs", lambda _path: status)
    problems = list(capacity_problems.plant(demo, NOW))
    values = {"root": str(demo), "capacity": capacity_problems.SETTINGS}
    settings = load(Sources([], {}, [Level("demo", values)], demo)).settings
    found = plan(settings, now=NOW, stop=Event(), frees={}).findings
    statuses = {each.subject: each.status for each in found if each.check == "capacity.forecast"}
    assert {each.subject: each.status for each in problems} == {"disk": expected, "logs": Status.OK}
    assert (statuses["disk"], statuses["logs"]) == (expected, Status.OK)


def test_without_git_no_secret_is_planted(demo: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert [each.check for each in audit_problems.plant(demo)] == ["audit.cycles", "audit.permissions"]

"""A project whose generation record says what a test wants it to."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tasks.core.report.model import Finding, Report
from tasks.core.settings.model import GenerationSettings, Settings
from tasks.generation.entry_times import DAY, Periods
from tasks.generation.generation_months import compare_months
from tasks.generation.generation_records import Records, read_records
from tasks.generation.generation_tally import Fault
from tasks.generation.recent_generations import review_recent

NOW = datetime(2025, 6, 2, 12, 0, 0, tzinfo=UTC)
NOW_SECONDS = NOW.timestamp()
FILE = "logs/performance.json"


def periods() -> Periods:
    """Return the two spans of 30 days before :data:`NOW`."""
    return Periods((NOW_SECONDS - 60 * DAY, NOW_SECONDS - 30 * DAY), NOW_SECONDS)


def ago(**span: float) -> str:
    """Return a moment so long before :data:`NOW`."""
    return (NOW - timedelta(**span)).isoformat()


def entry(component: str = "caption", duration: Any = 2.0, *, success: Any = True, **more: Any) -> dict[str, Any]:
    """Return an entry of an hour ago."""
    return {"timestamp": ago(hours=1), "component": component, "duration": duration, "success": success, **more}


def entries(
    number: int, component: str = "caption", *, failed: int = 0, days: float = 1, **more: Any
) -> list[dict[str, Any]]:
    """Return entries so many days old, the first of them failed."""
    return [
        entry(component, success=place >= failed, **{"timestamp": ago(days=days), **more}) for place in range(number)
    ]


class Project:
    """A project whose record is read and judged at :data:`NOW`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.settings = Settings(root=str(root))
        (root / "logs").mkdir()

    @property
    def file(self) -> Path:
        """The record."""
        return self.root / FILE

    def set_limits(self, **values: Any) -> None:
        """Give settings of the generation other values."""
        generation: GenerationSettings = msgspec.structs.replace(self.settings.generation, **values)
        self.settings = msgspec.structs.replace(self.settings, generation=generation)

    def write(self, content: Any) -> None:
        """Write the record: bytes or a text as they are, anything else as JSON."""
        text = content if isinstance(content, str | bytes) else json.dumps(content)
        self.file.write_bytes(text if isinstance(text, bytes) else text.encode())

    def read(self, content: Any = None) -> Records:
        """Read the record, written first where there is a *content*."""
        if content is not None:
            self.write(content)
        return read_records(self.root, FILE, periods())

    def recent(self, content: Any = None, **options: Any) -> Report:
        """Judge the last hours, of *content* where there is one."""
        if content is not None:
            self.write(content)
        return review_recent(self.settings, now=NOW, **options)

    def compare(self, content: Any = None, **options: Any) -> Report:
        """Compare the months, of *content* where there is one."""
        if content is not None:
            self.write(content)
        return compare_months(self.settings, now=NOW, **options)


def kept(records: Records) -> dict[str, int]:
    """Return how many entries of the last 30 days were kept, by component."""
    return {name: group.count for (period, name), group in sorted(records.tally.groups.items()) if period == 2}


def faults(records: Records) -> dict[Fault, int]:
    """Return how often each fault was met."""
    return {fault: noted.count for fault, noted in records.tally.faults.items()}


def found(report: Report, check: str, subject: str | None = None) -> Finding:
    """Return the one finding of *check* (about *subject*)."""
    (finding,) = every(report, check, subject)
    return finding


def every(report: Report, check: str, subject: str | None = None) -> list[Finding]:
    """Return all findings of *check* (about *subject*)."""
    return [one for one in report.findings if one.check == check and subject in {None, one.subject}]


def metrics(report: Report) -> dict[str, float]:
    """Return the metrics by name."""
    return {metric.name: metric.value for metric in report.metrics}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let local time be that of Berlin, which is put forward in March and back in October."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
        time.tzset()
        yield
    time.tzset()

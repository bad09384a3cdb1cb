"""A project with reports that were written on the days before."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tasks.capacity.recorded_sizes import History, read_history
from tasks.core.settings.model import Settings

NOW = datetime(2026, 11, 26, 12, 0, 0, tzinfo=UTC)


class Project:
    """A project below *root* at :data:`NOW`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.settings = Settings(root=str(root))

    def moment(self, ago: float) -> str:
        """Return a moment so many days ago."""
        return (NOW - timedelta(days=ago)).isoformat()

    def write(self, path: str, content: object) -> Path:
        """Write a file in the log folder, bytes as they are and anything else as JSON."""
        file = self.root / "logs" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return file

    def report(self, folder: str, ago: float, *runs: Mapping[str, Any]) -> Path:
        """Write the report of a day."""
        day = NOW - timedelta(days=ago)
        return self.write(f"{folder}/{folder.removesuffix('s')}_{day:%Y%m%d}.json", {"schema": 1, "runs": [*runs]})

    def health(self, ago: float, **figures: object) -> Path:
        """Write the report of a health check: *used_bytes* and *inodes_used* of the disk."""
        named = {f"disk.{name} .": value for name, value in figures.items()}
        return self.report("health_reports", ago, {"started": self.moment(ago), "figures": named})

    def planned(self, *measured: tuple[float, Mapping[str, object]]) -> Path:
        """Write the report of a quarter's plannings: how many days ago, and the figures."""
        runs = [{"started": self.moment(ago), "figures": figures} for ago, figures in measured]
        return self.write("capacity_reports/capacity_2026Q4.json", {"schema": 1, "runs": runs})

    def history(self, days: float = 180) -> History:
        """Read all of it at :data:`NOW`."""
        return read_history(self.root, "logs", "backups", now=NOW, days=days)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    root = tmp_path.resolve() / "project"
    root.mkdir()
    return Project(root)

"""What keeps the demo project from being released: work that is not committed, a version too new, a test that fails."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..core.report.model import Status
from .demo_project import VERSION
from .planted import Planted

SETTINGS = {"test_command": "python -m unittest discover -q -s tests"}
"""The demo project's environment has no other program for tests."""

_NEXT = "1.3.0"
_TEST = "tests/test_writer.py"


def plant(site: Path) -> Iterator[Planted]:
    """Plant them in the project at *site*, in whose repository nothing is committed yet, and yield them."""
    _replace(site / "pyproject.toml", VERSION, _NEXT)
    yield Planted("a version that the changelog lacks", "release.version", "version", None, Status.CRITICAL)

    _replace(site / _TEST, '"laser cleaning"', '"laser welding"')
    yield Planted("a test that fails", "release.tests", "tests", None, Status.CRITICAL)

    if (site / ".git").is_dir():
        yield Planted("work that is not committed", "release.tree", "tree", None, Status.CRITICAL)


def _replace(path: Path, old: str, new: str) -> None:
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")

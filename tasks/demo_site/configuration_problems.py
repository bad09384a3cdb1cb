"""The problems planted in the demo project's configuration, after its state was accepted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..core.report.model import Status
from .demo_project import WITHOUT_DENSITY
from .planted import Planted

_SETTINGS = "config/settings.py"
_TWICE = "components/caption/config/caption.yaml"
_BROKEN = "components/table/config/table.yaml"


def plant(site: Path) -> Iterator[Planted]:
    """Plant them in the project at *site*, whose state was accepted before, and yield them."""
    settings = (site / _SETTINGS).read_text(encoding="utf-8")
    (site / _SETTINGS).write_text(settings.replace("TIMEOUT_SECONDS = 30", "TIMEOUT_SECONDS = 300"), encoding="utf-8")
    _append(site / _TWICE, "retries: 3\n")
    _append(site / _BROKEN, "columns: [property, value\n")
    _append(site / ".env", "DEMO_WEBHOOK_TOKEN=demo-hook-0123456789\n")

    yield Planted("a value that drifted", "configuration.drift", _SETTINGS, 1, Status.WARNING)
    yield Planted("a key that stands twice", "configuration.readable", _TWICE, None, Status.WARNING)
    yield Planted("YAML that cannot be read", "configuration.readable", _BROKEN, None, Status.CRITICAL)
    yield Planted("a variable that the example lacks", "configuration.environment", ".env", 1, Status.WARNING)
    yield Planted("a name that differs by case", "configuration.case", "data/Materials.yaml", None, Status.WARNING)
    name = "materials without density"
    yield Planted(name, "configuration.required", "data/materials.yaml density", WITHOUT_DENSITY, Status.WARNING)


def _append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(text)

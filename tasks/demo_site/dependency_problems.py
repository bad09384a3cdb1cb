"""The problems planted in what the demo project requires: an environment, an index and an advisory service."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ..core.report.model import Status
from .package_index import OfferedFile, package_index
from .planted import Planted
from .vulnerability_service import KnownVulnerability, vulnerability_service
from .wheels import unpack, wheel

_INSTALLED = {"demo-widget": "1.0", "demo-parser": "1.4", "demo-internal": "0.3"}
_RELEASES = {"demo-widget": ("1.0", "1.1"), "demo-parser": ("1.4", "1.4.1")}
"""What the index has; of the internal package it knows nothing."""

_VULNERABILITY = KnownVulnerability(
    "demo-parser", "DEMO-2026-0001", fixed="1.4.1", summary="A crafted prompt is executed"
)
_AGE_DAYS = 90


@contextmanager
def serving(now: datetime) -> Iterator[dict[str, Any]]:
    """Serve an index and an advisory service until the block ends, and give the settings that lead to them."""
    wheels = [wheel(name, version) for name, versions in _RELEASES.items() for version in versions]
    files = {name: OfferedFile(content, now - timedelta(days=_AGE_DAYS)) for name, content in wheels}
    expired: Mapping[str, str] = {
        "id": _VULNERABILITY.id,
        "package": _VULNERABILITY.package,
        "reason": "no prompt comes from outside",
        "until": (now - timedelta(days=1)).date().isoformat(),
    }
    with package_index(files) as index, vulnerability_service([_VULNERABILITY]) as service:
        yield {"index_url": index.url, "osv_url": service.url, "ignore": [expired]}


def plant(site: Path) -> Iterator[Planted]:
    """Make the project's environment, without pip, and yield what is wrong in it."""
    environment = site / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    (packages,) = (environment / "lib").glob("python*/site-packages")
    for name, version in _INSTALLED.items():
        unpack(wheel(name, version)[1], packages)
    yield Planted("an outdated package", "dependencies.outdated", "demo-widget", None, Status.WARNING)
    yield Planted("a vulnerable package", "dependencies.vulnerable", "demo-parser", 1, Status.CRITICAL)
    ignored = f"{_VULNERABILITY.package} {_VULNERABILITY.id}"
    yield Planted("an acceptance that has expired", "dependencies.ignore", ignored, None, Status.WARNING)
    yield Planted("a package that nobody audits", "dependencies.not-audited", "demo-internal", 1, Status.UNKNOWN)

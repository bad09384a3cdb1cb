"""What providers, reviews, audit and checklist write down."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

from ..projects import Place, put
from ..scenario import Inv

_BASELINE = "logs/config_baseline.json"


def times_lost(place: Place) -> Iterator[str]:
    """Yield whether measurements of the providers are gone."""
    measured = json.loads((place.project / "logs/api_performance.json").read_bytes())
    if len(measured) < 20:
        yield f"of 20 measurements of the providers {len(measured)} are left"


def not_measured(place: Place) -> Iterator[str]:
    """Yield whether the measurement was not added."""
    if len(json.loads((place.project / "logs/api_performance.json").read_bytes())) <= 20:
        yield "the measurement of the providers is not added"


def accept_first(place: Place, inv: Inv) -> None:
    """Accept a baseline and change the configuration; a password comes into it."""
    inv(place, "monthly.config-review", "--accept")
    put(place.project / "config/settings.py", "RETRIES = 2\nLIMITS = {'words': 2}\nPASSWORD = 'hunter2hunter2'\n")


def not_accepted(place: Place) -> Iterator[str]:
    """Yield what the acceptance has not written."""
    baseline = place.project / _BASELINE
    if not baseline.exists() or not (place.project / f"{_BASELINE}.key").exists():
        yield "there is no baseline"
    elif "PASSWORD" not in baseline.read_text():
        yield "the baseline is that of before"


def secret_written(place: Place) -> Iterator[str]:
    """Yield which file of the logs holds the password."""
    for path in (place.project / "logs").rglob("*"):
        if path.is_file() and path.suffix != ".gz" and b"hunter2hunter2" in path.read_bytes():
            yield f"{path.name} holds a secret"


def _commit(place: Place, _inv: Inv) -> None:
    put(place.project / ".gitignore", "/logs/\n/cache/\n/backups/\n/.maintenance*\n")
    put(place.project / "pyproject.toml", '[project]\nname = "campaign"\nversion = "1.0.0"\n')
    put(place.project / "CHANGELOG.md", "# Changelog\n\n## [1.0.0] - 2026-01-31\n\n- The first.\n")
    git = ("git", "-C", str(place.project), "-c", "user.name=A", "-c", "user.email=a@example.com")
    for arguments in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-q", "-m", "All")):
        subprocess.run([*git, *arguments], check=True)


def committed_and_backed_up(place: Place, inv: Inv) -> None:
    """Make the project a repository of Git with a backup."""
    _commit(place, inv)
    inv(place, "backup.create")


def no_audit_page(place: Place) -> Iterator[str]:
    """Yield whether the audit's page is missing."""
    if not [*(place.project / "logs/audit_reports").glob("*.md")]:
        yield "the audit has no page"


def no_checklist_page(place: Place) -> Iterator[str]:
    """Yield whether the checklist's page is missing."""
    if not [*(place.project / "logs/release_reports").glob("*.md")]:
        yield "the checklist has no page"

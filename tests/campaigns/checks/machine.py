"""The schedule's entries in the machine, and what is written beside ``tasks.py``."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from ..projects import Place
from ..scenario import REPOSITORY, Inv, copy_suite

_JOBS = "home/.config/systemd/user"
_AGENTS = "home/Library/LaunchAgents"
_TABLE = "5 5 * * * echo mine\n"


def user_has_crontab(place: Place, _inv: Inv) -> None:
    """Write a line of the user's own."""
    place.crontab.write_text(_TABLE)


def no_line(place: Place) -> Iterator[str]:
    """Yield whether the crontab lacks the job, or has it twice."""
    if place.crontab.read_text().count("schedule.due --quiet") != 1:
        yield "the crontab has not the one line of the job"


def table_lost(place: Place) -> Iterator[str]:
    """Yield whether the user's own line is gone."""
    if _TABLE not in place.crontab.read_text():
        yield "the user's own line of the crontab is gone"


def no_timer(place: Place) -> Iterator[str]:
    """Yield whether service or timer are missing."""
    if len([*(place.folder / _JOBS).glob("maintenance-project-*.*")]) != 2:
        yield "service and timer are not there"


def no_agent(place: Place) -> Iterator[str]:
    """Yield whether the agent is missing."""
    if not [*(place.folder / _AGENTS).glob("maintenance-project-*.plist")]:
        yield "the agent is not there"


def installed_twice(place: Place, inv: Inv) -> None:
    """Install the job in every way."""
    user_has_crontab(place, inv)
    for way in ("--cron", "--systemd", "--launchd"):
        inv(place, "schedule.install", way)


def still_installed(place: Place) -> Iterator[str]:
    """Yield where the job still is."""
    if "schedule.due" in place.crontab.read_text():
        yield "the crontab has the job still"
    if [*(place.folder / _JOBS).rglob("maintenance-*"), *(place.folder / _AGENTS).glob("maintenance-*")]:
        yield "a manager has the job still"


def copied(place: Place, _inv: Inv) -> None:
    """Make a copy of the suite's folder without settings."""
    copy_suite(place)


def no_settings(place: Place) -> Iterator[str]:
    """Yield whether the settings are not written."""
    path = place.suite / "invoke.yaml"
    if not path.exists() or path.read_text().count("\n") < 100:
        yield "the settings are not written"


def copy_with_settings(place: Place, inv: Inv) -> None:
    """Make a copy of the suite's folder."""
    copied(place, inv)
    shutil.copy(REPOSITORY / "invoke.yaml", place.suite)


def no_demo(place: Place) -> Iterator[str]:
    """Yield whether the demo's project is missing."""
    if not (place.suite / "demo-site/logs/maintenance_history.jsonl").exists():
        yield "the demo's project is not there"

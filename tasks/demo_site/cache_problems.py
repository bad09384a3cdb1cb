"""The problems planted in the demo project's cache."""

from __future__ import annotations

import fcntl
import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from ..core.report.model import Status
from .demo_project import cache_entry
from .planted import OWN_STATISTICS, STATISTICS, Planted

_FRESH = {"api_responses": 260, "material_data": 380, "component_cache": 140}
_EXPIRED = {"api_responses": 412, "material_data": 57, "component_cache": 203}
_HOURS = {"api_responses": 24, "material_data": 168, "component_cache": 6}
_MISPLACED = 9

_OUTSIDE = "notes/kept.txt"
_LOCKED = "cache/api_responses/expired_locked.json"


def plant(site: Path, now: datetime) -> list[Planted]:
    """Plant them in the project at *site* and return them."""
    chance = random.Random("cache")  # noqa: S311 - varied, not secret
    problems = []
    for kind, hours in _HOURS.items():
        for number in range(_FRESH[kind]):
            age = timedelta(hours=hours * chance.uniform(0.01, 0.95))
            cache_entry(site / f"cache/{kind}/fresh_{number:04d}.json", chance, now - age)
        for number in range(_EXPIRED[kind]):
            age = timedelta(hours=hours * chance.uniform(1.05, 20))
            cache_entry(site / f"cache/{kind}/expired_{number:04d}.json", chance, now - age)
        name = f"expired entries in {kind}"
        problems.append(Planted(name, "cache.expired", f"cache/{kind}", _EXPIRED[kind], Status.OK))
    return [*problems, *_plant_oddities(site, now, chance)]


def _plant_oddities(site: Path, now: datetime, chance: random.Random) -> Iterator[Planted]:
    hour = timedelta(hours=1)
    yield Planted("folder cache/temp missing", "cache.structure", "cache", 1, Status.OK)

    for number in range(_MISPLACED):
        cache_entry(site / f"cache/api_loose_{number}.json", chance, now - hour)
    yield Planted("files lying loose in the cache", "cache.misplaced", "cache", _MISPLACED, Status.OK)

    cache_entry(site / "cache/material_twice.json", chance, now - hour)
    cache_entry(site / "cache/material_data/material_twice.json", chance, now - 2 * hour)
    yield Planted("a loose file whose name is taken at home", "cache.misplaced", "cache", 1, Status.WARNING)

    cache_entry(site / "cache/component_cache/from_the_future.json", chance, now + 48 * hour)
    yield Planted("an entry dated in the future", "cache.future", "cache/component_cache", 1, Status.WARNING)

    outside = site / _OUTSIDE
    outside.parent.mkdir()
    outside.write_text("A link in the cache leads here; nobody may follow it to delete this.\n")
    (site / "cache/material_data/linked.json").symlink_to(outside)
    yield Planted("a link that leads out of the cache", "cache.special", "cache/material_data", 1, Status.OK)

    cache_entry(site / _LOCKED, chance, now - 100 * hour)
    yield Planted("an expired entry that a process has locked", "cache.locked", "cache/api_responses", 1, Status.OK)

    (site / STATISTICS).write_text(json.dumps(OWN_STATISTICS))


@contextmanager
def in_use(site: Path) -> Iterator[None]:
    """Hold the lock on the planted entry that is in use while the suite runs."""
    with (site / _LOCKED).open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield

"""What clean-up, rotation, reviews and recovery do to the cache and the logs."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Iterator

from ..projects import Place, expired_entries, fresh_entries, put
from ..scenario import Inv


def cache_not_clean(place: Place) -> Iterator[str]:
    """Yield what the clean-up has not done."""
    if any(path.exists() for path in expired_entries(place.project)):
        yield "an expired entry is still there"
    if not (place.project / "cache/api_responses/api_loose.json").exists():
        yield "the loose file is not in its place"
    if "maintenance" not in json.loads((place.project / "cache/stats.json").read_bytes()):
        yield "the statistics are not brought up to date"
    if not [*(place.project / "logs/cache_reports").glob("*.json")]:
        yield "the clean-up's report is not there"


def cache_lost(place: Place) -> Iterator[str]:
    """Yield what of the cache is gone that had not expired."""
    if gone := [path.name for path in fresh_entries(place.project) if not path.exists()]:
        yield f"fresh entries are gone: {gone}"
    loose = ("cache/api_loose.json", "cache/api_responses/api_loose.json")
    if not any((place.project / path).exists() for path in loose):
        yield "the loose file is gone"
    yield from statistics_lost(place)


def statistics_lost(place: Place) -> Iterator[str]:
    """Yield whether the project's own part of the statistics is gone."""
    statistics = json.loads((place.project / "cache/stats.json").read_bytes())
    if (statistics.get("hit_rate"), statistics.get("mine")) != (0.5, [1, 2, 3]):
        yield "the project's own statistics are gone"


def not_rotated(place: Place) -> Iterator[str]:
    """Yield which log has no new archive."""
    names = [path.name for path in (place.project / "logs/archive").rglob("*.gz")]
    for log in ("idle", "live"):
        if not any(name.startswith(f"{log}_") and "20200101" not in name for name in names):
            yield f"{log}.log has no new archive"


def _rotated_idle(place: Place) -> Iterator[str]:
    yield from (each for each in not_rotated(place) if "idle" in each)


def old_archive_there(place: Place) -> Iterator[str]:
    """Yield what a rotation has not done, with the deletion of an archive past its time."""
    yield from not_rotated(place)
    if [*(place.project / "logs/archive").rglob("idle_20200101.log.gz")]:
        yield "the archive of 2020 is still there"


def archives_whole(place: Place) -> Iterator[str]:
    """Yield which archive is torn."""
    for path in (place.project / "logs/archive").rglob("*.gz"):
        try:
            gzip.decompress(path.read_bytes())
        except (OSError, EOFError) as error:
            yield f"{path.name} is no whole archive: {error}"


def errors_not_tracked(place: Place) -> Iterator[str]:
    """Yield what the error monitor has not written."""
    path = place.project / "logs/error_tracking.json"
    if not path.exists() or not json.loads(path.read_bytes())["groups"]:
        yield "the errors are not tracked"
    if not [*(place.project / "logs/alerts").glob("*.json")]:
        yield "there is no alert"


def not_reviewed(place: Place) -> Iterator[str]:
    """Yield what the log review has not done."""
    if not (place.project / "logs/log_review.json").exists():
        yield "the sizes of the logs are not recorded"
    yield from _rotated_idle(place)


def break_cache(place: Place, _inv: Inv) -> None:
    """Leave a temporary file and take away a folder."""
    put(place.project / "logs/.maintenance-tmp", "7" * 1000)
    shutil.rmtree(place.project / "cache/temp")


def not_recovered(place: Place) -> Iterator[str]:
    """Yield what the recovery has not put right."""
    if not (place.project / "cache/temp").is_dir():
        yield "a folder of the cache is not made again"
    if [*(place.project / "cache/component_cache").iterdir()]:
        yield "the cache is not cleared"


def due_not_done(place: Place) -> Iterator[str]:
    """Yield what of the procedures that were due is not done."""
    yield from cache_not_clean(place)
    yield from not_rotated(place)

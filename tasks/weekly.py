"""Every week: clean up what has had its time, archive what was logged, test the providers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .core.run.context import Run
from .core.run.definition import ReportFile, Stage
from .core.run.procedure import all_of, procedure
from .logs.declared import ROTATION, ROTATION_FILES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from threading import Event

    from .core.report.model import Report
    from .core.settings.model import Settings


def _hours(settings: Settings, text: str | None) -> float | None:
    from .core.run.arguments import hours

    return hours(settings, text)


def _kinds(settings: Settings, names: Sequence[str] | None) -> tuple[str, ...]:
    from .core.run.arguments import cache_kinds

    return cache_kinds(settings, names)


def _days(settings: Settings, text: str | None) -> int | None:
    from .core.run.arguments import days

    return days(settings, text)


@procedure(
    cadence="weekly",
    stage=Stage.CHANGE,
    checks=[
        "cache.changed",
        "cache.expired",
        "cache.failed",
        "cache.folder",
        "cache.foreign",
        "cache.future",
        "cache.interrupted",
        "cache.locked",
        "cache.misplaced",
        "cache.report",
        "cache.special",
        "cache.statistics",
        "cache.structure",
        "cache.unmanaged",
        "cache.unsorted",
        "clock.trust",
    ],
    writes=["{cache}/stats.json", "{logs}/cache_reports/cache_report_{day}.json"],
    iterable=["kind"],
    converters={"kind": _kinds, "older_than": _hours},
    help={
        "dry_run": "Change nothing; show what a run would do.",
        "kind": "Clean only this kind of entry; may be given several times.",
        "older_than": "Hours after which an entry expires, in place of every configured expiry.",
    },
)
def cache_cleanup(
    run: Run, dry_run: bool = False, kind: Sequence[str] | None = None, older_than: float | None = None
) -> Report:
    """Delete expired cache entries, sort in loose files, count what is left.

    Reads maintenance.cache. Each folder of the cache is a kind of entry with its own expiry; missing folders
    are created, files lying loose in the cache are moved to the kind that their prefix names, and
    cache/stats.json and logs/cache_reports/cache_report_YYYYMMDD.json say what is left.
    """
    from .applicability import unused_cache
    from .cache.cleanup import clean_up

    dry = dry_run or run.dry
    if unused := unused_cache(run):
        return unused.report("cache.folder", "there is no cache", dry_run=dry)
    return clean_up(
        run.settings,
        now=run.now,
        dry_run=dry,
        kinds=kind or (),
        older_than=older_than,
        advance=run.advance,
    )


@procedure(
    cadence="weekly",
    stage=Stage.CHANGE,
    checks=[*ROTATION, "clock.trust"],
    writes=ROTATION_FILES,
    converters={"older_than_days": _days},
    whole=["force"],
    help={
        "dry_run": "Change nothing; show what a run would do.",
        "force": "Of a log in use, archive every complete line now, not only whole blocks of the file system.",
        "older_than_days": "Days after which an archive is deleted, in place of maintenance.logs.archive_days.",
    },
)
def log_rotation(run: Run, dry_run: bool = False, force: bool = False, older_than_days: int | None = None) -> Report:
    """Archive every log without losing a line, whoever is writing; delete old archives.

    Reads maintenance.logs. Each log goes to archive/YYYY/MM/NAME_YYYYMMDD.log.gz in the log folder; an archive is
    read back and compared before anything is taken out of the log. A log that nobody writes to is renamed and
    begun anew; one that a program appends to is shortened under it; any other is left with a warning.
    """
    from .logs.rotation.log_rotation import rotate

    return rotate(
        run.settings,
        now=run.now,
        dry_run=dry_run or run.dry,
        force=force,
        older_than_days=older_than_days,
        advance=run.advance,
    )


@procedure(
    cadence="weekly",
    checks=[
        "clock.trust",
        "providers.account",
        "providers.answer",
        "providers.history",
        "providers.key",
        "providers.model",
        "providers.rate_limit",
        "providers.report",
        "providers.trend",
    ],
    report=ReportFile("api_reports/api_health_{day}.json", "providers.report"),
    writes=["{logs}/api_performance.json"],
    help={"dry_run": "Write nothing and ask no provider; say what would be asked."},
)
def api_health(run: Run, dry_run: bool = False) -> Report:
    """Ask every provider for three texts of growing length; read its limits, its balance and its trend.

    Reads maintenance.providers. The requests cost what some 750 tokens cost, unless a provider's probe is models.
    The report goes to api_reports/api_health_YYYYMMDD.json in the log folder, the times to api_performance.json,
    from which the trend of 30 days is told.
    """
    from .applicability import applicable
    from .providers.survey import survey

    keys, redact, now, dry = run.keys, run.redact, run.now, dry_run or run.dry

    def providers(stop: Event) -> Report:
        found = applicable(run)
        return survey(found.settings, keys=keys, now=now, stop=stop, dry_run=dry, redact=redact, unused=found.providers)

    return run.compose(
        {"providers": providers},
        side_by_side=True,
        dry_run=dry,
    )


every = all_of(__name__)

"""Every day: see how things are, what was logged, and what fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .core.run.context import Run
from .core.run.definition import GateSource, ReportFile
from .core.run.procedure import all_of, procedure
from .logs.declared import ROTATION, ROTATION_FILES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta
    from threading import Event

    from .core.report.model import Report
    from .core.settings.model import Settings


def _since(settings: Settings, text: str | None) -> datetime | timedelta | None:
    from .core.run.arguments import since

    return since(settings, text)


def _level(settings: Settings, text: str) -> str:
    from .core.run.arguments import level

    return level(settings, text)


def _until(settings: Settings, text: str | None) -> datetime | None:
    from .core.run.arguments import until

    return until(settings, text)


@procedure(
    cadence="daily",
    checks=[
        "cache.entries",
        "cache.hit_rate",
        "clock.trust",
        "generation.count",
        "generation.duration",
        "generation.records",
        "generation.success_rate",
        "health.report",
        "providers.answer",
        "providers.history",
        "providers.key",
        "system.cpu",
        "system.disk",
        "system.inodes",
        "system.load",
        "system.memory",
        "system.open_files",
        "system.swap",
    ],
    report=ReportFile("health_reports/health_report_{day}.json", "health.report"),
    writes=["{logs}/api_performance.json"],
    gate=GateSource("providers", {"providers.answer": "critical"}),
    help={"dry_run": "Write nothing and ask no provider; measure the rest."},
)
def health_check(run: Run, dry_run: bool = False) -> Report:
    """Measure the machine, ask every provider, judge the last day's generation and the cache.

    Reads maintenance.health, .providers, .generation and .cache. All parts run side by side. The report goes to
    health_reports/health_report_YYYYMMDD.json in the log folder, the providers' times to api_performance.json.
    """
    from .applicability import applicable
    from .providers.quick import ask_once

    settings, now, keys, redact, dry = run.settings, run.now, run.keys, run.redact, dry_run or run.dry

    # The other parts import what they need themselves, so that the providers are asked before those are even loaded.
    def providers(stop: Event) -> Report:
        found = applicable(run)
        return ask_once(
            found.settings, keys=keys, now=now, stop=stop, dry_run=dry, redact=redact, unused=found.providers
        )

    def system(stop: Event) -> Report:
        from .system.machine_review import examine

        return examine(settings, now=now, stop=stop)

    def generation(_stop: Event) -> Report:
        from .generation.recent_generations import review_recent

        return review_recent(settings, now=now, redact=redact)

    def cache(_stop: Event) -> Report:
        from .cache.cache_usage import usage

        return usage(settings, now=now)

    return run.compose(
        {"providers": providers, "system": system, "generation": generation, "cache": cache},
        side_by_side=True,
        dry_run=dry,
    )


@procedure(
    cadence="daily",
    checks=[
        *ROTATION,
        "clock.trust",
        "errors.escalating",
        "errors.interrupted",
        "errors.muted",
        "errors.new",
        "errors.ongoing",
        "errors.regressed",
        "errors.resolved",
        "errors.tracking",
        "errors.window",
        "logs.future",
    ],
    writes=["{logs}/error_tracking.json", "{logs}/alerts/alert_{second}.json"],
    iterable=["mute", "resolve"],
    converters={"until": _until},
    help={
        "dry_run": "Write nothing; show what a run would tell.",
        "mute": "Write no alert on this group, until --until; may be given several times.",
        "resolve": "Take this group for resolved; should it come back, that is told. May be given several times.",
        "until": "The last day on which the groups of --mute are muted (2030-01-31).",
    },
)
def error_monitor(
    run: Run,
    dry_run: bool = False,
    mute: Sequence[str] | None = None,
    until: datetime | None = None,
    resolve: Sequence[str] | None = None,
) -> Report:
    """Group the errors of the last hours, and tell of what is new, escalating or back again.

    Reads maintenance.logs. The groups are kept in error_tracking.json in the log folder; what is to be told goes
    to alerts/alert_YYYYMMDD_HHMMSS.json there, once. A group is named as the report names it; the beginning of
    its name will do.
    """
    from .logs.errors.error_monitor import watch

    return watch(
        run.settings,
        now=run.now,
        dry_run=dry_run or run.dry,
        mutes=mute or (),
        until=until,
        resolves=resolve or (),
        redact=run.redact,
        advance=run.advance,
    )


@procedure(
    cadence="daily",
    # It rotates what grew too large, and so comes after those that read it.
    checks=[*ROTATION, "logs.clean", "logs.errors", "logs.history"],
    writes=["{logs}/log_review.json", *ROTATION_FILES],
    converters={"since": _since, "level": _level},
    whole=["archives"],
    help={
        "archives": "Count what is in the archives as well.",
        "dry_run": "Change nothing; show what a run would do.",
        "level": "The lowest level that counts: warning, error or critical.",
        "since": "Count only records from then on: a time span (24h, 7d) or a moment (2030-01-31).",
    },
)
def log_review(
    run: Run,
    dry_run: bool = False,
    since: datetime | timedelta | None = None,
    level: str = "warning",
    archives: bool = False,
) -> Report:
    """Count errors and warnings per log, show the latest errors, rotate logs that grew too large.

    Reads maintenance.logs. Growth is told since the last review, whose sizes log_review.json in the log folder
    keeps. A log larger than maintenance.logs.rotate_over_mb is archived as weekly.log-rotation does it.
    """
    from .logs.reading.log_levels import Level
    from .logs.review.log_review import review

    return review(
        run.settings,
        now=run.now,
        dry_run=dry_run or run.dry,
        since=run.before(since),
        lowest=Level[level.upper()],
        archives=archives,
        redact=run.redact,
        advance=run.advance,
    )


every = all_of(__name__)

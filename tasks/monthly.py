"""Every month: see what has changed, and what calls for a change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke import Context, task

from .core.procedure import Run, procedure

if TYPE_CHECKING:
    from .core.report import Report


@procedure(help={"dry_run": "Write no report file."})
def performance_analysis(run: Run, dry_run: bool = False) -> Report:
    """Set the last 30 days against the 30 before: generation, providers, cache; say what calls for a change.

    Reads maintenance.generation.file, and in the log folder api_performance.json, which the health checks keep, and
    the clean-up's reports. The report goes to monthly_reports/monthly_report_YYYYMM.json in the log folder.
    """
    from pathlib import Path

    from .cache.growth import growth
    from .core.composition import compose
    from .generation.months import compare as compare_generation
    from .providers.months import compare as compare_providers

    settings, now, redact = run.settings, run.now, run.redact
    return compose(
        {
            "generation": lambda _stop: compare_generation(settings, now=now, redact=redact),
            "providers": lambda _stop: compare_providers(settings, now=now),
            "cache": lambda _stop: growth(settings, now=now),
        },
        root=Path(settings.root),
        task="monthly.performance-analysis",
        now=now,
        path=f"{settings.logs.directory}/monthly_reports/monthly_report_{now:%Y%m}.json",
        check="performance.report",
        advance=run.advance,
        dry_run=dry_run or run.dry,
    )


@task(name="all", default=True, pre=[performance_analysis])
def every(_context: Context) -> None:
    """Run every monthly procedure (a dry run of all of them: inv --dry monthly)."""

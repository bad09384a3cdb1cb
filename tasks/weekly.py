"""Every week: clean up what has had its time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke import Context, task

from .core.procedure import Run, procedure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .core.report import Report
    from .core.settings.model import Settings


def _hours(settings: Settings, text: str | None) -> float | None:
    from .core.arguments import hours

    return hours(settings, text)


def _kinds(settings: Settings, names: Sequence[str] | None) -> tuple[str, ...]:
    from .core.arguments import cache_kinds

    return cache_kinds(settings, names)


@procedure(
    iterable=["kind"],
    checks={"kind": _kinds, "older_than": _hours},
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
    from .cache.cleanup import clean_up

    return clean_up(
        run.settings,
        now=run.now,
        dry_run=dry_run or run.dry,
        kinds=kind or (),
        older_than=older_than,
        advance=run.advance,
    )


@task(name="all", default=True, pre=[cache_cleanup])
def every(_context: Context) -> None:
    """Run every weekly procedure (a dry run of all of them: inv --dry weekly)."""

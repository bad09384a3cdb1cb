"""When something is wrong: get the project running again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import weekly
from .core.run.context import Run
from .core.run.definition import ReportFile
from .core.run.procedure import procedure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from threading import Event
    from typing import Any

    from .core.report.model import Report
    from .core.settings.model import Settings
    from .recovery.ports import Ports


def _only(_settings: Settings, names: Sequence[str] | None) -> tuple[str, ...]:
    from .core.run.arguments import some_of
    from .recovery.ports import STEPS

    return some_of("--only", "a step", STEPS, names)


def _skip(_settings: Settings, names: Sequence[str] | None) -> tuple[str, ...]:
    from .core.run.arguments import some_of
    from .recovery.ports import STEPS

    return some_of("--skip", "a step", STEPS, names)


def _some_step(arguments: Mapping[str, Any]) -> None:
    from .core.errors import UsageError
    from .recovery.ports import STEPS

    if not {*(arguments["only"] or STEPS)} - {*(arguments["skip"] or ())}:
        raise UsageError("--only and --skip leave no step to take. Nothing was done.")


@procedure(
    cadence=None,
    checks=[
        "clock.trust",
        "configuration.readable",
        "providers.answer",
        "providers.history",
        "providers.key",
        "recovery.cache",
        "recovery.clearing",
        "recovery.entries",
        "recovery.folder",
        "recovery.freed",
        "recovery.leftovers",
        "recovery.log-size",
        "recovery.logs",
        "recovery.record",
        "recovery.recovered",
        "recovery.report",
        "recovery.structure",
        "recovery.unreadable-entries",
        "system.disk",
        "system.inodes",
        "system.memory",
        "system.swap",
    ],
    report=ReportFile("emergency_reports/recovery_{second}.json", "recovery.report"),
    iterable=["only", "skip"],
    converters={"only": _only, "skip": _skip},
    consistent=_some_step,
    help={
        "dry_run": "Change nothing and ask no provider; show what a run would do.",
        "only": "Take this step and no other: leftovers, cache, logs, structure or providers; may be repeated.",
        "skip": "Take all steps but this one; may be repeated.",
        "yes": "Clear the cache without asking.",
    },
)
def recover(
    run: Run,
    dry_run: bool = False,
    only: Sequence[str] | None = None,
    skip: Sequence[str] | None = None,
    yes: bool = False,
) -> Report:
    """Diagnose what is wrong, free space, rebuild what is missing, test the providers; say what is left to do.

    Works on a full disk. Deletes leftover temporary files, clears the cache (asks before that; without a terminal and
    without --yes only what has expired goes), runs weekly.log-rotation where the logs exceed
    maintenance.logs.emergency_total_mb or the disk is short, makes missing folders, and asks each provider once. The
    disk is measured after each step. The report goes to emergency_reports/recovery_YYYYMMDD_HHMMSS.json in the log
    folder, if that can be written.
    """
    from .applicability import unused_cache
    from .core.output.confirmation import askable
    from .recovery.ports import STEPS, Context
    from .recovery.recovery import recover as get_running

    settings, now, dry = run.settings, run.now, dry_run or run.dry
    steps = tuple(step for step in only or STEPS if step not in (skip or ()))

    def recovered(stop: Event) -> Report:
        def ask(lines: Sequence[str], question: str) -> bool:
            return bool(run.confirm(lines, question, stop))

        ports = _ports(run, dry=dry)
        return get_running(
            Context(
                settings,
                ports,
                steps,
                yes,
                ask if askable() else None,
                now,
                stop,
                dry,
                has_cache=unused_cache(run) is None,
            ),
            advance=run.advance,
        )

    return run.compose({"recovery": recovered}, advance=lambda _parts: None, dry_run=dry)


def _ports(run: Run, *, dry: bool) -> Ports:
    """Return the work of other domains, as the recovery calls it."""
    from .applicability import applicable
    from .cache.cleanup import clean_up
    from .cache.cleanup_report import STATISTICS_FILE as STATISTICS
    from .configuration.config_review import unreadable_files
    from .logs.errors.monitor_files import TRACKING_FILE as ERRORS
    from .logs.review.review_history import HISTORY_FILE as SIZES
    from .providers.provider_history import FILE as TIMES
    from .providers.quick import ask_once
    from .recovery.ports import TASK, Ports
    from .system.machine_review import examine_room

    settings, now = run.settings, run.now
    logs, cache = settings.logs.directory, settings.cache.directory

    def clean(everything: bool, again: bool) -> Report:
        arguments = {"older_than": "0"} if everything else {}
        return run.execute(weekly.cache_cleanup.definition, arguments, dry=dry, again=again)

    def rotate(again: bool) -> Report:
        return run.execute(weekly.log_rotation.definition, {}, dry=dry, again=again)

    def providers(stop: Event) -> Report:
        found, keys, redact = applicable(run), run.keys, run.redact
        return ask_once(
            found.settings,
            keys=keys,
            now=now,
            stop=stop,
            dry_run=dry,
            redact=redact,
            task=TASK,
            unused=found.providers,
        )

    return Ports(
        room=lambda: examine_room(settings),
        configuration=lambda stop: unreadable_files(settings, redact=run.redact, stop=stop),
        plan_clearing=lambda: clean_up(settings, now=now, dry_run=True, older_than=0),
        clean=clean,
        rotate=rotate,
        providers=providers,
        records={
            f"{cache}/{STATISTICS}": "weekly.cache-cleanup",
            f"{logs}/{ERRORS}": "daily.error-monitor",
            f"{logs}/{SIZES}": "daily.log-review",
            f"{logs}/{TIMES}": "daily.health-check",
            settings.configuration.baseline: "monthly.config-review",
        },
    )

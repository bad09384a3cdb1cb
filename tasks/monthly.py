"""Every month: see what has changed, and what calls for a change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .core.run.context import Run
from .core.run.definition import GateSource, ReportFile
from .core.run.procedure import all_of, procedure

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from threading import Event

    from .core.report.model import Report
    from .core.settings.model import Settings

_CONFIGURATION = (
    "configuration.baseline",
    "configuration.case",
    "configuration.category-ranges",
    "configuration.components",
    "configuration.defaults",
    "configuration.drift",
    "configuration.environment",
    "configuration.keys",
    "configuration.materials",
    "configuration.present",
    "configuration.ranges",
    "configuration.readable",
    "configuration.references",
    "configuration.report",
    "configuration.required",
    "configuration.units",
    "configuration.unknown-values",
)


def _packages(settings: Settings, names: Sequence[str] | None) -> frozenset[str]:
    from .core.run.arguments import packages

    return packages(settings, names)


@procedure(
    cadence="monthly",
    checks=[
        "clock.trust",
        "dependencies.accepted",
        "dependencies.audit",
        "dependencies.environment",
        "dependencies.held",
        "dependencies.ignore",
        "dependencies.interrupted",
        "dependencies.not-audited",
        "dependencies.outdated",
        "dependencies.releases",
        "dependencies.report",
        "dependencies.requirements",
        "dependencies.transitive",
        "dependencies.unmet",
        "dependencies.update",
        "dependencies.vulnerable",
        "dependencies.yanked",
    ],
    report=ReportFile("dependency_reports/dependency_report_{month}.json", "dependencies.report"),
    writes=["{logs}/dependency_reports/pip_audit_{day}.json"],
    audit={
        # Packages that are merely outdated are not part of the audit's score.
        "audit.dependencies": [
            "dependencies.accepted",
            "dependencies.audit",
            "dependencies.environment",
            "dependencies.ignore",
            "dependencies.vulnerable",
        ]
    },
    # Packages that are merely outdated stop no release.
    gate=GateSource(
        "dependencies",
        {
            "dependencies.audit": "critical",
            "dependencies.environment": "critical",
            "dependencies.ignore": "critical",
            "dependencies.not-audited": "critical",
            "dependencies.vulnerable": "warning",
        },
        of_commit=True,
    ),
    # An installed package changes only when somebody wants it to.
    unattended={"check": True},
    iterable=["only"],
    converters={"only": _packages},
    whole=["check", "yes"],
    help={
        "check": "Look only; without a terminal to ask at, that is all that happens unless --yes is given.",
        "dry_run": "Change nothing; show what an update would change.",
        "only": "Update this package and nothing else; may be given several times.",
        "security": "Update only what repairs a known vulnerability.",
        "yes": "Update without asking, and undo an update that was interrupted.",
    },
)
def dependency_update(
    run: Run,
    check: bool = False,
    dry_run: bool = False,
    only: frozenset[str] | None = None,
    security: bool = False,
    yes: bool = False,
) -> Report:
    """Audit what is installed, see what is outdated, and update it so that it can be undone.

    Reads maintenance.dependencies. An update is tried in a fresh environment and must pass the smoke test there;
    then the live environment gets the same files, and the requirements get the new versions. Where anything fails,
    everything is put back. The report goes to dependency_reports/dependency_report_YYYYMM.json in the log folder,
    pip-audit's own beside it, what is installed to requirements.lock.txt.
    """
    import os

    from .core.output.confirmation import askable
    from .dependencies.dependency_update import Flags, run_update
    from .dependencies.planning import Scope

    settings, now, dry = run.settings, run.now, dry_run or run.dry
    flags = Flags(check, yes, Scope(only or frozenset(), security), dry)

    def updated(stop: Event) -> Report:
        def ask(lines: Iterable[str], question: str) -> bool:
            return bool(run.confirm([*lines], question, stop))

        return run_update(
            settings,
            flags,
            ask=ask if askable() and not check else None,
            environ=os.environ,
            keys=run.keys,
            now=now,
            redact=run.redact,
            stop=stop,
            advance=run.advance,
        )

    return run.compose({"dependencies": updated}, dry_run=dry)


@procedure(
    cadence="monthly",
    checks=[
        "cache.growth",
        "cache.reports",
        "generation.count",
        "generation.duration",
        "generation.records",
        "generation.slower",
        "generation.success_fall",
        "generation.success_rate",
        "performance.report",
        "providers.history",
        "providers.response_time",
        "providers.slower",
        "providers.success_rate",
    ],
    report=ReportFile("monthly_reports/monthly_report_{month}.json", "performance.report"),
    help={"dry_run": "Write no report file."},
)
def performance_analysis(run: Run, dry_run: bool = False) -> Report:
    """Set the last 30 days against the 30 before: generation, providers, cache; say what calls for a change.

    Reads maintenance.generation.file, and in the log folder api_performance.json, which the health checks keep, and
    the clean-up's reports. The report goes to monthly_reports/monthly_report_YYYYMM.json in the log folder.
    """
    from .cache.cache_growth import growth
    from .generation.generation_months import compare_months as compare_generation
    from .providers.provider_months import compare_months as compare_providers

    settings, now, redact = run.settings, run.now, run.redact
    return run.compose(
        {
            "generation": lambda _stop: compare_generation(settings, now=now, redact=redact),
            "providers": lambda _stop: compare_providers(settings, now=now),
            "cache": lambda _stop: growth(settings, now=now),
        },
        dry_run=dry_run or run.dry,
    )


@procedure(
    cadence="monthly",
    checks=_CONFIGURATION,
    report=ReportFile("config_reports/config_review_{month}.json", "configuration.report"),
    writes=["{baseline}", "{baseline}.key", "{logs}/config_history.jsonl"],
    audit={
        "audit.references": [
            "configuration.materials",
            "configuration.references",
            "configuration.required",
            "configuration.units",
        ],
        "audit.configuration": [
            "configuration.case",
            "configuration.category-ranges",
            "configuration.components",
            "configuration.present",
            "configuration.readable",
        ],
    },
    # The review reports other warnings, such as a material without density, for as long as they last.
    gate=GateSource(
        "configuration",
        {**dict.fromkeys(_CONFIGURATION, "critical"), "configuration.drift": "warning"},
        of_commit=True,
    ),
    iterable=["accept_path"],
    whole=["accept", "diff"],
    help={
        "accept": "Make the present state the baseline that drift is told against.",
        "accept_path": "Accept this much only: FILE, or FILE:PATH as the table has it; may be given several times.",
        "diff": "Show every change with its whole values, not the first twenty shortened.",
        "dry_run": "Write nothing: no report file, no baseline, no history.",
    },
)
def config_review(
    run: Run, accept: bool = False, accept_path: Sequence[str] | None = None, diff: bool = False, dry_run: bool = False
) -> Report:
    """Review settings, data and component files without running them, and tell what drifted since it was accepted.

    Reads the files that maintenance.configuration names, or else those that are found, .env and .env.example. Settings
    modules are parsed, never executed. Accepted values lie in maintenance.configuration.baseline, secrets as hashes
    with a key; the history of drift in config_history.jsonl in the log folder, the report in
    config_reports/config_review_YYYYMM.json there.
    """
    import os

    from .applicability import applicable, conventions_of
    from .configuration.config_review import run_review
    from .configuration.drift.drift_acceptance import ConfigReviewFlags
    from .core.errors import UserError
    from .found_settings import with_found_files

    if accept and accept_path:
        raise UserError("--accept accepts everything and --accept-path a part: give one of the two.")
    now, dry = run.now, dry_run or run.dry
    flags = ConfigReviewFlags(accept, tuple(accept_path or ()), diff, dry)

    def reviewed(stop: Event) -> Report:
        found = applicable(run)
        return run_review(
            with_found_files(run, found.settings),
            flags,
            keys=run.keys,
            environ=os.environ,
            now=now,
            redact=run.redact,
            stop=stop,
            advance=run.advance,
            unused=found.keys,
            sought=conventions_of(run).configuration_files.sought,
        )

    return run.compose({"configuration": reviewed}, dry_run=dry)


every = all_of(__name__)

"""Every quarter: see that what must not fail would not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .core.run.context import Run
from .core.run.definition import GateSource, ReportFile, Stage
from .core.run.procedure import all_of, procedure

if TYPE_CHECKING:
    from collections.abc import Sequence
    from threading import Event

    from .core.programs.interpreter import Interpreter
    from .core.report.model import Report
    from .core.report.reused_reports import Source
    from .core.run.definition import Definition
    from .core.settings.model import Settings


_BACKUPS = (
    "backup.content",
    "backup.copy",
    "backup.external",
    "backup.external.check",
    "backup.external.content",
    "backup.external.restored",
    "backup.ledger",
    "backup.media",
    "backup.present",
    "backup.recent",
    "backup.report",
    "backup.size",
    "backup.sources",
    "backup.verified",
)


@procedure(
    cadence="quarterly",
    stage=Stage.VERIFY,
    checks=_BACKUPS,
    report=ReportFile("backup_reports/backup_verification_{quarter}.json", "backup.report"),
    writes=["{backups}/verified.json", "{backups}/repositories.json"],
    audit={"audit.backups": [each for each in _BACKUPS if each not in {"backup.ledger", "backup.report"}]},
    gate=GateSource("backup", {**dict.fromkeys(_BACKUPS, "critical"), "backup.recent": "warning"}),
    help={"dry_run": "Restore and write nothing; the archives are read in full all the same."},
)
def backup_verification(run: Run, dry_run: bool = False) -> Report:
    """Verify the backups by restoring: the newest and, in turn, the others, each file compared and read by its format.

    Reads maintenance.backups. Tells how old and how large they are, which level each has reached (present, whole,
    intact, restored) and which files no backup holds. The same for repositories of restic and borg, by these programs
    themselves; copies elsewhere are compared, and all of them counted (3-2-1). The report goes to
    backup_reports/backup_verification_YYYYQn.json in the log folder.
    """
    import os

    from .backups.offsite.offsite_verification import verify_offsite
    from .backups.verification import verify

    settings, now, dry = run.settings, run.now, dry_run or run.dry

    def elsewhere(stop: Event) -> Report:
        return verify_offsite(
            settings,
            environ=os.environ,
            keys=run.keys,
            redact=run.redact,
            now=now,
            stop=stop,
            dry_run=dry,
            advance=run.advance,
        )

    return run.compose(
        {
            "backups": lambda stop: verify(settings, now=now, stop=stop, dry_run=dry, advance=run.advance),
            "backups elsewhere": elsewhere,
        },
        advance=lambda _parts: None,
        dry_run=dry,
    )


@procedure(
    cadence="quarterly",
    checks=["capacity.forecast", "capacity.freeable", "capacity.growers", "capacity.history", "capacity.report"],
    report=ReportFile("capacity_reports/capacity_{quarter}.json", "capacity.report"),
    audit={"audit.capacity": ["capacity.forecast"]},
    help={"dry_run": "Write no report file, so that this measurement is not recorded."},
)
def capacity_planning(run: Run, dry_run: bool = False) -> Report:
    """Tell what grows (disk, inodes, logs, cache, backups), when it reaches its limit, and what would help.

    Reads maintenance.capacity, and the sizes that health checks, log reviews, cache clean-ups, backups and earlier
    plannings recorded. The report goes to capacity_reports/capacity_YYYYQn.json in the log folder.
    """
    from .cache.cleanup import clean_up
    from .capacity.capacity_planning import plan
    from .logs.rotation.log_rotation import rotate

    settings, now = run.settings, run.now
    frees = {
        "weekly.cache-cleanup": lambda: clean_up(settings, now=now, dry_run=True),
        "weekly.log-rotation": lambda: rotate(settings, now=now, dry_run=True),
    }
    return run.compose(
        {"capacity": lambda stop: plan(settings, now=now, stop=stop, frees=frees)},
        dry_run=dry_run or run.dry,
    )


@procedure(
    cadence="quarterly",
    stage=Stage.CONCLUDE,
    checks=[
        "audit.backups",
        "audit.benchmarks",
        "audit.capacity",
        "audit.checksums",
        "audit.configuration",
        "audit.cycles",
        "audit.data",
        "audit.dependencies",
        "audit.env_ignored",
        "audit.licences",
        "audit.permissions",
        "audit.places",
        "audit.references",
        "audit.report",
        "audit.score",
        "audit.secrets",
        "audit.sizes",
        "audit.trend",
        "audit.unreferenced",
        "audit.waiver",
    ],
    report=ReportFile("audit_reports/audit_{quarter}.json", "audit.report"),
    writes=["{logs}/audit_reports/audit_{quarter}.md", "{logs}/audit_checksums.json", "{logs}/audit_benchmarks.json"],
    whole=["rerun"],
    help={
        "dry_run": "Write nothing, and let the other procedures make dry runs; no benchmark is measured.",
        "rerun": "Run the other procedures even where their reports are fresh.",
    },
)
def system_audit(run: Run, dry_run: bool = False, rerun: bool = False) -> Report:
    """Audit architecture, security, performance, data, capacity and licences; one score with its arithmetic.

    Reads maintenance.audit, how the project works by its own files, and the reports of dependency update,
    configuration review, backup verification and capacity planning where they are fresh; runs those that are not. The
    report goes to audit_reports/audit_YYYYQn.json in the log folder, a page to read (audit_YYYYQn.md) beside it.
    """
    import os

    from .applicability import conventions_of
    from .audit.reused_reports import reused_reports
    from .audit.system_audit import audit
    from .core.run.own_files import quarter
    from .core.run.registry import procedures

    settings, now, dry = run.settings, run.now, dry_run or run.dry
    others = [each for each in procedures() if each.audit]
    reused = reused_reports({each.name: each.audit for each in others})
    sources = _sources(run, others, dry=dry, rerun=rerun)
    return run.compose(
        {
            "audit": lambda stop: audit(
                settings,
                conventions=conventions_of(run),
                reused=reused,
                sources=sources,
                interpreter=interpreter(settings),
                environ=os.environ,
                now=now,
                quarter=quarter,
                stop=stop,
                advance=run.advance,
                dry_run=dry,
            )
        },
        advance=lambda _parts: None,
        dry_run=dry,
    )


def _sources(run: Run, others: Sequence[Definition], *, dry: bool, rerun: bool) -> dict[str, Source]:
    """Return the other procedures' reports: recent ones without problems as they are, the others by running them."""
    from .audit.reused_reports import is_well

    def source(other: Definition) -> Source:
        found = None if rerun else run.recent_report(other, days=run.settings.audit.fresh_days)
        if found is not None and is_well(found, other.audit):
            return found
        return run.new_report(other, dry=dry, again=rerun)

    return {each.name: source(each) for each in others}


def interpreter(settings: Settings) -> Interpreter:
    """Return the Python of the project's environment, or why none is known."""
    import os
    from pathlib import Path

    from .core.programs.interpreter import Interpreter
    from .dependencies.environment import NoEnvironment, locate

    found = locate(Path(settings.root), settings.dependencies.python, os.environ)
    return Interpreter(None, *found) if isinstance(found, NoEnvironment) else Interpreter(found.python)


every = all_of(__name__)

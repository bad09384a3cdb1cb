"""Every quarter: see that what must not fail would not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke import Context, task

from . import monthly
from .core.run.procedure import Run, procedure

if TYPE_CHECKING:
    from datetime import datetime
    from threading import Event

    from .core.programs.interpreter import Interpreter
    from .core.report.model import Report
    from .core.report.reused_reports import Source
    from .core.settings.model import Settings


def _quarter(now: datetime) -> str:
    return f"{now.year}Q{(now.month + 2) // 3}"


def backup_report(now: datetime) -> str:
    """Return where in the log folder the verification of a moment's quarter is kept."""
    return f"backup_reports/backup_verification_{_quarter(now)}.json"


def _capacity_report(now: datetime) -> str:
    return f"capacity_reports/capacity_{_quarter(now)}.json"


@procedure(help={"dry_run": "Restore and write nothing; the archives are read in full all the same."})
def backup_verification(run: Run, dry_run: bool = False) -> Report:
    """Verify the backups by restoring: the newest and, in turn, the others, each file compared and read by its format.

    Reads maintenance.backups. Tells how old and how large they are, which level each has reached (present, whole,
    intact, restored) and which files no backup holds. The same for repositories of restic and borg, by these programs
    themselves; copies elsewhere are compared, and all of them counted (3-2-1). The report goes to
    backup_reports/backup_verification_YYYYQn.json in the log folder.
    """
    import os
    from pathlib import Path

    from .backups.external.offsite_verification import verify_offsite
    from .backups.verification import verify
    from .core.run.composition import compose

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

    return compose(
        {
            "backups": lambda stop: verify(settings, now=now, stop=stop, dry_run=dry, advance=run.advance),
            "backups elsewhere": elsewhere,
        },
        root=Path(settings.root),
        task="quarterly.backup-verification",
        now=now,
        path=f"{settings.logs.directory}/{backup_report(now)}",
        check="backup.report",
        advance=lambda _parts: None,
        dry_run=dry,
    )


@procedure(help={"dry_run": "Write no report file, so that this measurement is not recorded."})
def capacity_planning(run: Run, dry_run: bool = False) -> Report:
    """Tell what grows (disk, inodes, logs, cache, backups), when it reaches its limit, and what would help.

    Reads maintenance.capacity, and the sizes that health checks, log reviews, cache clean-ups, backups and earlier
    plannings recorded. The report goes to capacity_reports/capacity_YYYYQn.json in the log folder.
    """
    from pathlib import Path

    from .cache.cleanup import clean_up
    from .capacity.planning import TASK, plan
    from .core.run.composition import compose
    from .logs.rotation.log_rotation import rotate

    settings, now = run.settings, run.now
    frees = {
        "weekly.cache-cleanup": lambda: clean_up(settings, now=now, dry_run=True),
        "weekly.log-rotation": lambda: rotate(settings, now=now, dry_run=True),
    }
    return compose(
        {"capacity": lambda stop: plan(settings, now=now, stop=stop, frees=frees)},
        root=Path(settings.root),
        task=TASK,
        now=now,
        path=f"{settings.logs.directory}/{_capacity_report(now)}",
        check="capacity.report",
        advance=run.advance,
        dry_run=dry_run or run.dry,
    )


@procedure(
    whole=["rerun"],
    help={
        "dry_run": "Write nothing, and let the other procedures make dry runs; no benchmark is measured.",
        "rerun": "Run the other procedures even where their reports are fresh.",
    },
)
def system_audit(run: Run, dry_run: bool = False, rerun: bool = False) -> Report:
    """Audit architecture, security, performance, data, capacity and licences; one score with its arithmetic.

    Reads maintenance.audit, and the reports of dependency update, configuration review, backup verification and
    capacity planning where they are fresh; runs those that are not. The report goes to
    audit_reports/audit_YYYYQn.json in the log folder, a page to read (audit_YYYYQn.md) beside it.
    """
    import os
    from pathlib import Path

    from .audit.system_audit import TASK, audit
    from .audit.trend import FOLDER
    from .core.run.composition import compose

    settings, now, dry = run.settings, run.now, dry_run or run.dry
    sources = _sources(run, dry=dry, rerun=rerun)
    return compose(
        {
            "audit": lambda stop: audit(
                settings,
                sources=sources,
                interpreter=interpreter(settings),
                environ=os.environ,
                now=now,
                quarter=_quarter,
                stop=stop,
                advance=run.advance,
                dry_run=dry,
            )
        },
        root=Path(settings.root),
        task=TASK,
        now=now,
        path=f"{settings.logs.directory}/{FOLDER}/audit_{_quarter(now)}.json",
        check="audit.report",
        advance=lambda _parts: None,
        dry_run=dry,
    )


def _sources(run: Run, *, dry: bool, rerun: bool) -> dict[str, Source]:
    """Return the other procedures' reports: fresh ones of which all is well as they are, the others by running them."""
    from .audit.reused_reports import is_well
    from .core.run.reuse import Other, kept, made

    others = {
        "monthly.dependency-update": Other(
            monthly.dependency_update, {"check": True}, monthly.DEPENDENCY_REPORT.format
        ),
        "monthly.config-review": Other(monthly.config_review, {}, monthly.CONFIG_REPORT.format),
        "quarterly.backup-verification": Other(backup_verification, {}, backup_report),
        "quarterly.capacity-planning": Other(capacity_planning, {}, _capacity_report),
    }

    def source(name: str, other: Other) -> Source:
        found = None if rerun else kept(run, name, other, days=run.settings.audit.fresh_days)
        return found if found is not None and is_well(found) else made(run, name, other, dry=dry, anew=rerun)

    return {name: source(name, other) for name, other in others.items()}


def interpreter(settings: Settings) -> Interpreter:
    """Return the Python of the project's environment, or why none is known."""
    import os
    from pathlib import Path

    from .core.programs.interpreter import Interpreter
    from .dependencies.environment import NoEnvironment, locate

    found = locate(Path(settings.root), settings.dependencies.python, os.environ)
    return Interpreter(None, *found) if isinstance(found, NoEnvironment) else Interpreter(found.python)


@task(name="all", default=True, pre=[backup_verification, capacity_planning, system_audit])
def every(_context: Context) -> None:
    """Run every quarterly procedure (a dry run of all of them: inv --dry quarterly)."""

"""Every quarter: see that what must not fail would not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke import Context, task

from .core.procedure import Run, procedure

if TYPE_CHECKING:
    from datetime import datetime
    from threading import Event

    from .core.report import Report


def _quarter(now: datetime) -> str:
    return f"{now.year}Q{(now.month + 2) // 3}"


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

    from .backups.external.verification import verify_elsewhere
    from .backups.verification import verify
    from .core.composition import compose

    settings, now, dry = run.settings, run.now, dry_run or run.dry

    def elsewhere(stop: Event) -> Report:
        return verify_elsewhere(
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
        path=f"{settings.logs.directory}/backup_reports/backup_verification_{_quarter(now)}.json",
        check="backup.report",
        advance=lambda _parts: None,
        dry_run=dry,
    )


@procedure(help={"dry_run": "Write no report file, so that this measurement is not recorded."})
def capacity_planning(run: Run, dry_run: bool = False) -> Report:
    """Tell what grows (disk, inodes, logs, cache, backups), when it reaches its limit, and what would help.

    Reads maintenance.capacity, and in the log folder the sizes that health checks, log reviews, cache clean-ups and
    earlier plannings recorded. The report goes to capacity_reports/capacity_YYYYQn.json in the log folder.
    """
    from pathlib import Path

    from .cache.cleanup import clean_up
    from .capacity.planning import TASK, plan
    from .core.composition import compose
    from .logs.rotation.rotation import rotate

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
        path=f"{settings.logs.directory}/capacity_reports/capacity_{_quarter(now)}.json",
        check="capacity.report",
        advance=run.advance,
        dry_run=dry_run or run.dry,
    )


@task(name="all", default=True, pre=[backup_verification, capacity_planning])
def every(_context: Context) -> None:
    """Run every quarterly procedure (a dry run of all of them: inv --dry quarterly)."""

"""Every quarter: see that what must not fail would not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke import Context, task

from .core.procedure import Run, procedure

if TYPE_CHECKING:
    from .core.report import Report


@procedure(help={"dry_run": "Restore and write nothing; the archives are read in full all the same."})
def backup_verification(run: Run, dry_run: bool = False) -> Report:
    """Verify the backups by restoring: the newest and, in turn, the others, each file compared and read by its format.

    Reads maintenance.backups. Tells how old and how large they are, which level each has reached (present, whole,
    intact, restored) and which files no backup holds. The report goes to
    backup_reports/backup_verification_YYYYQn.json in the log folder.
    """
    from pathlib import Path

    from .backups.verification import verify
    from .core.composition import compose

    settings, now, dry = run.settings, run.now, dry_run or run.dry
    quarter = f"{now.year}Q{(now.month + 2) // 3}"
    return compose(
        {"backups": lambda stop: verify(settings, now=now, stop=stop, dry_run=dry, advance=run.advance)},
        root=Path(settings.root),
        task="quarterly.backup-verification",
        now=now,
        path=f"{settings.logs.directory}/backup_reports/backup_verification_{quarter}.json",
        check="backup.report",
        advance=lambda _parts: None,
        dry_run=dry,
    )


@task(name="all", default=True, pre=[backup_verification])
def every(_context: Context) -> None:
    """Run every quarterly procedure (a dry run of all of them: inv --dry quarterly)."""

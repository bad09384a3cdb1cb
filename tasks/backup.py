"""Backups of what nothing else can recreate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .core.run.context import Run
from .core.run.definition import Stage
from .core.run.procedure import procedure

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from .core.report.model import Report
    from .core.settings.model import Settings


def _apart(settings: Settings, path: str) -> str:
    from .core.run.arguments import folder_apart

    return folder_apart(settings, path or "restored")


def _one_place(arguments: Mapping[str, Any]) -> None:
    from .core.errors import UsageError

    if arguments["force"] and arguments["into"]:
        raise UsageError("--force restores over the project itself, --into into a folder: give one of them.")


@procedure(
    stage=Stage.BACK_UP,
    checks=["backup.create", "backup.report", "clock.trust"],
    writes=["{backups}/backup_{second}*.tar.gz", "{backups}/backup_{second}*.manifest.json", "{backups}/created.json"],
    help={"dry_run": "Change nothing; show what would be backed up and deleted."},
)
def create(run: Run, dry_run: bool = False) -> Report:
    """Back up data and configuration in an archive that is read back before it counts; delete outdated backups.

    Reads maintenance.backups. The archive goes to backup_YYYYMMDD_HHMMSS.tar.gz in the folder of the backups, with a
    manifest of every file's SHA-256 beside it and inside; created.json there keeps how large the backups were. Where
    nothing changed since the newest backup, no archive is made and that one's age is renewed.
    """
    from .backups.creation import create as create_backup

    return create_backup(run.settings, now=run.now, dry_run=dry_run or run.dry, advance=run.advance)


@procedure(
    cadence=None,
    checks=["backup.create", "backup.restore"],
    converters={"into": _apart},
    consistent=_one_place,
    help={
        "backup": "The archive's name in the folder of the backups; without it, the newest whole one.",
        "dry_run": "Read the archive in full and write nothing.",
        "force": "Restore over the project itself, after a backup of its present state.",
        "into": "The folder, below the root; it must be empty or new. Without it, restored.",
    },
)
def restore(run: Run, into: str = "", backup: str = "", force: bool = False, dry_run: bool = False) -> Report:
    """Restore a backup into an empty folder, every file compared with its SHA-256; remove it again where one differs.

    Reads maintenance.backups. Names, contents, owners, modes, attributes and times are those of what was backed up;
    symbolic links, devices and names that lead elsewhere are refused. With --force the project's own files are replaced
    where they differ, after their present state was backed up.
    """
    from .backups.restore import restore as restore_backup
    from .backups.restore_in_place import restore_in_place

    dry = dry_run or run.dry
    if force:
        return restore_in_place(run.settings, name=backup, now=run.now, dry_run=dry, advance=run.advance)
    return restore_backup(run.settings, into=into, name=backup, now=run.now, dry_run=dry, advance=run.advance)

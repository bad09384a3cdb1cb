"""A second backup, after the daily procedures have run and nothing else was changed, against the first."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from ..backup_files import BackupFiles
from ..entry import Entry, Quantity, Side
from ..process import Command, Outcome, run
from ..suite import inv

_SETTINGS = {"INVOKE_MAINTENANCE_OUTPUT": "json", "INVOKE_MAINTENANCE_FAIL_ON": "never"}


def entry(scale: float) -> Entry:
    """Return the entry with 300 MB in 3,000 files, times *scale*."""
    files = BackupFiles(int(300_000_000 * scale))
    return Entry(
        name="backup-again",
        about="a second backup of 300 MB after inv daily, nothing else changed, against the first",
        quantity=Quantity.TIME,
        bar=0.2,
        rounds=5,
        changes_input=False,
        ours=Side("inv backup.create, the second time", files, _create, _is_held, _backed_up_and_used),
        peer=Side("inv backup.create, the first time", files, _create, _is_made, _without_backups),
        note="the second run compares the archive with its SHA-256.",
    )


def _create(folder: Path) -> Command:
    return inv("backup.create", root=folder, settings=_SETTINGS)


def _without_backups(folder: Path) -> None:
    shutil.rmtree(folder / "backups", ignore_errors=True)
    subprocess.run(["/bin/sync"], check=True)


def _backed_up_and_used(folder: Path) -> None:
    if not (folder / "backups").exists():
        run(_create(folder))
    run(inv("daily", root=folder, settings=_SETTINGS))
    subprocess.run(["/bin/sync"], check=True)


def _is_held(_folder: Path, outcome: Outcome) -> str | None:
    return None if _summary(outcome).startswith("nothing changed") else f"made another archive: {_summary(outcome)}"


def _is_made(_folder: Path, outcome: Outcome) -> str | None:
    return None if "backed up in" in _summary(outcome) else f"made no archive: {_summary(outcome)}"


def _summary(outcome: Outcome) -> str:
    (report,) = json.loads(outcome.output)["reports"]
    return str(report["summary"])

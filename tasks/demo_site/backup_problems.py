"""The problems planted in the demo project's backups: its only one is old, one before it damaged, a file in neither."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from ..core.report.model import Status
from .planted import Planted

_FOLDER = "backups"
_ARCHIVE, _MANIFEST = ".tar.gz", ".manifest.json"

_NEWEST_DAYS, _DAMAGED_DAYS, _UNSAVED_DAYS = 40, 70, 100


def plant(site: Path, now: datetime) -> Iterator[Planted]:
    """Plant them in the project at *site*, of which a backup was made, and yield them."""
    (made,) = (site / _FOLDER).glob(f"*{_ARCHIVE}")
    newest = _moved(made, now - timedelta(days=_NEWEST_DAYS))
    damaged = _copied(newest, now - timedelta(days=_DAMAGED_DAYS))
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    unsaved = site / "data" / "unsaved.yaml"
    unsaved.write_text("in_no_backup: true\n", encoding="utf-8")
    written = (now - timedelta(days=_UNSAVED_DAYS)).timestamp()
    os.utime(unsaved, (written, written))

    yield Planted("backups that are old", "backup.recent", _FOLDER, None, Status.CRITICAL)
    name = f"{_FOLDER}/{damaged.name}"
    yield Planted("a backup with a flipped bit", "backup.verified", name, None, Status.CRITICAL)
    yield Planted("a file that no backup holds", "backup.sources", "sources", 1, Status.WARNING)


def _named(made: Path, moment: datetime) -> Path:
    return made.with_name(f"backup_{moment:%Y%m%d_%H%M%S}{_ARCHIVE}")


def _beside(archive: Path) -> Path:
    return archive.with_name(archive.name.replace(_ARCHIVE, _MANIFEST))


def _moved(archive: Path, moment: datetime) -> Path:
    _beside(archive).rename(_beside(_named(archive, moment)))
    return _dated(archive.rename(_named(archive, moment)), moment)


def _copied(archive: Path, moment: datetime) -> Path:
    shutil.copy(_beside(archive), _beside(_named(archive, moment)))
    return _dated(Path(shutil.copy(archive, _named(archive, moment))), moment)


def _dated(archive: Path, moment: datetime) -> Path:
    """Let the manifest say that an archive was made at a moment, and return the archive."""
    manifest = json.loads(_beside(archive).read_bytes())
    _beside(archive).write_text(json.dumps(manifest | {"created": moment.isoformat()}), encoding="utf-8")
    return archive

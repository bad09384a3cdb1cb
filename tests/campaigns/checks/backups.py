"""Backups made, verified and restored."""

from __future__ import annotations

import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

from ..projects import Place, put, state
from ..scenario import Inv

RESTORED = ("data/Materials.yaml", "data/deep/numbers.json", "data/private.yaml", "config/settings.py")
"""What is looked at of the files of a backup."""


def two_backups(place: Place, inv: Inv) -> None:
    """Make a backup, and a file that it has not."""
    inv(place, "backup.create")
    time.sleep(1.1)  # a backup is named after the second in which it began
    put(place.project / "data/new.yaml", "new: 1\n")


def _backups(place: Place) -> list[Path]:
    return sorted((place.project / "backups").glob("backup_*.tar.gz"))


def _holds(archive: Path, name: str) -> bool:
    if not archive.with_name(f"{archive.name.removesuffix('.tar.gz')}.manifest.json").exists():
        return False
    with tarfile.open(archive) as tar:
        return name in tar.getnames()


def not_backed_up(place: Place) -> Iterator[str]:
    """Yield what is wrong with the backups after one more."""
    archives = _backups(place)
    if not archives or not _holds(archives[-1], "data/new.yaml"):
        yield "the newest backup has not the newest file"
    if len(archives) > 1:
        yield f"{len(archives)} backups are there where one is to stay"


def no_backup(place: Place) -> Iterator[str]:
    """Yield whether there is no whole backup any more."""
    if not any(_holds(archive, "data/Materials.yaml") for archive in _backups(place)):
        yield "there is no whole backup any more"


def back_up(place: Place, inv: Inv) -> None:
    """Make a backup."""
    inv(place, "backup.create")


def not_restored(place: Place) -> Iterator[str]:
    """Yield which file is not in the folder as it is in the project."""
    found, restored = state(place.project), state(place.project / "restored")
    if differ := [name for name in RESTORED if restored.get(name) != found[name]]:
        yield f"not restored: {differ}"


def spoil(place: Place, inv: Inv) -> None:
    """Make a backup, then change and delete files."""
    project = place.project
    place.remember("good", {name: state(project)[name] for name in RESTORED})
    inv(place, "backup.create")
    time.sleep(1.1)  # the backup that the restoring makes first is named after its second
    for name in ("data/Materials.yaml", "config/settings.py", "data/deep/numbers.json"):
        put(project / name, f"spoilt: {name}\n")
    (project / "data/private.yaml").unlink()
    put(project / "data/extra.yaml", "extra: 1\n")
    place.remember("spoilt", {name: state(project).get(name) for name in RESTORED})


def not_put_back(place: Place) -> Iterator[str]:
    """Yield which file is not as in the backup."""
    good, found = place.remembered("good"), state(place.project)
    if differ := [name for name in RESTORED if _plain(found.get(name)) != good[name]]:
        yield f"not as in the backup: {differ}"


def neither_old_nor_new(place: Place) -> Iterator[str]:
    """Yield which file is neither as it was nor as in the backup."""
    good, spoilt, found = place.remembered("good"), place.remembered("spoilt"), state(place.project)
    for name in RESTORED:
        if _plain(found.get(name)) not in (good[name], spoilt[name]):
            yield f"{name} is neither what it was nor what the backup has"
    yield from no_backup(place)


def _plain(entry: tuple[object, ...] | None) -> list[object] | None:
    return None if entry is None else [*entry]


def not_verified(place: Place) -> Iterator[str]:
    """Yield whether the verification is not recorded."""
    if not (place.project / "backups/verified.json").exists():
        yield "what was verified is not recorded"

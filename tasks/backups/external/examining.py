"""One repository: listed, checked by its own program, and restored from."""

from __future__ import annotations

import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import NamedTuple

from ...core.files import safe_files
from ...core.files.validation import fault
from ...core.report.model import Status
from ...core.secrets.keys import Key
from ...core.settings.model import RepositorySettings
from ...core.text.formatting import count, printable, size
from ..verification import Level
from .borg import Borg
from .program import Caller, Failed, Listed, Problem, RepositoryBackend, Snapshot
from .restic import Restic
from .sampling import sample
from .scratch import scratch

KEEPERS: Mapping[str, RepositoryBackend] = {"restic": Restic(), "borg": Borg()}

_OWN_PASSWORDS = ("RESTIC_PASSWORD_FILE", "RESTIC_PASSWORD_COMMAND", "BORG_PASSCOMMAND", "BORG_PASSPHRASE_FD")
"""Other ways in which users give a password to these programs, which then ask for it there."""


class Surroundings(NamedTuple):
    """What the repositories of a project are examined with.

    Attributes:
        root: the project.
        directory: the folder of backups below it, where a scratch folder is made.
        environ: the environment of the run.
        keys: the passwords, by their variables.
        redact: takes secrets out of a text.
        now: the moment of the run, aware of its zone.
        stop: ends it early.
        dry_run: restore nothing, and change nothing in a repository.
    """

    root: Path
    directory: str
    environ: Mapping[str, str]
    keys: Mapping[str, Key]
    redact: Callable[[str], str]
    now: datetime
    stop: Event
    dry_run: bool


class Restored(NamedTuple):
    """What came back of a snapshot: how many files of how many listed, their bytes, and the broken among them."""

    files: int
    of: int
    is_more: bool
    bytes: int
    faults: tuple[tuple[str, str], ...]

    def told(self) -> str:
        """Return it in words."""
        total = f"more than {count(self.of, 'file')}" if self.is_more else count(self.of, "file")
        is_all = self.files == self.of and not self.is_more
        return f"{total if is_all else f'{self.files:,} of {total}'} ({size(self.bytes)})"


class Examined(NamedTuple):
    """What was found of one repository.

    Attributes:
        snapshots: what it holds, the newest first.
        level: the highest that it reached; ``None`` where it could not be listed or is empty.
        unlisted: why it could not be listed.
        checked: what its check covered, as the end of a sentence.
        failed_check: why the check did not pass.
        restored: what was restored; ``None`` where nothing was tried or it failed.
        failed_restore: why nothing could be restored.
    """

    snapshots: Sequence[Snapshot] = ()
    level: Level | None = None
    unlisted: Problem | None = None
    checked: str = ""
    failed_check: Problem | None = None
    restored: Restored | None = None
    failed_restore: Problem | None = None


def examine(own: RepositorySettings, part: tuple[int, int], around: Surroundings) -> Examined:
    """List, check and restore from one repository.

    Args:
        own: its settings.
        part: which part of how many of its data the check reads; 0 of 0 for none.
        around: what it is examined with.
    """
    if shutil.which(own.program, path=around.environ.get("PATH", "")) is None:
        remedy = f"Install it (apt install {_PACKAGES[own.program]}), or take the repository out of the settings."
        return Examined(unlisted=Problem(f"{own.program} is not installed", Status.UNKNOWN, remedy))
    password = _password(own, around)
    if isinstance(password, Problem):
        return Examined(unlisted=password)
    keeper = KEEPERS[own.program]
    with tempfile.TemporaryDirectory(prefix="maintenance-") as state:
        environ = keeper.environment(around.environ, password, Path(state))
        call = Caller(
            own.program,
            own.location,
            own.variable,
            environ,
            around.root,
            Path(state),
            own.deadline_seconds,
            around.stop,
            around.redact,
        )
        return _examined(keeper, call, own, part, around)


_PACKAGES = {"restic": "restic", "borg": "borgbackup"}


def _password(own: RepositorySettings, around: Surroundings) -> str | Problem | None:
    """Return the password as it is set; ``None`` where the program is to find it by itself, or needs none."""
    if around.environ.get(own.variable):
        return around.environ[own.variable]
    key = around.keys.get(own.variable, Key("", ""))
    if key.value:
        return key.value
    if own.program == "borg" or any(around.environ.get(name) for name in _OWN_PASSWORDS):
        return None
    message = f"its password is missing: {own.variable} {key.problem or 'is not set'}"
    return Problem(message, Status.UNKNOWN, f"Set {own.variable} to it, in the environment or in .env.")


def _examined(
    keeper: RepositoryBackend, call: Caller, own: RepositorySettings, part: tuple[int, int], around: Surroundings
) -> Examined:
    try:
        snapshots = keeper.snapshots(call)
    except Failed as error:
        return Examined(unlisted=error.problem)
    if not snapshots:
        return Examined()
    checked, failed_check = "", None
    try:
        checked = keeper.check(call, *part, read_only=around.dry_run)
    except Failed as error:
        failed_check = error.problem
    restored, failed_restore = None, None
    # What is damaged is not asked for: restic would try for a quarter of an hour to read data that is gone.
    is_damaged = failed_check is not None and failed_check.status is Status.CRITICAL
    if not around.dry_run and not around.stop.is_set() and not is_damaged:
        try:
            restored = _restored(keeper, call, snapshots[0], own, around)
        except Failed as error:
            failed_restore = error.problem
    level = Level.PRESENT
    if failed_check is None:
        level = Level.INTACT if restored is None else Level.RESTORED
    return Examined(snapshots, level, None, checked, failed_check, restored, failed_restore)


def _restored(
    keeper: RepositoryBackend, call: Caller, snapshot: Snapshot, own: RepositorySettings, around: Surroundings
) -> Restored:
    """Restore files of a snapshot and look at each of them.

    Raises:
        Failed: they are not there as they were listed, or nothing could be restored.
    """
    listing = keeper.listing(call, snapshot)
    chosen, is_whole = sample(listing, own.restore_mb * 1e6, around.now)
    if not chosen:
        message = f"none of its {count(len(listing.files), 'file')} is small enough to be restored"
        raise Failed(Problem(message, Status.WARNING, "Raise restore_mb."))
    try:
        with scratch(around.root, around.directory) as folder:
            keeper.restore(call, snapshot, None if is_whole else [each.path for each in chosen], folder)
            faults = tuple(_faults(folder, chosen))
    except (safe_files.Refused, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else printable(error).rstrip(".")
        message = f"it could not be restored here: {reason}"
        raise Failed(Problem(message, Status.UNKNOWN, "See that the folder of backups can be written.")) from None
    total = sum(each.size for each in chosen)
    return Restored(len(chosen), len(listing.files), listing.cut, total, faults)


def _faults(folder: Path, chosen: Sequence[Listed]) -> Iterator[tuple[str, str]]:
    """Yield the files that are broken by their own format.

    Raises:
        Failed: a file did not come back, or with another size.
    """
    for each in chosen:
        path = folder / each.path
        try:
            status = path.lstat()
        except OSError:
            raise _odd(each, "did not come back") from None
        if not stat.S_ISREG(status.st_mode) or status.st_size != each.size:
            raise _odd(each, "came back with another size or kind")
        if found := fault(path, each.path):
            yield each.path, found


def _odd(each: Listed, what: str) -> Failed:
    remedy = "Look at the repository; see that new backups are made elsewhere until it is well."
    return Failed(Problem(f'"{printable(each.path)}" {what}', Status.CRITICAL, remedy))

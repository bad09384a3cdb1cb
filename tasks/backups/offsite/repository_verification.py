"""One repository of restic or borg: listed, checked by its own program, and restored from into a folder of its own."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import NamedTuple

from ...core.files import safe_files
from ...core.files.tree_removal import remove_tree
from ...core.files.validation import fault
from ...core.report.model import Status
from ...core.secrets.keys import Key
from ...core.settings.model import RepositorySettings
from ...core.text.formatting import count, printable, size
from ..verification_findings import Level
from .borg_backend import Borg
from .repository_backend import (
    BackendFailed,
    ListedFile,
    Listing,
    Problem,
    ProgramCaller,
    RepositoryBackend,
    Snapshot,
    missing_password,
)
from .repository_sample import candidates, files_to_restore, holds_project
from .restic_backend import Restic

BACKENDS: Mapping[str, RepositoryBackend] = {"restic": Restic(), "borg": Borg()}

_OWN_PASSWORDS = {
    "restic": ("RESTIC_PASSWORD_FILE", "RESTIC_PASSWORD_COMMAND"),
    "borg": ("BORG_PASSPHRASE", "BORG_PASSCOMMAND", "BORG_PASSPHRASE_FD"),
}
"""Other ways in which users give a password to these programs, which then ask for it there."""


class RepositoryContext(NamedTuple):
    """What every repository of a project is verified with.

    Attributes:
        root: the project.
        directory: the folder of backups below it, where a scratch folder is made.
        environ: the environment of the run.
        keys: the passwords, by their variables.
        redact: takes secrets out of a text.
        now: the moment of the run, aware of its zone.
        stop: ends it early.
        dry_run: restore nothing, and change nothing in a repository.
        files: the project's files that are backed up, by their paths below the root.
    """

    root: Path
    directory: str
    environ: Mapping[str, str]
    keys: Mapping[str, Key]
    redact: Callable[[str], str]
    now: datetime
    stop: Event
    dry_run: bool
    files: Collection[str] = frozenset()


class RestoredSample(NamedTuple):
    """What came back of a snapshot: how many files of how many listed, their bytes, and the broken among them."""

    files: int
    of: int
    is_more: bool
    bytes: int
    faults: tuple[tuple[str, str], ...]

    def in_words(self) -> str:
        """Return it in words."""
        total = f"more than {count(self.of, 'file')}" if self.is_more else count(self.of, "file")
        is_all = self.files == self.of and not self.is_more
        return f"{total if is_all else f'{self.files:,} of {total}'} ({size(self.bytes)})"


class VerifiedRepository(NamedTuple):
    """What was found of one repository.

    Attributes:
        snapshots: what it holds, the newest first.
        level: the highest that it reached; ``None`` where it could not be listed or is empty.
        unlisted: why it could not be listed.
        checked: what its check covered, as the end of a sentence.
        failed_check: why the check did not pass.
        restored: what was restored; ``None`` where nothing was tried or it failed.
        failed_restore: why nothing could be restored.
        newest: the newest snapshot that holds anything of the project; ``None`` where none was found.
    """

    snapshots: Sequence[Snapshot] = ()
    level: Level | None = None
    unlisted: Problem | None = None
    checked: str = ""
    failed_check: Problem | None = None
    restored: RestoredSample | None = None
    failed_restore: Problem | None = None
    newest: Snapshot | None = None


def verify_repository(own: RepositorySettings, part: tuple[int, int], context: RepositoryContext) -> VerifiedRepository:
    """List, check and restore from one repository.

    Args:
        own: its settings.
        part: which part of how many of its data the check reads; 0 of 0 for none.
        context: what every repository of the project is verified with.
    """
    if shutil.which(own.program, path=context.environ.get("PATH", "")) is None:
        remedy = f"Install it (apt install {_PACKAGES[own.program]}), or take the repository out of the settings."
        return VerifiedRepository(unlisted=Problem(f"{own.program} is not installed", Status.UNKNOWN, remedy))
    if other := _repository_of_other(own, context.root):
        return VerifiedRepository(unlisted=other)
    password, missing = _password(own, context)
    if missing and (own.program == "restic" or own.password_env):
        return VerifiedRepository(unlisted=missing_password(own.variable, missing))
    backend = BACKENDS[own.program]
    with tempfile.TemporaryDirectory(prefix="maintenance-") as state:
        environ = backend.environment(context.environ, password, Path(state))
        call = ProgramCaller(
            own.program,
            own.location,
            own.variable,
            missing,
            environ,
            context.root,
            Path(state),
            own.deadline_seconds,
            context.stop,
            context.redact,
        )
        return _verified(backend, call, own, part, context)


_PACKAGES = {"restic": "restic", "borg": "borgbackup"}


def _password(own: RepositorySettings, context: RepositoryContext) -> tuple[str | None, str]:
    """Return the password as it is set, and why none is known.

    There is neither where the program finds it by itself. A repository of borg may need none, which borg says.
    """
    if context.environ.get(own.variable):
        return context.environ[own.variable], ""
    key = context.keys.get(own.variable, Key("", ""))
    if key.value:
        return key.value, ""
    if not own.password_env and any(context.environ.get(name) for name in _OWN_PASSWORDS[own.program]):
        return None, ""
    return None, key.problem or "is not set"


_RESTIC_FOLDERS = ("data", "index", "keys", "snapshots")


def _repository_of_other(own: RepositorySettings, root: Path) -> Problem | None:
    """Return that the repository in a folder is one of the other program, whose own messages would mislead."""
    folder = root / own.location.removeprefix("local:").removeprefix("file://")
    with suppress(OSError, ValueError):
        descriptor = os.open(folder / "config", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            is_borg = os.read(descriptor, len(_BORG)) == _BORG
        finally:
            os.close(descriptor)
        is_restic = not is_borg and all((folder / name).is_dir() for name in _RESTIC_FOLDERS)
        found = "borg" if is_borg else "restic" if is_restic else own.program
        if found != own.program:
            message = f"it is a repository of {found}, not of {own.program}"
            return Problem(message, Status.CRITICAL, f"Set program: {found}, or correct location.")
    return None


_BORG = b"[repository]"
"""What the configuration of a repository of borg begins with; that of restic is encrypted."""


def _verified(
    backend: RepositoryBackend,
    call: ProgramCaller,
    own: RepositorySettings,
    part: tuple[int, int],
    context: RepositoryContext,
) -> VerifiedRepository:
    try:
        snapshots = backend.snapshots(call)
    except BackendFailed as error:
        return VerifiedRepository(unlisted=error.problem)
    if not snapshots:
        return VerifiedRepository()
    checked, failed_check = "", None
    try:
        checked = backend.check(call, *part, read_only=context.dry_run)
    except BackendFailed as error:
        failed_check = error.problem
    restored, failed_restore = None, None
    newest: Snapshot | None = snapshots[0]
    # What is damaged is not asked for: restic would try for a quarter of an hour to read data that is gone.
    is_damaged = failed_check is not None and failed_check.status is Status.CRITICAL
    if not context.dry_run and not context.stop.is_set() and not is_damaged:
        try:
            newest, listing = _newest_of_project(backend, call, snapshots, context)
            restored = _restored(backend, call, newest, listing, own, context)
        except _NothingOfProject as error:
            newest, failed_restore = None, error.problem
        except BackendFailed as error:
            failed_restore = error.problem
    level = Level.PRESENT
    if failed_check is None:
        level = Level.INTACT if restored is None else Level.RESTORED
    return VerifiedRepository(snapshots, level, None, checked, failed_check, restored, failed_restore, newest)


class _NothingOfProject(BackendFailed):
    """No snapshot holds anything of the project."""


def _newest_of_project(
    backend: RepositoryBackend, call: ProgramCaller, snapshots: Sequence[Snapshot], context: RepositoryContext
) -> tuple[Snapshot, Listing]:
    """Return the newest snapshot that holds a file of the project, with its files.

    Where nothing is there to back up, or a snapshot is too large to be listed whole, that is the newest of all.

    Raises:
        BackendFailed: it could not be listed; :class:`_NothingOfProject`: there is none.
    """
    looked_at = candidates(snapshots)
    number = 0
    for snapshot in looked_at:
        listing = backend.listing(call, snapshot)
        if not context.files or holds_project(listing, context.files) is not False:
            return snapshot, listing
        number += len(listing.files)
    many = count(len(looked_at), "snapshot")
    message = f"it holds nothing of this project: none of the {count(number, 'file')} in {many} is one of its own"
    raise _NothingOfProject(
        Problem(message, Status.CRITICAL, "Back up the project into it, or name its own repository.")
    )


def _restored(
    backend: RepositoryBackend,
    call: ProgramCaller,
    snapshot: Snapshot,
    listing: Listing,
    own: RepositorySettings,
    context: RepositoryContext,
) -> RestoredSample:
    """Restore files of a snapshot and look at each of them.

    Raises:
        Failed: they are not there as they were listed, or nothing could be restored.
    """
    chosen, is_whole = files_to_restore(listing, own.restore_mb * 1e6, context.now)
    if not chosen:
        message = f"none of its {count(len(listing.files), 'file')} is small enough to be restored"
        raise BackendFailed(Problem(message, Status.WARNING, "Raise restore_mb."))
    try:
        with restore_folder(context.root, context.directory) as folder:
            backend.restore(call, snapshot, None if is_whole else [each.path for each in chosen], folder)
            faults = tuple(_faults(folder, chosen, context.stop))
    except (safe_files.Refused, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else printable(error).rstrip(".")
        message = f"it could not be restored here: {reason}"
        raise BackendFailed(
            Problem(message, Status.UNKNOWN, "See that the folder of backups can be written.")
        ) from None
    total = sum(each.size for each in chosen)
    return RestoredSample(len(chosen), len(listing.files), listing.cut, total, faults)


def _faults(folder: Path, chosen: Sequence[ListedFile], stop: Event) -> Iterator[tuple[str, str]]:
    """Yield the files that are broken by their own format.

    Raises:
        Failed: a file did not come back, or with another size.
    """
    for each in chosen:
        path = folder / each.path
        try:
            status = path.lstat()
        except OSError:
            raise _came_back_wrong(each, "did not come back") from None
        if not stat.S_ISREG(status.st_mode) or status.st_size != each.size:
            raise _came_back_wrong(each, "came back with another size or kind")
        if found := fault(path, each.path, stop):
            yield each.path, found


def _came_back_wrong(each: ListedFile, what: str) -> BackendFailed:
    remedy = "Look at the repository; see that new backups are made elsewhere until it is well."
    return BackendFailed(Problem(f'"{printable(each.path)}" {what}', Status.CRITICAL, remedy))


RESTORE_FOLDER = ".restore-external"


@contextmanager
def restore_folder(root: Path, directory: str) -> Iterator[Path]:
    """Make the folder below *directory*, which only its owner can enter, and remove it at the end.

    Raises:
        Refused, OSError: it cannot be made, or what a killed run left there cannot be removed.
    """
    is_new = not (root / directory).exists()
    with safe_files.folder(root, directory, create=True) as parent:
        try:
            remove_tree(parent, RESTORE_FOLDER)
            os.mkdir(RESTORE_FOLDER, 0o700, dir_fd=parent)
            yield root / directory / RESTORE_FOLDER
        finally:
            with suppress(OSError):
                remove_tree(parent, RESTORE_FOLDER)
            if is_new:
                with suppress(OSError):  # something else is in it by now
                    (root / directory).rmdir()

"""What ``backup.create`` reports, and what an unreadable source means for the verdict: pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..core.report.model import Action, Finding, Status
from ..core.settings.model import BackupSettings
from ..core.text.formatting import count, listed, printable, size
from . import attributes
from .archive_format import Damaged
from .archive_making import NothingRead
from .archive_writing import Written
from .backup_folder import Backup
from .backup_history import vanished
from .source_selection import Selected

_SHOWN = 3

_NAMED = 20
"""So many unreadable sources have a finding of their own."""

CANNOT_BE_READ = "Let the user of this run read it; if its disk is failing, copy what is left of it first."


def unread_findings(check: str, unread: Sequence[tuple[str, str]]) -> Iterator[Finding]:
    """Yield a critical finding for each source that cannot be read, and one for all beyond the first 20.

    Args:
        check: the id of the check.
        unread: paths below the root, with the reason as a clause.
    """
    for path, reason in unread[:_NAMED]:
        message = f"Not backed up: {reason}."
        yield _finding(Status.CRITICAL, path, message, CANNOT_BE_READ, check)
    if rest := [path for path, _ in unread[_NAMED:]]:
        message = f"{count(len(rest), 'more entry', 'more entries')} not backed up: {listed(rest, len(rest), _SHOWN)}."
        yield _finding(Status.CRITICAL, "sources", message, CANNOT_BE_READ, check)


def left_out(selected: Selected) -> Iterator[Finding]:
    """Yield what is there and not in the backup: what cannot be read, and links and the like."""
    yield from unread_findings("backup.create", selected.unread)
    if selected.left:
        entries = [f"{printable(path)} ({reason})" for path, reason in selected.left]
        message = f"{count(len(entries), 'entry', 'entries')} left out: {_first(entries)}."
        remedy = "Name what a link leads to in backups.sources, or leave these out in backups.exclude."
        yield _finding(Status.WARNING, "sources", message, remedy)
    if selected.missing:
        names = listed(selected.missing, len(selected.missing))
        status = Status.OK if selected.entries else Status.SKIPPED  # that something was backed up is what counts
        yield _finding(status, "sources", f"Nothing is there of {names}.", None)


def vanished_sources(found: Sequence[Backup], selected: Selected, sources: Sequence[str]) -> Iterator[Finding]:
    """Yield a warning where nothing is there any more of what the last backup holds: a disk may not be mounted."""
    if gone := vanished(found, selected, sources):
        remedy = (
            "See whether a disk is not mounted; what the last backup holds comes back with inv backup.restore. If it "
            "is to be gone, take it out of backups.sources: until then that backup is kept."
        )
        yield _finding(
            Status.WARNING, "sources", f"Of what the last backup holds, nothing is there any more: {gone}.", remedy
        )


def not_as_selected(written: Written) -> Iterator[Finding]:
    """Yield what could not be read, what had gone, and what changed while it was read."""
    yield from unread_findings("backup.create", written.unread)
    if written.lost:
        entries = [f"{printable(path)} ({names})" for path, names in written.lost]
        message = f"Attributes that are not kept: {_first(entries)}."
        yield _finding(Status.WARNING, "attributes", message, "Note how they are given, for the time after a restore.")
    if not attributes.HAS_ATTRIBUTES:
        message = "Extended attributes and access control lists are not kept on this system."
        yield _finding(Status.OK, "attributes", message, None)
    changed = [printable(entry.name) for entry in written.manifest.entries if entry.changed]
    if changed:
        message = f"{count(len(changed), 'file')} changed while being read: {listed(changed, len(changed), _SHOWN)}."
        yield _finding(Status.WARNING, "sources", message, "Make the backup while nobody writes these.")
    if written.gone:
        entries = [f"{printable(path)} ({reason})" for path, reason in written.gone]
        message = f"{count(len(entries), 'entry', 'entries')} not backed up: {_first(entries)}."
        yield _finding(Status.WARNING, "sources", message, "Run it again while nobody moves these.")


def _first(entries: Sequence[str]) -> str:
    more = f" and {len(entries) - _SHOWN:,} more" if len(entries) > _SHOWN else ""
    return f"{'; '.join(entries[:_SHOWN])}{more}"


def nothing_findings(own: BackupSettings, findings: Sequence[Finding]) -> Iterator[Finding]:
    """Yield that there is nothing to back up, where no other finding says why."""
    if all(each.status is Status.SKIPPED for each in findings):
        sources = listed(own.sources, len(own.sources))
        yield _finding(Status.SKIPPED, own.directory, f"There is nothing to back up in {sources}.", None)


def failure_findings(directory: str, error: Exception) -> Iterator[Finding]:
    """Yield why no archive was made."""
    if isinstance(error, NothingRead):
        yield from unread_findings("backup.create", error.written.unread)
        message, remedy = "No archive was made: nothing of what is to be backed up can be read.", CANNOT_BE_READ
    elif isinstance(error, Damaged):
        message = f"The archive was written and did not read back well: {error}. It was removed."
        remedy = "Look at the disk, then run it again."
    else:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else printable(error).rstrip(".")
        message, remedy = (
            f"No archive could be written: {reason}.",
            "Make room, and see that the folder can be written.",
        )
    yield _finding(Status.CRITICAL, directory, message, remedy)


def held_finding(directory: str, backup: Backup, changed: int) -> Finding:
    """Return that nothing was changed since a backup; *changed* of the suite's own files were."""
    entries = backup.manifest.entries if backup.manifest is not None else []
    files = [entry.size for entry in entries if entry.is_file]
    own = f" {count(changed, 'file')} of the suite itself changed and will be in the next archive." if changed else ""
    message = (
        f"Nothing changed since this backup was made on {backup.made:%Y-%m-%d %H:%M}: it holds "
        f"{count(len(files), 'file')} of {size(sum(files))}, and its SHA-256 is right.{own}"
    )
    return _finding(Status.OK, f"{directory}/{backup.name}", message, None)


def not_as_written(directory: str, backup: Backup) -> Finding:
    """Return that the newest backup cannot be relied on."""
    message = "It holds the present state, and is not the archive that was written; another one is made."
    remedy = "Delete it, and look at the disk: inv quarterly.backup-verification says what is wrong with it."
    return _finding(Status.WARNING, f"{directory}/{backup.name}", message, remedy)


def not_confirmed(directory: str, backup: Backup, error: Exception) -> Finding:
    """Return that the age of a backup could not be renewed."""
    message = f"That nothing changed could not be kept beside {backup.name}: {printable(error).rstrip('.')}."
    return _finding(Status.WARNING, directory, message, "Make room, and see that the folder can be written.")


def not_deleted(directory: str, backup: Backup, error: Exception) -> Finding:
    """Return that an outdated backup is still there."""
    message = f"{printable(backup.name)} is outdated and could not be deleted: {printable(error)}."
    return _finding(Status.WARNING, directory, message, "See that the folder can be written.")


def creation_finding(status: Status, subject: str, message: str, remedy: str | None) -> Finding:
    """Return a finding of ``backup.create``."""
    return _finding(status, subject, message, remedy)


def _finding(status: Status, subject: str, message: str, remedy: str | None, check: str = "backup.create") -> Finding:
    return Finding(check=check, subject=printable(subject), status=status, message=message, remedy=remedy)


def write_action(directory: str, name: str, *, done: bool) -> Action:
    """Return that a file is written to the folder of the backups."""
    return Action(verb="write", target=f"{directory}/{name}", done=done)


def delete_action(directory: str, backup: Backup, *, done: bool) -> Action:
    """Return that a backup is deleted."""
    return Action(verb="delete", target=f"{directory}/{printable(backup.name)}", bytes=backup.size, done=done)

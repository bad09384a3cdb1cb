"""The folders that the project writes to: whether it can write there, and which of them are missing."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path, PurePosixPath

from ..core.files import safe_files
from ..core.files.lock import project_lock
from ..core.report.model import Action, Finding, Report, Status
from ..core.text.formatting import count, listed, printable
from .ports import TASK, Context

_UNSUPPORTED = frozenset({errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT})
"""How kernels and file systems say that they have no files without a name (open(2))."""

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""No blocks or inodes, none left to this user, or a limit on what it may write."""


def folder_findings(context: Context) -> Iterator[Finding]:
    """Yield what keeps the project from writing, and which folders are missing.

    A reason that holds for the root, such as a full disk, is reported once; so is a closed folder with all below it.
    """
    missing: list[str] = []
    refused: dict[str, int | None] = {}
    for path in (".", *context.folders):
        if any(PurePosixPath(path).is_relative_to(above) for above in refused if above != "."):
            continue
        try:
            reason = _why_not(context, path)
        except FileNotFoundError:
            missing.append(path)
            continue
        if isinstance(reason, safe_files.Refused):
            refused[path] = None
            yield _closed(path, str(reason), "See that a folder of its own is in this place.")
        elif reason is not None and refused.get(".") != reason.errno:
            refused[path] = reason.errno
            message = f"Nothing can be written there: {reason.strerror}."
            yield _closed(path, message, _remedy(context.root / path, reason))
    if missing:
        yield Finding(
            check="recovery.structure",
            subject="structure",
            status=Status.WARNING,
            message=f"{count(len(missing), 'folder is', 'folders are')} missing: {listed(missing, len(missing))}.",
            value=len(missing),
            unit="folders",
            remedy="inv emergency.recover --only structure makes what is missing.",
        )


def _why_not(context: Context, path: str) -> safe_files.Refused | OSError | None:
    """Return what keeps us from writing into a folder.

    Raises:
        FileNotFoundError: it is missing.
    """
    try:
        with safe_files.folder(context.root, path) as descriptor:
            return refusal(descriptor)
    except FileNotFoundError:
        raise
    except (safe_files.Refused, OSError) as error:
        return error


def refusal(descriptor: int) -> OSError | None:
    """Return what keeps us from writing a file into an open folder; ``None`` where nothing does.

    It is tried with a file that has no name and so leaves nothing behind, not even another time of the folder's last
    change. Where there are no such files, the permissions decide.
    """
    nameless = getattr(os, "O_TMPFILE", None)  # Linux
    try:
        if nameless is not None:
            probe = os.open(".", nameless | os.O_WRONLY | os.O_CLOEXEC, 0o600, dir_fd=descriptor)
            try:
                os.write(probe, b"\0")
            finally:
                os.close(probe)
            return None
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            return error
    if os.access(".", os.W_OK | os.X_OK, dir_fd=descriptor):
        return None
    return PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def _closed(path: str, message: str, remedy: str) -> Finding:
    return Finding(
        check="recovery.folder", subject=printable(path), status=Status.CRITICAL, message=message, remedy=remedy
    )


def _remedy(path: Path, error: OSError) -> str:
    if error.errno in _FULL:
        return "Make room: delete or move what is not needed."
    if error.errno == errno.EROFS:
        return "Mount it so that it can be written; dmesg may tell why it is not."
    return (
        f"ls -ld {printable(path)} shows whose it is: run it as that user, or let this one write there (chown, chmod)."
    )


def create_folders(context: Context) -> Report:
    """Make the folders that are missing; what is in the place of one is a finding of :func:`folder_findings`.

    Raises:
        NotAcquired: the project's lock could not be had.
    """
    made: list[str] = []
    closed: list[str] = []
    failed: dict[str, Finding] = {}
    with nullcontext() if context.dry_run else project_lock(context.root, TASK, context.now):
        for path in context.folders:
            if any(PurePosixPath(path).is_relative_to(above) for above in failed):
                continue
            try:
                if _create(context, path):
                    made.append(path)
            except _NotCreated as error:
                failed[path] = _not_created(path, str(error))
            except (safe_files.Refused, OSError):
                closed.append(path)
    would = "would be " if context.dry_run else ""
    message = f"{count(len(made), 'missing folder')} {would}made." if made else "No folder is missing."
    if closed and not made:
        message = "No folder was made: something is in the place of one, or one is closed."
    findings = [*failed.values()] or [
        Finding(check="recovery.structure", subject="structure", status=Status.OK, message=message)
    ]
    actions = [Action(verb="create", target=printable(path), done=not context.dry_run) for path in made]
    return Report(summary=message, findings=findings, actions=actions)


class _NotCreated(Exception):
    """A folder that is missing could not be made; the message says why, as a sentence."""


def _create(context: Context, path: str) -> bool:
    """Make a folder where it is missing, and return whether it was.

    Raises:
        _Unmade: it is missing, and cannot be made.
        Refused, OSError: something else is in its place, or it cannot be opened.
    """
    try:
        with safe_files.folder(context.root, path):
            return False
    except FileNotFoundError:
        try:
            if not context.dry_run:
                with safe_files.folder(context.root, path, create=True):
                    pass
        except OSError as error:
            raise _NotCreated(f"It could not be made: {error.strerror}.") from None
        return True


def _not_created(path: str, message: str) -> Finding:
    remedy = "Put that right, then run inv emergency.recover --only structure."
    return Finding(
        check="recovery.structure", subject=printable(path), status=Status.CRITICAL, message=message, remedy=remedy
    )

"""The folders that the project writes to: whether it can, and what is missing of them."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

from ..core import files
from ..core.lock import project_lock
from ..core.names import count, listed, printable
from ..core.report import Action, Finding, Report, Status
from .means import TASK, Scene

_UNSUPPORTED = frozenset({errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT})
"""How kernels and file systems say that they have no files without a name (open(2))."""

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""No blocks or inodes, none left to this user, or a limit on what it may write."""


def folder_findings(scene: Scene) -> Iterator[Finding]:
    """Yield what keeps the project from writing, and which folders are missing; that the disk is full, once."""
    missing, full = [], False
    for path in (".", *scene.folders):
        try:
            with files.folder(scene.root, path) as descriptor:
                reason = refusal(descriptor)
        except FileNotFoundError:
            missing.append(path)
        except files.Refused as error:
            yield _closed(path, str(error), "See that a folder of its own is in this place.")
        except OSError as error:
            yield _closed(path, f"It cannot be opened: {error.strerror}.", _remedy(scene.root / path, error))
        else:
            if reason is not None and not (full and reason.errno in _FULL):
                full = reason.errno in _FULL
                message = f"Nothing can be written there: {reason.strerror}."
                yield _closed(path, message, _remedy(scene.root / path, reason))
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


def refusal(descriptor: int) -> OSError | None:
    """Return what keeps us from writing a file into an open folder; ``None`` where nothing does.

    It is tried with a file that has no name and so leaves nothing behind, not even another time of the folder's last
    change. Where there are no such files, the permissions tell.
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


def rebuild(scene: Scene) -> Report:
    """Make the folders that are missing.

    Raises:
        NotAcquired: the project's lock could not be had.
    """
    made, findings = [], []
    with nullcontext() if scene.dry_run else project_lock(scene.root, TASK, scene.now):
        for path in scene.folders:
            try:
                if _make(scene, path):
                    made.append(path)
            except files.Refused as error:
                findings.append(_unmade(path, str(error)))
            except OSError as error:
                findings.append(_unmade(path, f"It could not be made: {error.strerror}."))
    would = "would be " if scene.dry_run else ""
    message = f"{count(len(made), 'missing folder')} {would}made." if made else "No folder is missing."
    if not findings:
        findings = [Finding(check="recovery.structure", subject="structure", status=Status.OK, message=message)]
    actions = [Action(verb="create", target=printable(path), done=not scene.dry_run) for path in made]
    return Report(summary=message, findings=findings, actions=actions)


def _make(scene: Scene, path: str) -> bool:
    """Make a folder where it is missing, and tell whether it was."""
    try:
        with files.folder(scene.root, path):
            return False
    except FileNotFoundError:
        if not scene.dry_run:
            with files.folder(scene.root, path, create=True):
                pass
        return True


def _unmade(path: str, message: str) -> Finding:
    remedy = "Put that right, then run inv emergency.recover --only structure."
    return Finding(
        check="recovery.structure", subject=printable(path), status=Status.CRITICAL, message=message, remedy=remedy
    )

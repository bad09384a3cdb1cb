"""Who can read and change the files that hold keys, by their modes; their contents are never shown.

Files that Git tracks have no mode to judge: Git keeps none but whether a file can be executed, so that a checkout
gives all of them the same.
"""

from __future__ import annotations

import shlex
import stat
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from ...core.files import safe_files
from ...core.report.model import Finding, Status
from ...core.text.formatting import count, listed, printable
from ..audit_checks import PERMISSIONS
from .key_contents import holds_keys
from .key_files import MOST, KeyFile, KeyFileWalk

_LIMIT = 2_000_000
"""Bytes of a file up to which it is looked into for whether it holds keys: bundles of certificates are the longest."""

_WITHOUT_MODES = frozenset(
    {"vfat", "msdos", "exfat", "ntfs", "ntfs3", "fuseblk", "9p", "drvfs", "cifs", "smb3", "smbfs"}
)
"""File systems that have no modes of their own: every file shows the same, and chmod changes nothing."""

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


class Mount(NamedTuple):
    """A folder of the system and the type of the file system on it."""

    folder: str
    type: str


def mounts() -> list[Mount]:
    """Return the file systems of this machine; none where the system does not say."""
    import psutil

    try:
        return [Mount(each.mountpoint, each.fstype) for each in psutil.disk_partitions(all=True)]
    except (OSError, RuntimeError):
        return []


def permission_findings(
    root: Path, walked: KeyFileWalk, mounted: Iterable[Mount], tracked: Collection[str]
) -> list[Finding]:
    """Return a finding for each file with keys that others can read or change, and for each folder that they can.

    Args:
        root: the project.
        walked: its files whose names say that they hold keys.
        mounted: the file systems of the machine: some have no modes.
        tracked: the files that Git tracks.
    """
    findings = [*_not_seen(walked)]
    if kind := _without_modes(root, mounted):
        message = f"The project is on a file system without permissions ({kind}), so there are none to judge."
        return [*findings, PERMISSIONS.finding(Status.SKIPPED, ".", message)]
    private = [each for each in walked.keys if _holds_keys(root, each.path)]
    evaluated = [each for each in private if each.path not in tracked]
    findings += [found for each in evaluated for found in _mode_findings(each)]
    findings += _folder_findings(evaluated)
    return findings or [_well(len(walked.keys), private, evaluated)]


def _well(looked_at: int, private: Sequence[KeyFile], evaluated: Sequence[KeyFile]) -> Finding:
    """Return the finding where no mode is wrong, with what was looked at and what was not evaluated."""
    in_git = len(private) - len(evaluated)
    note = f" {count(in_git, 'file')} with keys in Git, which keeps no such mode: see audit.secrets." if in_git else ""
    if evaluated:
        message = f"{count(len(evaluated), 'file')} with keys: nobody but the owner can read or change them.{note}"
        return PERMISSIONS.finding(Status.OK, ".", message, value=len(evaluated), unit="files")
    if private:
        return PERMISSIONS.finding(Status.SKIPPED, ".", note.strip())
    message = "There is no .env and no file with a private key."
    if looked_at:
        message = f"No key is in the {count(looked_at, 'file')} whose names say that they may hold some."
    return PERMISSIONS.finding(Status.SKIPPED, ".", message)


def _not_seen(walked: KeyFileWalk) -> Iterator[Finding]:
    if walked.unread:
        message = f"{listed(walked.unread, len(walked.unread))} cannot be looked into for files with keys."
        remedy = "Run the audit as a user who can, or see what the folders are."
        yield PERMISSIONS.finding(Status.UNKNOWN, ".", message, remedy)
    if not walked.whole:
        message = f"Not all of it was looked through for files with keys: it was stopped, or has over {MOST:,} entries."
        yield PERMISSIONS.finding(Status.UNKNOWN, ".", message)


def _without_modes(root: Path, mounted: Iterable[Mount]) -> str | None:
    """Return the type of the root's file system where it has no modes."""
    place = root.resolve()
    around = [each for each in mounted if place.is_relative_to(each.folder)]
    nearest = max(around, key=lambda each: len(each.folder), default=Mount("/", ""))
    return nearest.type if nearest.type.lower() in _WITHOUT_MODES else None


def _holds_keys(root: Path, path: str) -> bool:
    try:
        return holds_keys(path, safe_files.read(root, path, limit=_LIMIT))
    except (safe_files.Refused, OSError):  # a file that cannot be read counts as private
        return True


def _mode_findings(key: KeyFile) -> Iterator[Finding]:
    mode = stat.S_IMODE(key.status.st_mode)
    if mode & _OTHERS_WRITE:
        status, what = Status.CRITICAL, "others than its owner can change it"
    elif mode & stat.S_IROTH:
        status, what = Status.CRITICAL, "every user of this machine can read it"
    elif mode & stat.S_IRGRP:
        status, what = Status.WARNING, "its group can read it"
    else:
        return
    remedy = f"chmod 600 {_quoted(key.path)}"
    yield PERMISSIONS.finding(status, printable(key.path), f"It holds keys, and {what} (mode {mode:04o}).", remedy)


def _folder_findings(keys: Iterable[KeyFile]) -> Iterator[Finding]:
    """Yield a finding for each folder in which everyone can put another file in a key's place."""
    folders = {str(PurePosixPath(each.path).parent): each.folder.st_mode for each in keys}
    for path, mode in sorted(folders.items()):
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:  # the sticky bit leaves files to their owners
            message = f"It holds a file with keys, and every user can replace that (mode {stat.S_IMODE(mode):04o})."
            yield PERMISSIONS.finding(Status.WARNING, printable(path), message, f"chmod o-w {_quoted(path)}")


def _quoted(path: str) -> str:
    """Return a path for a shell, so that it is no option."""
    return shlex.quote(printable(f"./{path}" if path.startswith("-") else path))

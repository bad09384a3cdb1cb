"""Whether root may change a project: not where another user can write in it.

Whoever can write in a folder can exchange what is in it while a process of root works there, and a name that root looks
up twice may lead elsewhere the second time. Others draw the same line: logrotate rotates in such a folder only as its
owner (``su``), and systemd-tmpfiles refuses paths that lead from a user's folder to what is another's ("unsafe path
transition"). So root refuses, and says as whom to run.
"""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from ..report.model import FOREIGN_PROJECT, Finding, Report, Status
from ..settings.model import Settings
from ..text.formatting import printable


class FolderOwner(NamedTuple):
    """To whom a folder belongs.

    Attributes:
        path: below the root of the project; ``.`` for the root itself.
        user: the number of its user.
        group: the number of its group.
        mode: its permissions, as ``st_mode`` has them.
    """

    path: str
    user: int
    group: int
    mode: int

    @property
    def is_foreign(self) -> bool:
        """True where anybody but root can exchange what is in it.

        In a folder of root with the sticky bit, as ``/tmp`` and a new tmpfs have it, others can add entries of their
        own and exchange none of root's; a folder that they add is theirs.
        """
        if self.user != 0:
            return True
        is_shared = self.mode & stat.S_IWOTH or (self.mode & stat.S_IWGRP and self.group != 0)
        return bool(is_shared) and not self.mode & stat.S_ISVTX


class Account(NamedTuple):
    """A user of this machine.

    Attributes:
        user: the user's number.
        group: the number of the user's own group.
        name: the user's name.
        home: the user's home.
    """

    user: int
    group: int
    name: str
    home: str


class RootRefusal(NamedTuple):
    """Why root does not change a project.

    Attributes:
        reason: a clause that says who else can write where.
        remedy: what to do.
        owner: to whom the project belongs; ``None`` where nobody's identity can be taken.
    """

    reason: str
    remedy: str
    owner: Account | None

    def finding(self, task: str, *, dry_run: bool = False) -> Finding:
        """Return the finding on a procedure that is refused, or whose run would be."""
        ending = "A run would be refused." if dry_run else "Refused; nothing was changed."
        return Finding(
            check=FOREIGN_PROJECT,
            subject=task,
            status=Status.UNKNOWN,
            message=f"Root does not change a project that another user can write: {self.reason}. {ending}",
            remedy=self.remedy,
        )

    def report(self, task: str) -> Report:
        """Return the report of a procedure that is refused."""
        return Report(summary="refused", findings=[self.finding(task)])


def account_of(user: int) -> Account | None:
    """Return the account of a user's number; ``None`` where there is no entry in the password database."""
    try:
        entry = pwd.getpwuid(user)
    except KeyError:
        return None
    return Account(entry.pw_uid, entry.pw_gid, entry.pw_name, entry.pw_dir)


def root_refusal(settings: Settings, command: str) -> RootRefusal | None:
    """Return why this process does not change the project; ``None`` where it may.

    Args:
        settings: the project's settings, ``root`` absolute.
        command: what was called, for the remedy.
    """
    if os.geteuid() != 0:
        return None
    return refusal_of(settings.root, [*_folders(settings)], account_of, command)


def refusal_of(
    root: str, folders: Sequence[FolderOwner], account: Callable[[int], Account | None], command: str
) -> RootRefusal | None:
    """Return why root does not change a project; ``None`` where nobody else can write in it.

    Args:
        root: the project.
        folders: its root first, and the folders that procedures change.
        account: returns the account of a user's number.
        command: what was called, for the remedy.
    """
    foreign = next((each for each in folders if each.is_foreign), None)
    if foreign is None:
        return None
    top, place = folders[0], printable(root)
    if top.user == 0:
        return _in_roots_project(place, foreign, account(foreign.user))
    owner = account(top.user)
    if owner is None:
        numbers = f"--reuid={top.user} --regid={top.group} --clear-groups"
        remedy = (
            f"Run it with that number: `setpriv {numbers} {command}`, in a container `--user {top.user}:{top.group}`. "
            "Or add the user to the password database."
        )
        reason = f"{place} belongs to the user number {top.user}, whom /etc/passwd does not name"
        return RootRefusal(reason, remedy, None)
    remedy = (
        f"Run `sudo -u {owner.name} {command}`, or set INVOKE_MAINTENANCE_RUN_AS_OWNER=true, with which a child "
        "process does so."
    )
    return RootRefusal(f"{place} belongs to {printable(owner.name)}", remedy, owner)


def _in_roots_project(root: str, foreign: FolderOwner, account: Account | None) -> RootRefusal:
    """Return the refusal where the root of the project is root's, and something in it is another user's as well."""
    path = root if foreign.path == "." else printable(str(PurePosixPath(root, foreign.path)))
    if foreign.user == 0:
        who = "every user" if foreign.mode & stat.S_IWOTH else f"the group number {foreign.group}"
        reason = f"{path} belongs to root, and {who} can write in it (mode {stat.S_IMODE(foreign.mode):04o})"
        return RootRefusal(reason, f"Run `chmod go-w {path}`, or give the project to one user: `chown`.", None)
    name = str(foreign.user) if account is None else account.name
    reason = f"{root} belongs to root, and {path} to {name}"
    remedy = (
        f"Give all of it to one user, `chown -R {name}: {root}` or `chown -R root: {path}`, and run it as that user."
    )
    return RootRefusal(reason, remedy, None)


def _folders(settings: Settings) -> Iterator[FolderOwner]:
    """Yield the root, the folders that procedures change, and the folders in those, as far as they are there."""
    root = Path(settings.root)
    with suppress(OSError):
        yield _owner(".", root.stat())
    places = (settings.logs.directory, settings.cache.directory, settings.backups.directory)
    paths = [each for place in places for each in (*reversed(PurePosixPath(place).parents), PurePosixPath(place))]
    for path in dict.fromkeys(str(each) for each in paths if each.parts):
        with suppress(OSError):
            status = (root / path).lstat()
            if stat.S_ISDIR(status.st_mode):
                yield _owner(path, status)
    for place in places:
        with suppress(OSError), os.scandir(root / place) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    yield _owner(f"{place}/{entry.name}", entry.stat(follow_symlinks=False))


def _owner(path: str, status: os.stat_result) -> FolderOwner:
    return FolderOwner(path, status.st_uid, status.st_gid, status.st_mode)

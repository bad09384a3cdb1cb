"""Whose a file is: which files that the suite has written are believed when it reads them back.

A file is believed where nobody could have written it who could not change the project anyway:

* It is a regular file with one name. Nothing outside the project is then read or changed through it.
* Its owner is who runs the suite, root, or the owner of its folder, who could replace it at any time.
* It is not writable by everybody.
* It may be writable by its group where that widens nothing. Either the group is the private group of one of those
  owners, as most Linux systems give every user one (umask 002). Or the folder is writable by the same group, so that
  each of its members can replace the file: a project that several developers share. Files of other members are then
  believed as well.

Root believes no shared group: whoever is in it could lead root where only root can go. A user without an entry in the
password database, as in many containers, has no private group.
"""

from __future__ import annotations

import grp
import os
import pwd
import stat
from functools import lru_cache


def distrust(status: os.stat_result, folder: os.stat_result, user: int | None = None) -> str | None:
    """Return why a file is not believed, as the end of a clause that begins with its name; ``None`` where it is.

    Args:
        status: that of the file, not of what a link leads to.
        folder: that of the folder which holds it.
        user: the number of who asks; by default the effective one of this process.
    """
    user = os.geteuid() if user is None else user
    if not stat.S_ISREG(status.st_mode):
        return "is a symbolic link" if stat.S_ISLNK(status.st_mode) else "is not a regular file"
    if status.st_nlink > 1:
        return "has a second name elsewhere (hard link)"
    if status.st_mode & stat.S_IWOTH:
        return f"is writable by everybody (mode {stat.S_IMODE(status.st_mode):04o})"
    shared = user != 0 and _shares_group(status, folder)
    if status.st_uid not in {user, 0, folder.st_uid} and not shared:
        return f"belongs to user {status.st_uid}, who is neither the owner of its folder nor the user of this run"
    owners = {user, folder.st_uid}
    if status.st_mode & stat.S_IWGRP and not shared and not any(_is_private(status.st_gid, each) for each in owners):
        return f"is writable by group {status.st_gid} (mode {stat.S_IMODE(status.st_mode):04o})"
    return None


def _shares_group(status: os.stat_result, folder: os.stat_result) -> bool:
    """Tell whether every member of the file's group, and not everybody, can replace the file in its folder."""
    writable = folder.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return status.st_gid == folder.st_gid and writable == stat.S_IWGRP


@lru_cache
def _is_private(group: int, user: int) -> bool:
    """Tell whether a group is that of one user alone: named as the user, the user's own, and without other members."""
    try:
        owner, entry = pwd.getpwuid(user), grp.getgrgid(group)
    except (KeyError, OverflowError):
        return False
    return owner.pw_gid == group and entry.gr_name == owner.pw_name and not {*entry.gr_mem} - {owner.pw_name}

"""What a file has beside its content: owner, extended attributes and ACLs, a second name, holes.

Extended attributes of users and POSIX ACLs are kept, which Linux shows as attributes as well. Those that give rights
(``security.capability``) or belong to the system are not: an archive could give them to a program of its own.
"""

from __future__ import annotations

import base64
import grp
import os
import pwd
import stat
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from .manifest import LARGEST_ATTRIBUTES, ManifestEntry, Owner

HAS_ATTRIBUTES = hasattr(os, "listxattr")
"""Whether Python can read attributes on this system; it can on Linux only."""

_ACLS = frozenset({"system.posix_acl_access", "system.posix_acl_default"})

_OF_THE_SYSTEM = frozenset({"security.selinux", "security.ima", "security.evm", "security.SMACK64"})
"""Labels that the system itself gives to each new file."""

_LONGEST_NAME = 255

_DATA_BLOCK = 512
"""Bytes in which the system counts what a file takes, whatever the file system's blocks are."""


class Attributes(NamedTuple):
    """The attributes of a file that are kept, in base64, and the names of those that are not."""

    kept: dict[str, str]
    lost: list[str]


def attributes_of(file: int | Path) -> Attributes:
    """Return the attributes and ACLs of a file or folder; none where the file system has none.

    Args:
        file: its descriptor, or its path, of which the last part is not followed.
    """
    found = Attributes({}, [])
    left = LARGEST_ATTRIBUTES
    for name in _listed(file):
        if name in _OF_THE_SYSTEM:
            continue
        value = None
        if name.startswith("user.") or name in _ACLS:
            with suppress(OSError):
                value = os.getxattr(file, name, follow_symlinks=isinstance(file, int))
        if value is None or len(value) > left or len(name) > _LONGEST_NAME:
            found.lost.append(name)
        else:
            left -= len(value)
            found.kept[name] = base64.b64encode(value).decode()
    return found


def _listed(file: int | Path) -> list[str]:
    if not HAS_ATTRIBUTES:
        return []
    try:
        return sorted(os.listxattr(file, follow_symlinks=isinstance(file, int)))
    except OSError:
        return []


def owner_of(uid: int, gid: int) -> Owner:
    """Return an owner with the names that the system knows."""
    return Owner(uid, gid, _user(uid), _group(gid))


@lru_cache
def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return ""


@lru_cache
def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return ""


def has_holes(descriptor: int, status: os.stat_result) -> bool:
    """Tell whether a file has holes; the place at which it is read next is its beginning then."""
    if not hasattr(os, "SEEK_HOLE") or status.st_blocks * _DATA_BLOCK >= status.st_size:
        return False
    try:
        return os.lseek(descriptor, 0, os.SEEK_HOLE) < status.st_size
    except OSError:
        return False
    finally:
        os.lseek(descriptor, 0, os.SEEK_SET)


# Giving them back


def give(descriptor: int, entry: ManifestEntry, owner: Owner | None, above: os.stat_result) -> list[str]:
    """Give a restored file or folder its owner, mode and attributes, and return what could not be given.

    Args:
        descriptor: of the file or folder.
        entry: what the manifest says of it.
        owner: whose it was; ``None`` where that is not known.
        above: the status of the folder that it is in, whose owner gets it then, where we run as root.

    Raises:
        OSError: the mode could not be given.
    """
    lost = _give_owner(descriptor, owner, above)
    special = stat.S_ISUID | stat.S_ISGID if entry.is_file else 0
    if entry.mode & special:
        lost.append("set-user-id or set-group-id")
    os.fchmod(descriptor, entry.mode & ~special)
    for name, text in entry.attributes.items():
        if not _give_attribute(descriptor, name, text):
            lost.append(name)
    return lost


def _give_owner(descriptor: int, owner: Owner | None, above: os.stat_result) -> list[str]:
    uid, gid = (above.st_uid, above.st_gid) if owner is None else _here(owner)
    if owner is None and os.geteuid() != 0:
        return []
    status = os.fstat(descriptor)
    lost = []
    for name, now, wanted, numbers in (
        ("owner", status.st_uid, uid, (uid, -1)),
        ("group", status.st_gid, gid, (-1, gid)),
    ):
        if now != wanted:
            try:
                os.fchown(descriptor, *numbers)
            except OSError:
                lost.append(name)
    return lost


@lru_cache
def _here(owner: Owner) -> tuple[int, int]:
    """Return the numbers that an owner has on this system: of the names, where it knows them."""
    uid, gid = owner.uid, owner.gid
    with suppress(KeyError, ValueError):
        uid = pwd.getpwnam(owner.user).pw_uid
    with suppress(KeyError, ValueError):
        gid = grp.getgrnam(owner.group).gr_gid
    return uid, gid


def _give_attribute(descriptor: int, name: str, text: str) -> bool:
    if not HAS_ATTRIBUTES or not (name.startswith("user.") or name in _ACLS):
        return False
    try:
        os.setxattr(descriptor, name, base64.b64decode(text, validate=True))
    except (OSError, ValueError):
        return False
    return True


def are_given(descriptor: int, entry: ManifestEntry, owner: Owner | None) -> bool:
    """Tell whether a file has the attributes of an entry, and its owner, as far as this user could give one."""
    if owner is None:  # an archive of before such things were kept
        return True
    if os.geteuid() == 0:
        status = os.fstat(descriptor)
        if (status.st_uid, status.st_gid) != _here(owner):
            return False
    return not HAS_ATTRIBUTES or attributes_of(descriptor).kept == entry.attributes

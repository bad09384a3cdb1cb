"""How many copies there are, on how many media, and how many of them elsewhere: the rule 3-2-1.

Three copies, the live data among them, on two kinds of media, one of them off-site: Peter Krogh, "The DAM Book"
(O'Reilly, 2005), and US-CERT, "Data Backup Options" (Ruggiero and Heckathorn, 2012).

A medium is a disk as far as the system tells: the partitions of one disk are one, and a file system without a disk of
its own to show (a network's, a volume of Btrfs) counts by itself. Off-site is what is reached by an address of another
machine; nobody can know where a disk is.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from ...core.text.formatting import count
from .borg_backend import is_address

COPIES, MEDIA, ELSEWHERE = 3, 2, 1

_RESTIC = re.compile(r"(?:sftp|rest|s3|b2|azure|gs|swift|rclone):")

_HERE = {"localhost", "127.0.0.1", "::1", "[::1]"}


class Copy(NamedTuple):
    """One copy of the data.

    Attributes:
        medium: the disk or machine that holds it.
        place: its identity under any name; two of one place are one copy.
        elsewhere: True for another site.
    """

    medium: str
    place: str
    elsewhere: bool = False


class CopyCount(NamedTuple):
    """Copies, media and copies elsewhere."""

    copies: int
    media: int
    elsewhere: int

    @property
    def suffices(self) -> bool:
        """True where the rule is met."""
        return self.copies >= COPIES and self.media >= MEDIA and self.elsewhere >= ELSEWHERE

    def in_words(self) -> str:
        """Return the numbers in words."""
        elsewhere = f"{self.elsewhere:,} off-site" if self.elsewhere else "none off-site"
        return f"{count(self.copies, 'copy', 'copies')} on {count(self.media, 'medium', 'media')}, {elsewhere}"

    def lacking(self) -> str:
        """Return the least that the rule asks for beyond them; one copy can be on another medium and off-site."""
        lacks = (COPIES - self.copies, MEDIA - self.media, ELSEWHERE - self.elsewhere)
        what = " and ".join([*(["on another medium"] if lacks[1] > 0 else []), *(["off-site"] if lacks[2] > 0 else [])])
        one = "" if max(lacks) == 1 or not what else "one of them "
        return f"{count(max(lacks), 'more copy', 'more copies')}{f', {one}{what}' if what else ''}"


def count_copies(copies: Iterable[Copy]) -> CopyCount:
    """Count copies, the live data among them."""
    found = {each.place: each for each in copies}.values()
    return CopyCount(len(found), len({each.medium for each in found}), sum(each.elsewhere for each in found))


def place_of(status: os.stat_result) -> str:
    """Return the identity of a folder on this machine, which is the same by any path or link."""
    return f"{status.st_dev}:{status.st_ino}"


def medium_of(device: int, blocks: Path = Path("/sys/dev/block")) -> str:
    """Return the identity of the disk of a device: partitions of one disk are on one medium."""
    major, minor = os.major(device), os.minor(device)
    path = (blocks / f"{major}:{minor}").resolve()
    return str(path.parent if (path / "partition").exists() else path)


def repository_copy(program: str, location: str, root: Path) -> Copy:
    """Return the copy that a repository is.

    Raises:
        OSError: its path cannot be looked at.
    """
    if not (_RESTIC.match(location) if program == "restic" else is_address(location)):
        return _folder_copy((root / location.removeprefix("local:")).stat())
    if location.startswith("file://"):
        return _folder_copy(Path(location.removeprefix("file://")).stat())
    host, place = _host(location), location.rstrip("/")
    return Copy(medium_of(root.stat().st_dev), place) if host in _HERE else Copy(host, place, elsewhere=True)


def _folder_copy(status: os.stat_result) -> Copy:
    return Copy(medium_of(status.st_dev), place_of(status))


def _host(location: str) -> str:
    """Return the machine that an address leads to; for a service that is known by its name only, that."""
    bare = re.sub(r"^(?:sftp|rest|s3):(?!//)", "", location)
    if "://" in bare:
        return urlsplit(bare).hostname or bare
    return bare.split("/", 1)[0].split(":", 1)[0].rsplit("@", 1)[-1] if bare[0] != "/" else location

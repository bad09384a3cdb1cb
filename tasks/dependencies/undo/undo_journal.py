"""The undo journal: what the environment held before an update, and where the copies of replaced files are.

It lies in a folder of its own in the project's root. An update has begun only once the journal is written.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

import msgspec

from ...core.files import safe_files
from ...core.files.safe_files import Refused


class FolderEntry(msgspec.Struct, frozen=True, array_like=True):
    """One entry.

    Attributes:
        mode: its type and permissions, as ``st_mode`` has them.
        size: in bytes; 0 for what is no file.
        mtime_ns: when it was last written; 0 for a link, whose time nothing restores.
        target: where a link leads.
        owner: the numbers of its user and group.
    """

    mode: int
    size: int = 0
    mtime_ns: int = 0
    target: str = ""
    owner: tuple[int, int] = (0, 0)

    @property
    def is_folder(self) -> bool:
        """True for a folder."""
        return stat.S_ISDIR(self.mode)

    @property
    def is_link(self) -> bool:
        """True for a symbolic link."""
        return stat.S_ISLNK(self.mode)


FolderListing: TypeAlias = Mapping[str, FolderEntry]
"""Entries by their path below the folder, ``.`` for itself; a folder comes before what lies in it."""


def list_folder(folder: Path) -> dict[str, FolderEntry]:
    """Return what lies in a folder and below it; links are not followed.

    Raises:
        OSError: something in it cannot be read.
    """
    found = {".": _folder_entry(os.lstat(folder), "")}
    pending = [""]
    while pending:
        below = pending.pop()
        with os.scandir(folder / below) as entries:
            for entry in sorted(entries, key=lambda each: each.name):
                path = f"{below}{entry.name}"
                status = entry.stat(follow_symlinks=False)
                found[path] = _folder_entry(status, str(Path(entry.path).readlink()) if entry.is_symlink() else "")
                if entry.is_dir(follow_symlinks=False):
                    pending.append(f"{path}/")
    return found


def entry_at(path: Path) -> FolderEntry | None:
    """Return one entry; ``None`` where there is none."""
    try:
        return _folder_entry(path.lstat(), str(path.readlink()) if path.is_symlink() else "")
    except FileNotFoundError:
        return None


def _folder_entry(status: os.stat_result, target: str) -> FolderEntry:
    owner = (status.st_uid, status.st_gid)
    if stat.S_ISLNK(status.st_mode):
        return FolderEntry(status.st_mode, target=target, owner=owner)
    size = status.st_size if stat.S_ISREG(status.st_mode) else 0
    return FolderEntry(status.st_mode, size, status.st_mtime_ns, owner=owner)


FOLDER = ".maintenance-undo"
"""In the root, while an update changes something."""

_ENDED = f"{FOLDER}-ended"
"""Its name while it is deleted."""

JOURNAL = "journal.json"

_LARGEST = 1 << 30


class KeptCopy(msgspec.Struct, frozen=True, array_like=True):
    """A kept file: the number that is its name, and the digest of its content."""

    number: int
    sha256: str


class UndoJournal(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept, and of what.

    Attributes:
        prefix: the environment's folder.
        python: its interpreter.
        moves: what the update was to change, for people.
        started: when it began, in ISO 8601.
        listing: what lay in the environment.
        copies: of the environment's files that the update replaces, by path below the prefix.
        project: the project's files that it changes, by path below the root; ``None``: it was not there.
        project_copies: of those that were there.
    """

    schema: int = 1
    prefix: str
    python: str
    moves: list[str]
    started: str
    listing: dict[str, FolderEntry]
    copies: dict[str, KeptCopy]
    project: dict[str, FolderEntry | None]
    project_copies: dict[str, KeptCopy]


class BrokenJournal(Exception):
    """The journal cannot be read; the message says why."""


def encode_path(path: str) -> str:
    """Return a path as JSON can hold it, for paths of any bytes."""
    return os.fsencode(path).decode("latin-1")


def decode_path(path: str) -> str:
    """Return the path that :func:`encode_path` was given."""
    return os.fsdecode(path.encode("latin-1"))


def pending_journal(root: Path) -> UndoJournal | None:
    """Return the journal of an update that was begun and neither stands nor is undone; ``None``: there is none.

    Raises:
        BrokenJournal: there is one that cannot be read.
    """
    home = root / FOLDER
    try:
        if not stat.S_ISDIR(home.lstat().st_mode):
            raise BrokenJournal(f"{FOLDER} is no folder")
        content = safe_files.read(root, f"{FOLDER}/{JOURNAL}", limit=_LARGEST)
        return msgspec.json.decode(content, type=UndoJournal)
    except FileNotFoundError:
        return None
    except (Refused, OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BrokenJournal(f"{FOLDER}/{JOURNAL} cannot be read: {error}") from None


def prepare_folder(root: Path) -> Path:
    """Create the folder and return it; what a killed update left before it had begun is removed.

    Raises:
        Refused: an update has begun there already.
        OSError: it cannot be made.
    """
    discard(root, _ENDED)
    if (root / FOLDER / JOURNAL).exists():
        raise Refused(f"An update was interrupted, and {FOLDER} keeps what is needed to undo it.")
    discard(root, FOLDER)
    home = root / FOLDER
    home.mkdir(mode=0o700)
    return home


def write_journal(root: Path, journal: UndoJournal) -> None:
    """Write the journal: from now on the update has begun, and a kill leaves it to be undone.

    Raises:
        OSError: it cannot be written.
    """
    os.sync()
    safe_files.write(root, f"{FOLDER}/{JOURNAL}", msgspec.json.encode(journal))


def remove_folder(root: Path) -> None:
    """Take the folder away: the update stands, or it is undone.

    Raises:
        OSError: it cannot be renamed.
    """
    discard(root, _ENDED)
    (root / FOLDER).rename(root / _ENDED)
    with suppress(OSError):
        discard(root, _ENDED)


def discard(root: Path, name: str) -> None:
    """Delete a folder of this module's own, if it is there."""
    path = root / name
    with suppress(FileNotFoundError):
        if stat.S_ISDIR(path.lstat().st_mode):
            shutil.rmtree(path)
        else:
            path.unlink()

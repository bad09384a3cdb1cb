"""The undo journal: what the environment held before an update, and where the copies of replaced files are.

It lies in a folder of its own in the project's root. An update has begun only once the journal is written.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Annotated

import msgspec
from msgspec import Meta

from ...core.files import safe_files, state_files
from ...core.files.safe_files import Refused
from ...core.files.state_files import Below, Count
from ...core.text.formatting import printable
from .folder_listing import FolderEntry

FOLDER = ".maintenance-undo"
"""In the root, while an update changes something."""

_ENDED = f"{FOLDER}-ended"
"""Its name while it is deleted."""

JOURNAL = "journal.json"

_LARGEST = 1 << 28
"""Bytes of a journal; that of an environment of 100,000 files has 15 million."""

_Text = Annotated[str, Meta(max_length=4096)]
_Digest = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]


class KeptCopy(msgspec.Struct, frozen=True, array_like=True):
    """A kept file: the number that is its name, and the digest of its content."""

    number: Count
    sha256: _Digest


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
    prefix: _Text
    python: _Text
    moves: list[_Text]
    started: _Text
    listing: dict[str, FolderEntry]
    copies: dict[Below, KeptCopy]
    project: dict[Below, FolderEntry | None]
    project_copies: dict[Below, KeptCopy]

    def __post_init__(self) -> None:
        """Refuse what no update writes.

        Raises:
            ValueError: a path leads elsewhere, or goes through what is no folder, or a copy is of no file.
        """
        paths = {*self.listing} - {"."}
        msgspec.convert([*paths], list[Below])
        folders = {path for path, entry in self.listing.items() if entry.is_folder}
        if "." not in folders:
            raise ValueError("the environment is no folder in it")
        if outside := [path for path in paths if str(PurePosixPath(path).parent) not in folders]:
            raise ValueError(f"{outside[0]!r} lies in no folder of it")
        listed = {path for path, entry in self.listing.items() if entry.is_file}
        listed_files = {path for path, entry in self.project.items() if entry is not None and entry.is_file}
        if self.copies.keys() - listed or self.project_copies.keys() - listed_files:
            raise ValueError("it has a copy of what was no file")
        for path in (self.prefix, *paths, *self.project, *(entry.target for entry in self.listing.values())):
            decode_path(path)


class BrokenJournal(Exception):
    """The journal is not to be acted on; the message says why, as the beginning of a sentence."""


def encode_path(path: str) -> str:
    """Return a path as JSON can hold it, for paths of any bytes."""
    return os.fsencode(path).decode("latin-1")


def decode_path(path: str) -> str:
    """Return the path that :func:`encode_path` was given.

    Raises:
        UnicodeError: no path was.
    """
    return os.fsdecode(path.encode("latin-1"))


def pending_journal(root: Path) -> UndoJournal | None:
    """Return the journal of an update that was begun and neither stands nor is undone; ``None``: there is none.

    Raises:
        BrokenJournal: there is one that cannot be read, or is not believed.
    """
    path = f"{FOLDER}/{JOURNAL}"
    try:
        _require_own_folder(root)
        state = state_files.read(root, path, UndoJournal, limit=_LARGEST)
    except FileNotFoundError:
        return None
    except Refused as error:
        raise BrokenJournal(str(error).rstrip(".")) from None
    except OSError as error:
        raise BrokenJournal(f"{FOLDER} cannot be read: {error.strerror}") from None
    if state.exists and state.content is None:
        raise BrokenJournal((state.problem or f"{path} is empty").rstrip("."))
    return state.content


def _require_own_folder(root: Path) -> None:
    """Refuse a folder that others could have made or written to.

    Raises:
        Refused: it is a link or no folder, or others can write there.
        OSError: it is missing, or cannot be looked at.
    """
    owner = root.stat().st_uid
    with safe_files.folder(root, FOLDER) as descriptor:
        status = os.fstat(descriptor)
    if status.st_uid not in {os.geteuid(), 0, owner} or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise Refused(f"{FOLDER} was not made by this suite, or others can write there, so it is not used.")


def require_environment(root: Path, journal: UndoJournal, prefixes: Iterable[Path]) -> Path:
    """Return the folder of the environment that a journal is about, which must be the project's.

    Root acts on an environment only where the journal is root's own, or where both belong to the same user: else that
    user could lead root anywhere.

    Args:
        root: the project.
        journal: what an update left there.
        prefixes: where the project's environment may be.

    Raises:
        BrokenJournal: it is about another folder.
    """
    named = Path(decode_path(journal.prefix))
    for prefix in prefixes:
        if prefix == named or _is_same(prefix, named):
            with suppress(FileNotFoundError):
                owner, user = (root / FOLDER).lstat().st_uid, os.geteuid()
                if owner not in {0, user} and prefix.stat().st_uid != owner:
                    raise BrokenJournal(f"{printable(prefix)} does not belong to the owner of {FOLDER}")
            return prefix
    raise BrokenJournal(f"{FOLDER}/{JOURNAL} is about {printable(named)}, which is not the project's environment")


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except (OSError, ValueError):
        return False


def prepare_folder(root: Path) -> None:
    """Create the folder; what a killed update left before it had begun is removed.

    Raises:
        Refused: an update has begun there already.
        OSError: it cannot be made.
    """
    discard(root, _ENDED)
    if os.path.lexists(root / FOLDER / JOURNAL):
        raise Refused(f"An update was interrupted, and {FOLDER} keeps what is needed to undo it.")
    discard(root, FOLDER)
    (root / FOLDER).mkdir(mode=0o700)


def write_journal(root: Path, journal: UndoJournal) -> None:
    """Write the journal: from now on the update has begun, and a kill leaves it to be undone.

    Raises:
        OSError: it cannot be written.
    """
    os.sync()
    safe_files.write(root, f"{FOLDER}/{JOURNAL}", msgspec.json.encode(journal), private=True)


def remove_folder(root: Path) -> None:
    """Take the folder away: the update stands, or it is undone.

    Raises:
        OSError: it cannot be renamed.
    """
    discard(root, _ENDED)
    (root / FOLDER).rename(root / _ENDED)
    with suppress(OSError):
        discard(root, _ENDED)


def set_aside(root: Path) -> str:
    """Give the folder another name, so that the next update is not kept from its own; return that name."""
    return state_files.set_aside(root, FOLDER)


def discard(root: Path, name: str) -> None:
    """Delete a folder of this module's own, if it is there."""
    path = root / name
    with suppress(FileNotFoundError):
        if stat.S_ISDIR(path.lstat().st_mode):
            shutil.rmtree(path)
        else:
            path.unlink()

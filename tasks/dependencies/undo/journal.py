"""The folder in which an update keeps what it replaces, and the journal in it: only with it has an update begun."""

from __future__ import annotations

import os
import shutil
import stat
from contextlib import suppress
from pathlib import Path

import msgspec

from ...core.files import safe_files
from ...core.files.safe_files import Refused
from .listing import Listed

FOLDER = ".maintenance-undo"
"""In the root, while an update changes something."""

_ENDED = f"{FOLDER}-ended"
"""Its name while it is deleted."""

JOURNAL = "journal.json"

_LARGEST = 1 << 30


class Copy(msgspec.Struct, frozen=True, array_like=True):
    """A kept file: the number that is its name, and the digest of its content."""

    number: int
    sha256: str


class Journal(msgspec.Struct, frozen=True, kw_only=True):
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
    listing: dict[str, Listed]
    copies: dict[str, Copy]
    project: dict[str, Listed | None]
    project_copies: dict[str, Copy]


class Broken(Exception):
    """The journal cannot be read; the message says why."""


def stored(path: str) -> str:
    """Return a path as JSON can hold it, whatever bytes it is made of."""
    return os.fsencode(path).decode("latin-1")


def restored(path: str) -> str:
    """Return the path that :func:`stored` was given."""
    return os.fsdecode(path.encode("latin-1"))


def pending(root: Path) -> Journal | None:
    """Return the journal of an update that was begun and neither stands nor is undone; ``None``: there is none.

    Raises:
        Broken: there is one that cannot be read.
    """
    home = root / FOLDER
    try:
        if not stat.S_ISDIR(home.lstat().st_mode):
            raise Broken(f"{FOLDER} is no folder")
        content = safe_files.read(root, f"{FOLDER}/{JOURNAL}", limit=_LARGEST)
        return msgspec.json.decode(content, type=Journal)
    except FileNotFoundError:
        return None
    except (Refused, OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Broken(f"{FOLDER}/{JOURNAL} cannot be read: {error}") from None


def begin(root: Path) -> Path:
    """Make the folder anew and return it; what a killed update left before it had begun is removed.

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


def commit(root: Path, journal: Journal) -> None:
    """Write the journal: from now on the update has begun, and a kill leaves it to be undone.

    Raises:
        OSError: it cannot be written.
    """
    os.sync()
    safe_files.write(root, f"{FOLDER}/{JOURNAL}", msgspec.json.encode(journal))


def end(root: Path) -> None:
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

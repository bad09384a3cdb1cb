"""The journal of a release: what the next run needs to finish or undo one that was killed.

The start of a log that its writers keep open is released in this order, each step on the disk before the next:

1. the archive is written and verified, under a temporary name;
2. the journal says *prepared*;
3. the archive gets its name;
4. a token replaces the log's first bytes, then the rest of the line that crosses the border is blanked;
5. the journal says *marked*;
6. the blocks are released, and the token with them (or the token is blanked, or the file truncated);
7. the journal is removed.

The token, made for this one release, is nowhere else, so it tells what a length or a checksum cannot where all
lines are alike: whether step 4 and step 6 have happened.

=============  ============  =====================================================================
journal        token there   what is so, and what follows
=============  ============  =====================================================================
prepared       no            nothing is released: the archive is removed, the log stays
prepared       yes           all is archived, nothing is released: go on with step 4
marked         yes           nothing is released: go on with step 6 (before a truncation: undo)
marked         no            all is released: go on with step 7
restoring      either        the release was refused: copy back what was overwritten
=============  ============  =====================================================================
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Literal

import msgspec

from ...core.files import safe_files
from ..log_archives import FOLDER, RELEASE_JOURNAL

_LIMIT = 100_000


class ReleaseJournal(msgspec.Struct, frozen=True, kw_only=True):
    """What is being done to which log.

    Attributes:
        schema: the version of this record's shape.
        state: how far it is, see the table above.
        strategy: how the archived start is released: its blocks, by blanking alone, or by truncating the file.
        log: the name of the log.
        device: the device of its file.
        inode: the inode of its file.
        released: bytes at its start whose blocks are released.
        end: bytes at its start that are archived.
        archive: the path of the archive in the archive folder, ``2026/11/app_20261123.log.gz``.
        rotated: when, in ISO 8601; it and the file tell whether an archive of that name is this one.
        token: the text that replaces the log's first bytes.
    """

    schema: Literal[1] = 1
    state: Literal["prepared", "marked", "restoring"] = "prepared"
    strategy: Literal["collapse", "blank", "truncate"] = msgspec.field(name="way")
    log: str
    device: int
    inode: int
    released: int
    end: int
    archive: str
    rotated: str
    token: str

    @property
    def mark(self) -> bytes:
        """The token as it stands in the log."""
        return self.token.encode("ascii")


class UnreadableJournal(Exception):
    """There is a journal that cannot be used; the message says why."""


def journal_path(directory: str) -> str:
    """Return the path of the journal for the log folder *directory*."""
    return f"{directory}/{FOLDER}/{RELEASE_JOURNAL}"


def read_journal(root: Path, directory: str) -> ReleaseJournal | None:
    """Return the journal; ``None`` where there is none.

    Raises:
        UnreadableJournal: it cannot be understood.
        Refused, OSError: it cannot be read.
    """
    try:
        text = safe_files.read(root, journal_path(directory), limit=_LIMIT)
    except FileNotFoundError:
        return None
    try:
        return msgspec.convert(json.loads(text), ReleaseJournal)
    except (ValueError, msgspec.ValidationError, RecursionError) as error:
        raise UnreadableJournal(str(error)) from None


def write_journal(root: Path, directory: str, entry: ReleaseJournal) -> None:
    """Write the journal so that at any moment there is the old one or the new one.

    Raises:
        Refused, OSError: it was not written.
    """
    safe_files.write(root, journal_path(directory), json.dumps(msgspec.to_builtins(entry)).encode("ascii"))


def remove_journal(root: Path, directory: str) -> None:
    """Remove the journal, if there is one."""
    with suppress(FileNotFoundError), safe_files.folder(root, f"{directory}/{FOLDER}") as folder:
        os.unlink(RELEASE_JOURNAL, dir_fd=folder)


def set_journal_aside(root: Path, directory: str) -> str:
    """Give the journal the first free name ``.rotation.json.broken-N`` and return that name's path."""
    with safe_files.folder(root, f"{directory}/{FOLDER}") as folder:
        number = 1
        while not safe_files.move((folder, RELEASE_JOURNAL), (folder, f"{RELEASE_JOURNAL}.broken-{number}")):
            number += 1
    return f"{journal_path(directory)}.broken-{number}"

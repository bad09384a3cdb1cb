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
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ...core.files import safe_files, state_files
from ...core.files.state_files import Number, Plain, Size
from ..log_archives import FOLDER, RELEASE_JOURNAL

_LIMIT = 100_000

MARK_LENGTH = 32
"""Bytes of a token, its newline included; fewer in a log that is shorter."""

_Archive = Annotated[str, Meta(pattern=r"\A\d{4}/\d{2}/[^/\x00]+\.log\.gz\Z", max_length=300)]
_Token = Annotated[str, Meta(pattern=r"\A[0-9a-f]*\n\Z", max_length=MARK_LENGTH)]
_Text = Annotated[str, Meta(max_length=100)]


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
    log: Plain
    device: Number
    inode: Number
    released: Size
    end: Size
    archive: _Archive
    rotated: _Text
    token: _Token

    def __post_init__(self) -> None:
        """Refuse what no release writes.

        Raises:
            ValueError: more is released than is archived, or the token has another length than it was given.
        """
        if self.released > self.end or len(self.token) != min(MARK_LENGTH, self.end):
            raise ValueError("the numbers contradict each other")

    @property
    def mark(self) -> bytes:
        """The token as it stands in the log."""
        return self.token.encode("ascii")


class UnreadableJournal(Exception):
    """There is a journal that cannot be used; the message says why, as a sentence."""


def journal_path(directory: str) -> str:
    """Return the path of the journal for the log folder *directory*."""
    return f"{directory}/{FOLDER}/{RELEASE_JOURNAL}"


def read_journal(root: Path, directory: str) -> ReleaseJournal | None:
    """Return the journal; ``None`` where there is none.

    Raises:
        UnreadableJournal: it is not to be acted on.
        Refused: it cannot be read.
    """
    path = journal_path(directory)
    state = state_files.read(root, path, ReleaseJournal, limit=_LIMIT)
    if not state.replaceable:
        raise safe_files.Refused(state.problem or path)
    if state.exists and state.content is None:
        raise UnreadableJournal(state.problem or f"{path} is empty.")
    return state.content


def write_journal(root: Path, directory: str, entry: ReleaseJournal) -> None:
    """Write the journal so that at any moment there is the old one or the new one.

    Raises:
        Refused, OSError: it was not written.
    """
    safe_files.write(root, journal_path(directory), json.dumps(msgspec.to_builtins(entry)).encode("ascii"))


def remove_journal(root: Path, directory: str) -> None:
    """Remove the journal, if there is one."""
    state_files.remove(root, journal_path(directory))


def set_journal_aside(root: Path, directory: str) -> str:
    """Give the journal the first free name ``.rotation.json.broken-N`` and return that name's path."""
    return state_files.set_aside(root, journal_path(directory))

"""The manifest of a backup: what it holds, with the digest of every file; inside the archive and beside it.

A manifest is hostile input (SPEC section 8): whoever can write it could have written anything. Its types bound what it
says, and its names lead nowhere but below the folder that is restored into.
"""

from __future__ import annotations

import re
from datetime import MAXYEAR, datetime
from pathlib import PurePosixPath
from typing import Annotated

import msgspec
from msgspec import Meta

from ..core.files.state_files import Size

SCHEMA = 2

_KNOWN = (1, SCHEMA)
"""Schema 1 had no owners, attributes, links and holes."""

INSIDE = ".backup-manifest.json"
"""The archive's first member; in archives of schema 1 its last."""

LARGEST = 256 << 20
"""Bytes of the largest manifest that is read: that of a million files or more."""

LARGEST_ATTRIBUTES = 64 << 10
"""Bytes of the attributes of one file that are kept: as many as Linux lists."""

ENDING = ".tar.gz"

_EARLIEST = 1970

_NAME = re.compile(r"backup_(\d{8}_\d{6})(?:_(\d{1,6}))?\.tar\.gz", re.ASCII)
_MOMENT = "%Y%m%d_%H%M%S"

_BELOW = re.compile(r"(?:(?!\.{1,2}(?:/|\Z))[^/\0]+(?:/(?!\Z)|\Z))+\Z")

Mode = Annotated[int, Meta(ge=0, le=0o7777)]
Nanoseconds = Annotated[int, Meta(ge=-(1 << 63), le=(1 << 63) - 1)]
Digest = Annotated[str, Meta(pattern=r"^(?:[0-9a-f]{64})?\Z")]
Name = Annotated[str, Meta(max_length=4096)]
Hexadecimal = Annotated[str, Meta(pattern=r"^(?:[0-9a-f]{2})*\Z", max_length=8192)]
Place = Annotated[int, Meta(ge=-1, le=1 << 31)]
Identifier = Annotated[int, Meta(ge=0, le=(1 << 32) - 2)]
Word = Annotated[str, Meta(max_length=256)]
Attribute = Annotated[str, Meta(max_length=2 * LARGEST_ATTRIBUTES)]


class ManifestEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    r"""One file or folder in a backup.

    Attributes:
        path: below the root; bytes that are no UTF-8 as ``\xNN``, for then *raw* has the name.
        mode: its permissions.
        mtime_ns: when it was changed last, in nanoseconds since 1970.
        size: bytes of a file.
        sha256: of a file's content, in hexadecimal; empty for a folder.
        raw: the path's bytes in hexadecimal, where they are no UTF-8.
        changed: True where the file changed while it was read, so that what is held may never have been whole.
        owner: its place among the manifest's owners.
        attributes: extended attributes and ACLs, by their names, in base64.
        link: for a further name of a file, the place of the first one among the entries; else -1.
        sparse: True for a file with holes.
    """

    path: Name
    mode: Mode
    mtime_ns: Nanoseconds
    size: Size = 0
    sha256: Digest = ""
    raw: Hexadecimal = ""
    changed: bool = False
    owner: Place = 0
    attributes: dict[Word, Attribute] = {}
    link: Place = -1
    sparse: bool = False

    @property
    def name(self) -> str:
        """The path as Python has it."""
        return bytes.fromhex(self.raw).decode("utf-8", "surrogateescape") if self.raw else self.path

    @property
    def is_file(self) -> bool:
        """True for a file."""
        return bool(self.sha256)


class Owner(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose a file is: the numbers of user and group, and their names where the system knew them."""

    uid: Identifier
    gid: Identifier
    user: Word = ""
    group: Word = ""


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an archive holds.

    Attributes:
        schema: the version of this document's shape.
        created: when the backup was made (ISO 8601); empty in the manifest inside, which must not differ between two
            backups of the same files.
        sources: what was to be backed up, as the settings have it.
        entries: in the archive's order.
        archive_bytes: of the archive; 0 in the manifest inside.
        archive_sha256: of the archive; empty in the manifest inside.
        before_restore: True in and beside the copy of a state that a restoring in place replaced; it may be a spoilt
            one.
        state: beside the archive, the digest of the project's state that it holds; empty where that is not known.
        confirmed: when a later run found that state unchanged (ISO 8601); empty where none did.
        owners: whose the entries are.
    """

    schema: int
    created: Word
    sources: list[Name]
    entries: list[ManifestEntry]
    archive_bytes: Size = 0
    archive_sha256: Digest = ""
    before_restore: bool = False
    state: Digest = ""
    confirmed: Word = ""
    owners: list[Owner] = []

    def owner_of(self, entry: ManifestEntry) -> Owner | None:
        """Return whose an entry is; ``None`` where that is not known."""
        return self.owners[entry.owner] if self.owners else None


class Unusable(Exception):
    """A manifest that cannot be used; the message says why, as the end of a sentence."""


def encode(manifest: Manifest) -> bytes:
    """Return a manifest as JSON, an entry on each line or more."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"


def decode(content: bytes) -> Manifest:
    """Return the manifest in a JSON text, of which every name and number can be relied on to stay in bounds.

    Raises:
        Unusable: it is none, is of another version, or says what no manifest says.
    """
    try:
        manifest = msgspec.json.decode(content, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unusable(f"it is no manifest: {error}") from None
    if manifest.schema not in _KNOWN:
        raise Unusable(f"its schema is {manifest.schema}, and {SCHEMA} is known here")
    _require_sound(manifest)
    return manifest


def _require_sound(manifest: Manifest) -> None:
    """Refuse names that lead elsewhere or stand twice, and places that lead to nothing.

    Raises:
        Unusable: there is one.
    """
    seen: set[str] = set()
    owners = len(manifest.owners)
    for place, entry in enumerate(manifest.entries):
        name = entry.name
        if _BELOW.match(name) is None:
            raise Unusable(f"the name {name!a} leads elsewhere")
        if name in seen:
            raise Unusable(f"the name {name!a} stands twice in it")
        seen.add(name)
        if owners and not 0 <= entry.owner < owners:
            raise Unusable(f"{name!a} belongs to nobody that it names")
        if entry.link >= 0 and not _is_name_of(entry, manifest.entries[entry.link] if entry.link < place else None):
            raise Unusable(f"{name!a} is said to be a name of another file than it can be")


def _is_name_of(entry: ManifestEntry, first: ManifestEntry | None) -> bool:
    """Tell whether an entry can be a further name of the file *first*."""
    if first is None or not first.is_file or first.link >= 0:
        return False
    return (entry.size, entry.sha256, entry.mode, entry.mtime_ns) == (
        first.size,
        first.sha256,
        first.mode,
        first.mtime_ns,
    )


def archive_name(moment: datetime, number: int = 1) -> str:
    """Return the name of an archive that is made at a moment; *number* tells those of one second apart."""
    again = f"_{number}" if number > 1 else ""
    return f"backup_{moment.strftime(_MOMENT)}{again}{ENDING}"


def manifest_name(archive: str) -> str:
    """Return the name of the manifest beside an archive."""
    return f"{archive.removesuffix(ENDING)}.manifest.json"


def made_at(name: str) -> tuple[datetime, int] | None:
    """Return when the archive of a name was made, in local time, and its number; ``None`` for other names."""
    match = _NAME.fullmatch(PurePosixPath(name).name)
    if match is None:
        return None
    try:
        moment = datetime.strptime(match[1], _MOMENT).astimezone()
    except (ValueError, OverflowError):
        return None
    return (moment, int(match[2] or 1)) if _EARLIEST < moment.year < MAXYEAR else None

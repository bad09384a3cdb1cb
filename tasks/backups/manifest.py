"""The manifest of a backup: what it holds, with the digest of every file; beside the archive and inside it."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import PurePosixPath

import msgspec

SCHEMA = 1

INSIDE = ".backup-manifest.json"
"""The archive's last member."""

ENDING = ".tar.gz"

_NAME = re.compile(r"backup_(\d{8}_\d{6})(?:_(\d+))?\.tar\.gz", re.ASCII)
_MOMENT = "%Y%m%d_%H%M%S"


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
    """

    path: str
    mode: int
    mtime_ns: int
    size: int = 0
    sha256: str = ""
    raw: str = ""
    changed: bool = False

    @property
    def name(self) -> str:
        """The path as Python has it."""
        return bytes.fromhex(self.raw).decode("utf-8", "surrogateescape") if self.raw else self.path

    @property
    def is_file(self) -> bool:
        """True for a file."""
        return bool(self.sha256)


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
        before_restore: True beside the copy of a state that a restoring in place replaced, which may be a spoilt one.
        state: beside the archive, the digest of the project's state that it holds; empty where that is not known.
        confirmed: when a later run found that state unchanged (ISO 8601); empty where none did.
    """

    schema: int
    created: str
    sources: list[str]
    entries: list[ManifestEntry]
    archive_bytes: int = 0
    archive_sha256: str = ""
    before_restore: bool = False
    state: str = ""
    confirmed: str = ""


class Unusable(Exception):
    """A manifest that cannot be used; the message says why, as the end of a sentence."""


def encode(manifest: Manifest) -> bytes:
    """Return a manifest as JSON, an entry on each line or more."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"


def decode(content: bytes) -> Manifest:
    """Return the manifest in a JSON text.

    Raises:
        Unusable: it is none, or of another version.
    """
    try:
        manifest = msgspec.json.decode(content, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unusable(f"it is no manifest: {error}") from None
    if manifest.schema != SCHEMA:
        raise Unusable(f"its schema is {manifest.schema}, and {SCHEMA} is known here")
    return manifest


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
        return datetime.strptime(match[1], _MOMENT).astimezone(), int(match[2] or 1)
    except ValueError:
        return None

"""Repositories of borg: listed and restored from without a lock, so that nothing in them changes.

Its check is another matter: it takes borg's lock and writes borg's own notes into the repository. Where nothing may
change, the newest archive is read in full instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from ...core.programs.processes import KEPT, Ended
from ...core.report.model import Status
from .repository_backend import BackendFailed, Listing, Problem, ProgramCaller, Snapshot, json_records, listed_file

_PASSWORDS = ("BORG_PASSPHRASE", "BORG_PASSCOMMAND", "BORG_PASSPHRASE_FD")

_PLACES = ("BORG_BASE_DIR", "BORG_CACHE_DIR", "BORG_CONFIG_DIR", "BORG_SECURITY_DIR", "BORG_KEYS_DIR")

_WARNED = 1
"""Borg's exit status after warnings; from 2 on it failed."""


class _BorgArchive(msgspec.Struct):
    name: str
    time: str


class _Archives(msgspec.Struct):
    archives: list[_BorgArchive]


class Borg:
    """Asks borg."""

    def environment(self, environ: Mapping[str, str], password: str | None, state: Path) -> dict[str, str]:
        """Return the environment that it runs in, in which it asks nobody anything and keeps its notes in *state*."""
        dropped = {"BORG_REPO", *_PLACES, *(_PASSWORDS if password is not None else ())}
        own = {name: text for name, text in environ.items() if name not in dropped}
        if password is not None:
            own["BORG_PASSPHRASE"] = password
        elif not {*_PASSWORDS} & {*own}:
            own["BORG_PASSPHRASE"] = ""
        keys = _keys(environ)
        return own | {
            **({"BORG_KEYS_DIR": str(keys)} if keys is not None and keys.is_dir() else {}),
            "BORG_BASE_DIR": str(state),
            "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes",
            "BORG_RELOCATED_REPO_ACCESS_IS_OK": "no",
            "BORG_EXIT_CODES": "legacy",
        }

    def snapshots(self, call: ProgramCaller) -> list[Snapshot]:
        """Return the archives that the repository holds, the newest first."""
        ended = _asked(call, "list", "--bypass-lock", "--json", call.location)
        try:
            made = msgspec.json.decode(ended.output, type=_Archives).archives
            found = [Snapshot(each.name, datetime.fromisoformat(each.time).astimezone()) for each in made]
        except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
            raise BackendFailed(_not_understood(error)) from None
        return sorted(found, key=lambda each: each.made, reverse=True)

    def check(self, call: ProgramCaller, part: int, of: int, *, read_only: bool) -> str:
        """Check every segment of the repository; *read_only*: read every chunk of the newest archive instead."""
        if read_only:
            newest = self.snapshots(call)[0]
            _asked(call, "extract", "--dry-run", "--bypass-lock", f"{call.location}::{newest.name}")
            return "the newest archive was read in full"
        which = "--repository-only" if of else "--archives-only"
        ended = call("check", which, *([] if of else ["--last", "1"]), call.location)
        if not ended.succeeded:
            raise call.failed(ended)
        del part
        return "all of its data was read" if of else "its data was not read"

    def listing(self, call: ProgramCaller, snapshot: Snapshot) -> Listing:
        """Return the files of an archive."""
        ended = _asked(call, "list", "--bypass-lock", "--json-lines", f"{call.location}::{snapshot.name}")
        found, cut = json_records(ended.output)
        files = [file for each in found if each.get("type") == "-" and (file := listed_file(each))]
        return Listing(files, cut or len(ended.output) >= KEPT)

    def restore(self, call: ProgramCaller, snapshot: Snapshot, paths: Sequence[str] | None, folder: Path) -> None:
        """Restore some files of an archive, or all of it; borg compares every chunk with its own checksum."""
        only = [f"pf:{path}" for path in paths or ()]
        # It restores into the folder in which it runs: a relative path would be taken from there.
        location = call.location if is_address(call.location) else str(call.folder / call.location)
        _asked(call, "extract", "--bypass-lock", f"{location}::{snapshot.name}", *only, folder=folder)


def is_address(location: str) -> bool:
    """Tell whether a location is an address (``ssh://…``, ``host:path``) and no path."""
    return "://" in location or ":" in location.split("/", 1)[0]


def _keys(environ: Mapping[str, str]) -> Path | None:
    """Return the folder of the user's keys, where borg would look for it."""
    if "BORG_KEYS_DIR" in environ:
        return Path(environ["BORG_KEYS_DIR"])
    if "BORG_CONFIG_DIR" in environ:
        return Path(environ["BORG_CONFIG_DIR"], "keys")
    if "BORG_BASE_DIR" in environ:
        return Path(environ["BORG_BASE_DIR"], ".config/borg/keys")
    if "XDG_CONFIG_HOME" in environ:
        return Path(environ["XDG_CONFIG_HOME"], "borg/keys")
    return Path(environ["HOME"], ".config/borg/keys") if "HOME" in environ else None


def _asked(call: ProgramCaller, *arguments: str, folder: Path | None = None) -> Ended:
    ended = call(*arguments, folder=folder)
    if ended.status not in {0, _WARNED} or ended.overdue:
        raise call.failed(ended)
    return ended


def _not_understood(error: Exception) -> Problem:
    return Problem(f"what borg says is not understood: {error}", Status.UNKNOWN, "See that borg is 1.1 or newer.")

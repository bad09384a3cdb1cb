"""Repositories of restic: only read, and without a lock, so that nothing in them changes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from ...core.programs.processes import KEPT, Ended
from ...core.report.model import Status
from .repository_backend import BackendFailed, Listing, Problem, ProgramCaller, Snapshot, json_records, listed_file

_ELSEWHERE = ("RESTIC_REPOSITORY", "RESTIC_REPOSITORY_FILE")

_PASSWORDS = ("RESTIC_PASSWORD", "RESTIC_PASSWORD_FILE", "RESTIC_PASSWORD_COMMAND")

_SPECIAL = re.compile(r"([*?\[\\])")


class _ResticSnapshot(msgspec.Struct):
    id: str
    time: datetime
    hostname: str = ""
    paths: list[str] = []


class Restic:
    """Asks restic."""

    def environment(self, environ: Mapping[str, str], password: str | None, state: Path) -> dict[str, str]:
        """Return the environment that it runs in; without a password, that of the user, who may have a file for it."""
        dropped = {*_ELSEWHERE, *(_PASSWORDS if password is not None else ())}
        own = {name: text for name, text in environ.items() if name not in dropped}
        given = {} if password is None else {"RESTIC_PASSWORD": password}
        return own | given | {"RESTIC_CACHE_DIR": str(state)}

    def snapshots(self, call: ProgramCaller) -> list[Snapshot]:
        """Return the states that the repository holds, the newest first."""
        ended = _asked(call, "snapshots", "--json")
        try:
            found = msgspec.json.decode(ended.output, type=list[_ResticSnapshot] | None) or []
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BackendFailed(_not_understood(error)) from None
        return sorted((_snapshot(each) for each in found), key=lambda each: each.made, reverse=True)

    def check(self, call: ProgramCaller, part: int, of: int, *, read_only: bool) -> str:
        """Check the structure of the repository, and read one part of its data; it changes nothing in either case."""
        del read_only
        subset = [f"--read-data-subset={part}/{of}"] if of else []
        ended = _call(call, "check", *subset)
        if not ended.succeeded:
            raise _meanwhile(call, ended) or call.failed(ended)
        return f"part {part} of {of} of its data was read" if of else "its data was not read"

    def listing(self, call: ProgramCaller, snapshot: Snapshot) -> Listing:
        """Return the files of a snapshot."""
        ended = _asked(call, "ls", "--json", snapshot.name)
        found, cut = json_records(ended.output)
        files = [file for each in found if each.get("type") == "file" and (file := listed_file(each))]
        return Listing(files, cut or len(ended.output) >= KEPT)

    def restore(self, call: ProgramCaller, snapshot: Snapshot, paths: Sequence[str] | None, folder: Path) -> None:
        """Restore some files of a snapshot, or all of it; restic reads what it wrote and compares it."""
        only = [word for path in paths or () for word in ("--include", "/" + _SPECIAL.sub(r"\\\1", path))]
        _asked(call, "restore", snapshot.name, "--target", str(folder), "--verify", *only)


def _snapshot(each: _ResticSnapshot) -> Snapshot:
    return Snapshot(each.id, each.time, "\n".join([each.hostname, *each.paths]))


def _call(call: ProgramCaller, *arguments: str) -> Ended:
    return call("--repo", call.location, "--no-lock", *arguments)


def _asked(call: ProgramCaller, *arguments: str) -> Ended:
    ended = _call(call, *arguments)
    if not ended.succeeded:
        raise call.failed(ended)
    return ended


def _meanwhile(call: ProgramCaller, ended: Ended) -> BackendFailed | None:
    """Return that the repository is in use, where it is: read without a lock, it may look damaged then."""
    if ended.overdue or not _call(call, "list", "locks").output.strip():
        return None
    remedy = "Run this again later; if nothing is at work there, restic unlock removes old locks."
    message = "it did not pass, but it is locked: another restic is at work in it and may be the reason, or was killed"
    return BackendFailed(Problem(message, Status.UNKNOWN, remedy))


def _not_understood(error: Exception) -> Problem:
    return Problem(f"what restic says is not understood: {error}", Status.UNKNOWN, "See that restic is 0.12 or newer.")

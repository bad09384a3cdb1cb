"""Secrets in files that Git tracks. A finding says where one is and of what kind, and nothing of its content."""

from __future__ import annotations

import codecs
import fnmatch
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from threading import Event
from typing import NamedTuple

from ...core.files import safe_files
from ...core.report.model import Finding, Status
from ...core.text.formatting import count, listed, printable, size
from ..audit_checks import SECRETS
from .git_tracking import TrackedFiles
from .secret_patterns import FoundSecret, secrets_in

_LOCKS = ("*.lock", "*.lock.*", "*lock.json", "*lock.yaml", "*.sum", "npm-shrinkwrap.json")
_GENERATED = (*_LOCKS, "*.min.js", "*.min.css", "*.map", "*.svg")
"""Names of files whose random values are digests and data; known forms of secrets are looked for in them as well."""

_HASHED = b"--hash=sha"
"""What a file of requirements with digests contains (pip's "Secure installs")."""

_LARGE = 5_000_000
"""Bytes from which a file is data: it is read in parts of so many, and only known forms are looked for in it."""

_OVERLAP = 4_000
"""Bytes that two parts have in common, so that a key across their border is in one of them whole."""

_HEAD = 8_000
"""Bytes at the start of a file among which a NUL makes it binary: Git's own rule."""

_WIDE = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}

_SHOWN = 10

_REMEDY = (
    "Revoke it first, for whoever has a copy of the repository has it. Then take it out of the file, and out of the "
    "history with git filter-repo. If it is no secret, say so in a comment on the line: maintenance: no-secret"
)


class _ReadFile(NamedTuple):
    """One file: the secrets in it, and whether it is so large that only known forms were looked for."""

    secrets: Sequence[FoundSecret]
    large: bool


def secret_findings(root: Path, tracked: TrackedFiles, stop: Event, advance: Callable[[int], None]) -> list[Finding]:
    """Read the tracked files as they are in the project's folder, and return a finding for each that holds a secret.

    Args:
        root: the project.
        tracked: its files, as Git has them.
        stop: ends the work where it is set.
        advance: called after each file.
    """
    if tracked.problem:
        return [SECRETS.finding(tracked.status, ".", tracked.problem)]
    if not tracked.paths:
        return [SECRETS.finding(Status.SKIPPED, ".", "Git tracks no file of the project.")]
    findings: list[Finding] = []
    read, large = 0, list[str]()
    for path in tracked.paths:
        if stop.is_set():
            message = f"It was stopped after {read:,} of {count(len(tracked.paths), 'tracked file')}."
            return [*findings, SECRETS.finding(Status.UNKNOWN, ".", message)]
        try:
            done = _read(root, path, stop)
        except FileNotFoundError:  # deleted, and not yet in Git
            continue
        except (safe_files.Refused, OSError) as error:
            findings.append(_unread(path, error))
        else:
            read += 1
            large += [path] * done.large
            findings += [_finding(path, done.secrets)] if done.secrets else []
        finally:
            advance(1)
    return findings or [_well(read, large)]


def _read(root: Path, path: str, stop: Event) -> _ReadFile:
    with safe_files.regular_file(root, path) as (descriptor, status):
        if status.st_size > _LARGE:
            return _ReadFile(sorted({found for part in _parts(descriptor, stop) for found in part}), large=True)
        content = _whole(descriptor)
    encoding = _WIDE.get(content[:2])
    if encoding:
        content = content.decode(encoding, "replace").encode("utf-8", "replace")
    settings = not (_is_generated(path, content) or b"\0" in content[:_HEAD])
    return _ReadFile(secrets_in(content, settings=settings), large=False)


def _whole(descriptor: int) -> bytes:
    with os.fdopen(descriptor, "rb", closefd=False) as file:
        return file.read(_LARGE)


def _parts(descriptor: int, stop: Event) -> Iterator[list[FoundSecret]]:
    line, kept = 1, b""
    while not stop.is_set() and (block := os.read(descriptor, _LARGE)):
        part = kept + block
        yield secrets_in(part, line, settings=False)
        # A part that begins with a line does not begin inside a word.
        cut = max(len(part) - _OVERLAP, 0)
        cut = part.find(b"\n", cut) + 1 or cut
        line, kept = line + part.count(b"\n", 0, cut), part[cut:]


def _is_generated(path: str, content: bytes) -> bool:
    name = PurePosixPath(path).name.lower()
    if name.endswith((".txt", ".in")) and _HASHED in content:
        return True
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in _GENERATED)


def _finding(path: str, secrets: Sequence[FoundSecret]) -> Finding:
    shown = "; ".join(f"line {each.line:,}: {each.kind}" for each in secrets[:_SHOWN])
    more = f"; and {len(secrets) - _SHOWN:,} more" if len(secrets) > _SHOWN else ""
    message = f"Git tracks {count(len(secrets), 'secret')} in it: {shown}{more}."
    return SECRETS.finding(Status.CRITICAL, printable(path), message, _REMEDY, value=len(secrets), unit="secrets")


def _unread(path: str, error: Exception) -> Finding:
    why = (
        str(error)
        if isinstance(error, safe_files.Refused)
        else f"It cannot be read: {getattr(error, 'strerror', error)}."
    )
    return SECRETS.finding(
        Status.UNKNOWN, printable(path), why, "Make it readable for whoever runs the audit, or take it out of Git."
    )


def _well(read: int, large: list[str]) -> Finding:
    message = f"No secret was found in {count(read, 'tracked file')}."
    if large:
        message += f" Larger than {size(_LARGE)}, so only known forms were looked for: {listed(large, len(large))}."
    return SECRETS.finding(Status.OK, ".", message, value=read, unit="files")

"""Files that cannot be used any more: cache entries and the suite's own records whose JSON does not parse.

A program that is killed, or finds the disk full, leaves half a file or an empty one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import PurePosixPath

from ..core.files import safe_files
from ..core.files.json_files import LIMIT
from ..core.report.model import Finding, Status
from ..core.text.formatting import count, listed, printable
from .ports import Context

_ENTRIES = 5_000
_BYTES = 64_000_000
"""How many entries are read, and how much in all: a sample is enough, for somebody waits for the rest."""


def entry_findings(context: Context) -> Iterator[Finding]:
    """Yield how many entries of the cache were looked at and cannot be used, where there are any."""
    looked, left, damaged, closed = 0, _BYTES, [], []
    for path in _entry_paths(context):
        if looked == _ENTRIES or left <= 0 or context.stop.is_set():
            break
        try:
            content = safe_files.read(context.root, path, limit=left)
        except (FileNotFoundError, safe_files.Refused):
            continue
        except OSError:
            closed.append(path)
            continue
        looked, left = looked + 1, left - len(content)
        if not _parses(content):
            damaged.append(path)
    subject = printable(context.settings.cache.directory)
    if damaged:
        yield Finding(
            check="recovery.entries",
            subject=subject,
            status=Status.WARNING,
            message=(
                f"{len(damaged):,} of {count(looked, 'JSON entry', 'JSON entries')} looked at cannot be used, for they "
                f"do not parse: {listed(damaged, len(damaged))}."
            ),
            value=len(damaged),
            unit="entries",
            remedy="inv emergency.recover --only cache --yes clears the cache; what is used of it is made anew.",
        )
    if closed:
        yield Finding(
            check="recovery.unreadable-entries",
            subject=subject,
            status=Status.WARNING,
            message=f"{count(len(closed), 'entry', 'entries')} cannot be read: {listed(closed, len(closed))}.",
            value=len(closed),
            unit="entries",
            remedy="Look at owner and permissions with ls -l; run it as the owner of the cache.",
        )


def _entry_paths(context: Context) -> Iterator[str]:
    """Yield the paths of the JSON files in the folders of the kinds; a folder that cannot be walked has none."""
    cache = context.settings.cache
    for kind in cache.expiry_hours:
        with (
            suppress(safe_files.Refused, OSError),
            safe_files.folder(context.root, f"{cache.directory}/{kind}") as descriptor,
        ):
            for folder, _folders, names, _descriptor in os.fwalk(".", dir_fd=descriptor):
                for name in sorted(names):
                    if name.endswith(".json"):
                        yield str(PurePosixPath(cache.directory, kind, folder, name))


def _parses(content: bytes) -> bool:
    try:
        json.loads(content, parse_int=str)  # Python makes no number of very many digits, which are valid all the same
    except (ValueError, RecursionError):
        return False
    return True


def record_findings(context: Context) -> Iterator[Finding]:
    """Yield the suite's own records that are broken; their owners keep them aside and start new ones."""
    for path, owner in context.ports.records.items():
        try:
            content = safe_files.read(context.root, path, limit=LIMIT)
        except FileNotFoundError:
            continue
        except (safe_files.Refused, OSError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            yield _record_finding(
                path, f"It cannot be read: {reason}", f"Move it away, or see that {owner} can read it."
            )
            continue
        if content.strip() and not _parses(content):
            yield _record_finding(
                path, "It is no valid JSON any more.", f"inv {owner} keeps it aside and begins a new one."
            )


def _record_finding(path: str, message: str, remedy: str) -> Finding:
    return Finding(
        check="recovery.record", subject=printable(path), status=Status.WARNING, message=message, remedy=remedy
    )

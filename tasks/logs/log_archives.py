"""The archives of logs: ``archive/YYYY/MM/NAME_YYYYMMDD.log.gz`` in the log folder, and the origin in their headers.

An archive is an ordinary gzip file. The comment in its header says which bytes of which file it holds, so that a
reader of the live log can continue in the archive where it stopped.
"""

from __future__ import annotations

import json
import os
import re
import stat
import struct
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import NamedTuple

import msgspec

from ..core.files.safe_files import folder

FOLDER = "archive"
"""In the log folder."""

HEADER_LIMIT = 4096
"""Bytes of an archive within which its header ends."""

_NAME = re.compile(r"(?P<stem>.+)_(?P<day>\d{8})(?:_(?P<serial>\d+))?\.log\.gz", re.DOTALL)
_YEAR, _MONTH = re.compile(r"\d{4}"), re.compile(r"\d\d")
_FIXED = struct.Struct("<4sIBB")
_MAGIC = b"\x1f\x8b\x08"
_COMMENT = 0x10
_UNIX = 3


class ArchiveOrigin(msgspec.Struct, frozen=True, kw_only=True):
    """Where an archive's content comes from.

    Attributes:
        log: the name of the live log.
        device: the device of its file.
        inode: the inode of its file.
        end: bytes of the file that the archive holds, counted from the file's start.
        released: bytes that were taken away from the file's start. Less than *end* where a line crossed the
            border: its rest was blanked in the file and is no record there.
        rotated: when, in ISO 8601.
    """

    log: str
    device: int
    inode: int
    end: int
    released: int
    rotated: str


class LogArchive(NamedTuple):
    """An archive found.

    Attributes:
        month: the folder in the archive folder, ``2026/11``.
        name: the file's name there.
        stem: the name of its log without ``.log``; ``None`` where the name is not of our form.
        day: the day of its rotation, by its name; ``None`` likewise.
        serial: 1 for the day's first rotation.
        status: what ``lstat`` said.
    """

    month: str
    name: str
    stem: str | None
    day: date | None
    serial: int
    status: os.stat_result


def archive_name(log: str, day: date, serial: int) -> str:
    """Return the name of the archive of *log*, the *serial*-th of that *day*."""
    suffix = f"_{serial}" if serial > 1 else ""
    return f"{stem_of(log)}_{day:%Y%m%d}{suffix}.log.gz"


def stem_of(log: str) -> str:
    """Return the name of a log as its archives begin with it."""
    return log.removesuffix(".log")


def gzip_header(origin: ArchiveOrigin, mtime: float) -> bytes:
    """Return the header of a gzip member (RFC 1952) with *origin* as its comment."""
    comment = json.dumps(msgspec.to_builtins(origin)).encode("ascii")  # RFC 1952 has comments in ISO 8859-1
    seconds = int(mtime) if 0 <= mtime < 2**32 else 0
    return _FIXED.pack(_MAGIC + bytes([_COMMENT]), seconds, 0, _UNIX) + comment + b"\0"


def origin_of(start: bytes) -> ArchiveOrigin | None:
    """Return what the header at the *start* of an archive says; ``None`` where it is not of ours."""
    if len(start) < _FIXED.size or start[:3] != _MAGIC or start[3] != _COMMENT:
        return None
    end = start.find(b"\0", _FIXED.size)
    with suppress(ValueError, RecursionError, msgspec.ValidationError):
        return msgspec.convert(json.loads(start[_FIXED.size : max(end, 0)]), ArchiveOrigin)
    return None


def list_archives(root: Path, directory: str) -> Iterator[LogArchive]:
    """Yield the ``.gz`` files in the archive's folders of years and months, oldest month first.

    Args:
        root: the project.
        directory: the log folder, below it.

    Raises:
        Refused, OSError: a folder of the archive cannot be walked.
    """
    top = f"{directory}/{FOLDER}"
    for year in _subfolders(root, top, _YEAR):
        for month in _subfolders(root, f"{top}/{year}", _MONTH):
            with suppress(FileNotFoundError):  # it vanished meanwhile
                yield from _archives_of_month(root, top, f"{year}/{month}")


RELEASE_JOURNAL = ".rotation.json"
"""In the archive folder, while the start of a log is being released."""

PENDING_PREFIX = ".rotating-"
"""What the name of a log begins with in the archive folder, between its rename and its removal."""


def is_interrupted(root: Path, directory: str) -> bool:
    """Tell whether a rotation was killed, so that it must be finished or undone before its logs are read.

    Raises:
        Refused, OSError: a folder of the archive cannot be walked.
    """
    top = f"{directory}/{FOLDER}"
    with suppress(FileNotFoundError):
        with folder(root, top) as descriptor:
            if RELEASE_JOURNAL in os.listdir(descriptor):  # noqa: PTH208 - by descriptor
                return True
        for year in _subfolders(root, top, _YEAR):
            for month in _subfolders(root, f"{top}/{year}", _MONTH):
                with folder(root, f"{top}/{year}/{month}") as descriptor, os.scandir(descriptor) as entries:
                    if any(entry.name.startswith(PENDING_PREFIX) for entry in entries):
                        return True
    return False


def _archives_of_month(root: Path, top: str, month: str) -> Iterator[LogArchive]:
    with folder(root, f"{top}/{month}") as descriptor, os.scandir(descriptor) as entries:
        for name in sorted(entry.name for entry in entries if entry.name.endswith(".gz")):
            try:
                status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
            except FileNotFoundError:
                continue
            if stat.S_ISREG(status.st_mode):
                yield _parse_archive(month, name, status)


def _subfolders(root: Path, path: str, pattern: re.Pattern[str]) -> list[str]:
    try:
        with folder(root, path) as descriptor, os.scandir(descriptor) as entries:
            return sorted(
                entry.name for entry in entries if pattern.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False)
            )
    except FileNotFoundError:
        return []


def _parse_archive(month: str, name: str, status: os.stat_result) -> LogArchive:
    match = _NAME.fullmatch(name)
    with suppress(ValueError):
        if match:
            day = date.fromisoformat(match["day"])
            return LogArchive(month, name, match["stem"], day, int(match["serial"] or 1), status)
    return LogArchive(month, name, None, None, 1, status)

"""The one door for state: files that the suite wrote and reads back, whoever may have changed them meanwhile.

Journals, manifests, stamps, histories, baselines and ledgers are hostile input. What comes through here was opened by
descriptor below the root without following a link, is believed by the rules of :mod:`.ownership`, is no larger and
nested no deeper than expected, and has the type that its reader declared, ranges and names included. Anything else is
reported in a sentence and never acted on; a changing run keeps it aside as ``NAME.broken-N``.

A declared type says with the types below what it takes: a number with its range, a name that stays in its folder.
Files that the project itself writes are input and not state: :mod:`.safe_files` reads those.
"""

from __future__ import annotations

import errno
import itertools
import json
import math
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Generic, NamedTuple, TypeVar

import msgspec
from msgspec import Meta

from ..text.formatting import printable
from . import safe_files
from .ownership import distrust
from .safe_files import ASIDE, Refused

LIMIT = 10_000_000
"""Bytes of the largest file that is read where nothing else is said; most hold a few thousand."""

DEPTH = 32
"""Objects and arrays within each other that a file may have where nothing else is said."""

Size = Annotated[int, Meta(ge=0, le=(1 << 63) - 1)]
"""Bytes, or a place in a file."""

Count = Annotated[int, Meta(ge=0, le=(1 << 53) - 1)]
"""How many; every reader of JSON has it exactly."""

Number = Annotated[int, Meta(ge=0)]
"""A device or an inode; no number in a state file has more than 64 bits."""

Plain = Annotated[str, Meta(pattern=r"\A(?!\.{1,2}\Z)[^/\x00]+\Z", max_length=255)]
"""The name of an entry of a folder, which leads nowhere else."""

Below = Annotated[str, Meta(pattern=r"\A(?:(?!\.{1,2}(?:/|\Z))[^/\x00]+(?:/(?!\Z)|\Z))+\Z", max_length=4096)]
"""A path below a folder: plain names with ``/`` between them."""

_TRIES = 20
"""Times that a file is opened anew which another run replaces at that moment."""

_SMALLEST, _LARGEST = -(1 << 63), (1 << 64) - 1
_DIGITS = 20

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[{]|[\]}]', re.DOTALL)

_PATTERN = re.compile(r"matching regex '.*'(?= - at |$)", re.DOTALL)

T = TypeVar("T")


class StateFile(NamedTuple, Generic[T]):
    """What reading a state file gave.

    Attributes:
        content: what it holds; ``None`` where nothing is to be acted on.
        problem: why not, as a sentence; ``None`` where it can be used, is missing or holds nothing.
        exists: True where there is something of that name.
        broken: True where it is to be kept aside before it is written again.
        replaceable: True where it may be written; False where that would fail or lose what a newer version wrote.
    """

    content: T | None = None
    problem: str | None = None
    exists: bool = False
    broken: bool = False
    replaceable: bool = True


class Distrusted(Refused):
    """A state file that is not believed: a link, one that others could have written, or one that is far too large."""


@contextmanager
def opened(root: Path, relative: str, flags: int = os.O_RDONLY) -> Iterator[tuple[int, os.stat_result]]:
    """Open a state file that is believed, and give its descriptor and its status.

    Args:
        root: the project.
        relative: the file's path below it.
        flags: to open it with, those that keep it from being followed or waited for apart.

    Raises:
        Distrusted: the file is not believed.
        Refused: its folder is refused.
        OSError: it is missing or cannot be opened.
    """
    path = PurePosixPath(relative)
    with safe_files.folder(root, str(path.parent)) as parent:
        descriptor, status = _open(parent, path, flags)
    try:
        yield descriptor, status
    finally:
        os.close(descriptor)


def _open(parent: int, path: PurePosixPath, flags: int) -> tuple[int, os.stat_result]:
    """Open a file, unless it is not believed.

    That the name leads to the open file and that this is the file's only name is read in one call: a name that is
    removed and made again meanwhile shows nothing else.
    """
    for _ in range(_TRIES):
        # A link or a device is not even opened.
        _require_trust(os.stat(path.name, dir_fd=parent, follow_symlinks=False), parent, path)
        try:
            descriptor = os.open(
                path.name, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC, dir_fd=parent
            )
        except OSError as error:
            if error.errno == errno.ELOOP:
                continue
            raise
        try:
            named = os.stat(path.name, dir_fd=parent, follow_symlinks=False)
            _require_trust(named, parent, path)
            if os.path.samestat(named, os.fstat(descriptor)):
                return descriptor, named
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
    raise Distrusted(f"{printable(path)} is replaced again and again; it was left as it is.")


def _require_trust(status: os.stat_result, parent: int, path: PurePosixPath) -> None:
    if reason := distrust(status, os.fstat(parent)):
        raise Distrusted(f"{printable(path)} {reason}, so it is not read or written.")


def read_bytes(root: Path, relative: str, *, limit: int) -> bytes:
    """Return the content of a state file that is believed.

    Args:
        root: the project.
        relative: the file's path below it.
        limit: the most bytes to read.

    Raises:
        Distrusted: it is not believed, or larger than *limit*.
        Refused: its folder is refused.
        OSError: it is missing or cannot be read.
    """
    with opened(root, relative) as (descriptor, status), os.fdopen(descriptor, "rb", closefd=False) as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        length = max(status.st_size, len(content))
        raise Distrusted(f"{printable(relative)} has {length:,} bytes, more than the {limit:,} expected.")
    return content


def read(root: Path, relative: str, kind: type[T], *, limit: int = LIMIT, depth: int = DEPTH) -> StateFile[T]:
    """Read the JSON in a state file; one that is missing, or holds nothing as a full disk leaves it, has no content.

    Nothing is changed: :func:`write` keeps aside what cannot be used, and so does :func:`set_aside`.

    Args:
        root: the project.
        relative: the file's path below it.
        kind: what it is to hold: a type that msgspec knows, which says its ranges and names.
        limit: the most bytes that it may have.
        depth: how many objects and arrays it may have within each other.
    """
    try:
        content = read_bytes(root, relative, limit=limit)
        return StateFile(decode(content, kind, depth=depth) if content.strip() else None, exists=True)
    except FileNotFoundError:
        return StateFile()
    except Distrusted as error:
        return StateFile(problem=str(error), exists=True, broken=True)
    except Refused as error:
        return StateFile(problem=str(error), exists=True, replaceable=False)
    except OSError as error:
        problem = f"{printable(relative)} cannot be read: {error.strerror}."
        return StateFile(problem=problem, exists=True, replaceable=False)
    except ValueError as error:
        return StateFile(problem=f"{printable(relative)} {error}.", exists=True, broken=True)


def decode(content: bytes, kind: type[T], *, depth: int = DEPTH) -> T:
    """Return what the JSON in the bytes of a state file holds, as the declared type.

    A number that is none, is infinite or has more than 64 bits is read as null.

    Raises:
        ValueError: it holds something else; the message is the end of a clause.
    """
    if _is_deeper(content, depth):
        raise ValueError(f"is nested more than {depth} levels deep")
    try:
        # A name that is no UTF-8 is written as Python writes it, which msgspec's own decoder does not take.
        value = json.loads(content.decode("utf-8"), parse_constant=_no_number, parse_int=_bounded, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"is no valid JSON: {printable(error)}") from None
    try:
        return msgspec.convert(value, kind)
    except (msgspec.ValidationError, RecursionError, OverflowError) as error:
        text = _PATTERN.sub("that is a name of the expected form", str(error))
        raise ValueError(f"does not hold what this suite writes: {printable(text)}") from None


def _no_number(_constant: str) -> None:
    """Return nothing for NaN and the infinities, as JSON itself would have it."""


def _bounded(text: str) -> int | None:
    number = int(text) if len(text) <= _DIGITS else _SMALLEST - 1
    return number if _SMALLEST <= number <= _LARGEST else None


def _finite(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


def _is_deeper(content: bytes, depth: int) -> bool:
    """Tell whether a JSON text has more objects and arrays within each other; nothing is built for that."""
    if content.count(b"[") + content.count(b"{") <= depth:
        return False
    level = 0
    for token in _TOKEN.finditer(content):
        first = content[token.start()]
        if first in b"[{":
            level += 1
            if level > depth:
                return True
        elif first in b"]}":
            level -= 1
    return False


def write(
    root: Path, relative: str, content: bytes | dict[str, Any], before: StateFile[Any], *, private: bool = False
) -> str | None:
    """Write a state file, whole or not at all; what could not be used is kept aside.

    The caller holds the lock of the project or of the folder.

    Args:
        root: the project.
        relative: the file's path below it.
        content: its bytes, or the object of which JSON is made.
        before: what reading the file gave.
        private: it can be read by its owner only.

    Returns:
        The path below the root under which the old file was kept; ``None`` where it was replaced.

    Raises:
        Refused, OSError: it was not written, and the old file is where it was.
    """
    if not before.replaceable:
        raise Refused(before.problem or f"{printable(relative)} cannot be replaced.")
    text = content if isinstance(content, bytes) else _encoded(relative, content)
    with _trusted_or_aside(root, relative) as aside:
        kept = safe_files.write(root, relative, text, keep_old=before.broken and aside is None, private=private)
    return aside or kept


def _encoded(relative: str, content: dict[str, Any]) -> bytes:
    try:
        return json.dumps(content, indent=2).encode("ascii") + b"\n"
    except RecursionError:
        raise Refused(f"{printable(relative)} is nested too deeply to be written again.") from None


@contextmanager
def _trusted_or_aside(root: Path, relative: str) -> Iterator[str | None]:
    """Move away what is not believed for the time of a write, and give the path of that; on an error it is put back."""
    aside = None
    try:
        with opened(root, relative):
            pass
    except Distrusted:
        aside = set_aside(root, relative)
    except OSError:
        pass  # it is missing, or cannot be read: what is written takes its place
    try:
        yield aside
    except BaseException:
        if aside is not None:
            path = PurePosixPath(relative)
            with suppress(Refused, OSError), safe_files.folder(root, str(path.parent)) as parent:
                os.rename(PurePosixPath(aside).name, path.name, src_dir_fd=parent, dst_dir_fd=parent)
        raise


def append(root: Path, relative: str, content: bytes) -> int:
    """Add whole lines to the end of a state file, all of them or none.

    The file is made where it is missing. A last line that a kill or a full disk left without its newline is ended
    first, so that it spoils no other. Two calls at the same time are the caller's to prevent, by a lock.

    Args:
        root: the project.
        relative: the file's path below it.
        content: the lines, each with its newline.

    Returns:
        The bytes in the file now.

    Raises:
        Distrusted: the file is not believed.
        Refused: its folder is refused.
        OSError: it cannot be written; the file is as it was.
    """
    path = PurePosixPath(relative)
    with safe_files.folder(root, str(path.parent), create=True) as parent:
        descriptor, is_new = _open_to_append(parent, path)
        try:
            before = os.fstat(descriptor).st_size
            if before and os.pread(descriptor, 1, before - 1) != b"\n":
                content = b"\n" + content
            try:
                if os.write(descriptor, content) < len(content):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # noqa: TRY301 - undone as any other error
                os.fsync(descriptor)
            except OSError:
                with suppress(OSError):
                    os.ftruncate(descriptor, before)
                    if is_new:
                        os.unlink(path.name, dir_fd=parent)
                raise
            return before + len(content)
        finally:
            os.close(descriptor)


def _open_to_append(parent: int, path: PurePosixPath) -> tuple[int, bool]:
    """Return the descriptor of a state file, and whether it was made now."""
    flags = os.O_RDWR | os.O_APPEND
    try:
        new = os.O_CREAT | os.O_EXCL | os.O_CLOEXEC  # the second of them follows no link either
        descriptor = os.open(path.name, flags | new, 0o664, dir_fd=parent)
    except FileExistsError:
        return _open(parent, path, flags)[0], False
    try:
        if os.geteuid() == 0:  # as :func:`.safe_files.write` does
            owner = os.fstat(parent)
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
    except OSError:
        os.close(descriptor)
        os.unlink(path.name, dir_fd=parent)
        raise
    return descriptor, True


def set_aside(root: Path, relative: str) -> str:
    """Give what has a name the first free ``NAME.broken-N`` and return that path; the caller holds the lock.

    It may be anything, a link or a folder: only its name changes.

    Raises:
        Refused, OSError: it could not be renamed.
    """
    path = PurePosixPath(relative)
    with safe_files.folder(root, str(path.parent)) as parent:
        for number in itertools.count(1):
            aside = f"{path.name}{ASIDE}{number}"
            try:
                os.stat(aside, dir_fd=parent, follow_symlinks=False)
            except FileNotFoundError:
                break
        os.rename(path.name, aside, src_dir_fd=parent, dst_dir_fd=parent)
    return str(path.with_name(aside))


def remove(root: Path, relative: str) -> None:
    """Remove a state file, if it is there; of a link, the link.

    Raises:
        Refused, OSError: it could not be removed.
    """
    path = PurePosixPath(relative)
    with suppress(FileNotFoundError), safe_files.folder(root, str(path.parent)) as parent:
        os.unlink(path.name, dir_fd=parent)

"""The text of a configuration file: bounded, decoded as the project would decode it, and read in one piece."""

from __future__ import annotations

import codecs
import io
import os
import tokenize
from pathlib import Path
from typing import NamedTuple

from ...core.files import safe_files
from ...core.files.safe_files import Identity
from ...core.text.formatting import printable
from .parsed_document import Problem

_TRIES = 3
"""Readings of a file that changes meanwhile."""

_WIDE = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
"""Byte order marks and the encodings that they stand for; those of UTF-32 first, for one begins like UTF-16's."""


class Source(NamedTuple):
    """A file's text, or why there is none.

    Attributes:
        text: the text; ``None`` where it cannot be had.
        problems: what is wrong; with a text they are only reported, without one they say why.
        broken: True where the content is at fault: the project cannot read it either.
    """

    text: str | None
    problems: tuple[Problem, ...] = ()
    broken: bool = False


def read_source(root: Path, relative: str, *, limit: int) -> Source:
    """Return the text of a file below *root*.

    A link is followed where its target is below the root. UTF-8 is expected; UTF-16 and UTF-32 with a byte order
    mark are read as well and reported, and a module's own declaration (PEP 263) is followed.

    Args:
        root: the project.
        relative: the file's path below it.
        limit: the most bytes that are read.

    Raises:
        FileNotFoundError: there is no such file.
    """
    inside = _resolved(root, relative)
    if inside is None:
        return Source(None, (Problem("it is a link that leads out of the project, and is not followed"),))
    try:
        content = _in_one_piece(root, inside, limit)
    except FileNotFoundError:
        raise
    except safe_files.Refused as error:
        return Source(None, (Problem(str(error).rstrip(".")),))
    except OSError as error:
        return Source(None, (Problem(f"it cannot be read: {error.strerror}"),))
    if content is None:
        return Source(None, (Problem(f"it changed {_TRIES} times while it was read"),))
    return _decoded(content, python=relative.endswith(".py"))


def _resolved(root: Path, relative: str) -> str | None:
    """Return where a path leads below the root, its links followed; ``None`` where it leads out of it."""
    try:
        real = Path(os.path.realpath(root / relative))
        return str(real.relative_to(os.path.realpath(root)))
    except ValueError:
        return None


def _in_one_piece(root: Path, relative: str, limit: int) -> bytes | None:
    """Return a file's content as it was at one moment; ``None`` where it changed at each try."""
    for _ in range(_TRIES):
        with safe_files.regular_file(root, relative) as (descriptor, before):
            if before.st_size > limit:
                message = f"it has {before.st_size:,} bytes, more than the {limit:,} of configuration.largest_mb"
                raise safe_files.Refused(message)
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                content = file.read(limit + 1)
            if len(content) == before.st_size and Identity.of(os.fstat(descriptor)) == Identity.of(before):
                return content
    return None


def _decoded(content: bytes, *, python: bool) -> Source:
    for mark, encoding in _WIDE.items():
        if content.startswith(mark):
            try:
                text = content.decode(encoding)
            except UnicodeDecodeError:
                return Source(None, (Problem(f"it begins as {encoding} and is none"),), broken=True)
            return Source(text.removeprefix("\ufeff"), (Problem(f"it is in {encoding}, where UTF-8 is expected"),))
    if b"\0" in content:
        return Source(None, (Problem("it is binary: it has a byte of zero"),), broken=True)
    try:
        encoding = tokenize.detect_encoding(io.BytesIO(content).readline)[0] if python else "utf-8-sig"
        return Source(content.decode(encoding))
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        message = f"the byte 0x{content[error.start]:02X} is no {error.encoding.upper()}"
        return Source(None, (Problem(message, line, column),), broken=True)
    except SyntaxError as error:
        return Source(None, (Problem(printable(error.msg or "its encoding is not known")),), broken=True)

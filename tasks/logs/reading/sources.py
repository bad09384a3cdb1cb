"""Where log text comes from: files as they are, in UTF-16, and gzip archives, all read in bounded memory."""

from __future__ import annotations

import codecs
import os
import stat
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple, Protocol

from ...core.files import Refused, folder
from ...core.names import printable

BLOCK = 1 << 20
"""Bytes read at a time: enough that a pass costs little but reading and searching, and few enough that memory is
used again rather than asked for anew."""

_LINE = 4096
"""Bytes in which a line end is looked for first."""

_SAMPLE = 256 << 10
_UTF16_BOMS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Broken(Exception):
    """An archive ends too early or is no gzip file; what came before was read."""


class Text(Protocol):
    """Text as bytes that can be read at an offset; offsets that go back cost more on some."""

    def read_at(self, offset: int, size: int) -> bytes:
        """Return up to *size* bytes, fewer only where the text ends.

        Raises:
            Broken: it cannot be read on.
            OSError: what the system says.
        """
        ...


class Source(NamedTuple):
    """An open log.

    Attributes:
        path: the file, below the root.
        text: its content in UTF-8, or in whatever else has ASCII's letters where ASCII has them.
        size: bytes that are there to be read, counted when it was opened: who writes faster than we read must
            not keep us for ever; ``None`` where only reading tells.
        status: what ``fstat`` said.
        seekable: offsets can be chosen freely, and are those of the file.
    """

    path: str
    text: Text
    size: int | None
    status: os.stat_result
    seekable: bool

    def sample(self) -> bytes:
        """Return the beginning of the text."""
        return self.text.read_at(0, _SAMPLE)


class Chunk(NamedTuple):
    """Whole lines.

    Attributes:
        offset: where they begin in the text.
        data: the lines, each with a line end; of a line longer than a block only its beginning, without one.
        cut: True where the text ends without a line end, and the last one was added.
    """

    offset: int
    data: bytes
    cut: bool = False


@contextmanager
def open_log(root: Path, relative: str) -> Iterator[Source]:
    """Open a log below *root*, or an archive of one where its name ends in ``.gz``.

    Raises:
        Refused: it is a link or no regular file.
        OSError: it is missing or cannot be read.
    """
    path = PurePosixPath(relative)
    with folder(root, str(path.parent)) as parent:
        try:
            descriptor = os.open(path.name, _OPEN, dir_fd=parent)
        except OSError as error:
            if stat.S_ISLNK(os.stat(path.name, dir_fd=parent, follow_symlinks=False).st_mode):
                raise Refused(f"{printable(relative)} is a symbolic link, which is not followed.") from error
            raise
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise Refused(f"{printable(relative)} is not a regular file.")
        yield _source(relative, descriptor, status)
    finally:
        os.close(descriptor)


def _source(path: str, descriptor: int, status: os.stat_result) -> Source:
    if path.endswith(".gz"):
        return Source(path, _Stream(lambda: _unpacked(descriptor)), None, status, seekable=False)
    encoding = _UTF16_BOMS.get(os.pread(descriptor, 2, 0))
    if encoding:
        return Source(path, _Stream(lambda: _transcoded(descriptor, encoding)), None, status, seekable=False)
    return Source(path, _File(descriptor, status.st_size), status.st_size, status, seekable=True)


class _File:
    """A file as it is, up to the size that it had."""

    def __init__(self, descriptor: int, size: int) -> None:
        self._descriptor = descriptor
        self._size = size

    def read_at(self, offset: int, size: int) -> bytes:
        return os.pread(self._descriptor, max(min(size, self._size - offset), 0), offset)


class _Stream:
    """Text that comes piece by piece; going back further than the last piece begins anew."""

    def __init__(self, begin: Callable[[], Iterator[bytes]]) -> None:
        self._begin = begin
        self._restart()

    def _restart(self) -> None:
        self._pieces = self._begin()
        self._offset = 0
        self._held = b""

    def read_at(self, offset: int, size: int) -> bytes:
        if offset < self._offset:
            self._restart()
        while offset + size > self._offset + len(self._held):
            piece = next(self._pieces, b"")
            if not piece:
                break
            skipped = min(max(offset - self._offset, 0), len(self._held))
            self._held = self._held[skipped:] + piece
            self._offset += skipped
        start = offset - self._offset
        return self._held[start : start + size]


def _unpacked(descriptor: int) -> Iterator[bytes]:
    """Yield the content of a gzip file with any number of members."""
    from isal import igzip

    with os.fdopen(os.dup(descriptor), "rb") as file:
        file.seek(0)
        unpacked: Any = igzip.open(file, "rb")  # type: ignore[no-untyped-call]
        while True:
            try:
                piece = unpacked.read(1 << 20)
            except (EOFError, zlib.error, igzip.BadGzipFile) as error:
                raise Broken(str(error)) from None
            if not piece:
                return
            yield piece


def _transcoded(descriptor: int, encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    offset = 2
    while piece := os.pread(descriptor, 1 << 20, offset):
        offset += len(piece)
        yield decoder.decode(piece).encode("utf-8", "replace")
    yield decoder.decode(b"", final=True).encode("utf-8", "replace")


def chunks(source: Source, start: int = 0, *, block: int = BLOCK) -> Iterator[Chunk]:
    """Yield the text from *start* on in chunks of whole lines.

    Of a line longer than *block* bytes, only that many are given.
    """
    offset = start
    while data := source.text.read_at(offset, _to_line_end(source, offset, block)):
        end = data.rfind(b"\n") + 1
        if end == len(data):
            yield Chunk(offset, data)
            offset += end
        elif len(data) < block:  # the text ends here, without a line end
            yield Chunk(offset, data + b"\n", cut=True)
            return
        elif end:
            yield Chunk(offset, data[:end])
            offset += end
        else:
            yield Chunk(offset, data)
            offset = after_line(source, offset + block)


def _to_line_end(source: Source, offset: int, block: int) -> int:
    """Return how much of a block to read so that a line ends there: looking costs less than cutting a block."""
    if source.seekable and block > _LINE:
        end = source.text.read_at(offset + block - _LINE, _LINE).rfind(b"\n")
        if end >= 0:
            return block - _LINE + end + 1
    return block


def after_line(source: Source, offset: int) -> int:
    """Return where the line that *offset* lies in ends, in bounded memory."""
    while data := source.text.read_at(offset, 1 << 16):
        end = data.find(b"\n")
        if end >= 0:
            return offset + end + 1
        offset += len(data)
    return offset


def reason(error: Exception) -> str:
    """Return why a log could not be read, as a sentence."""
    if isinstance(error, OSError):
        return f"It cannot be read: {error.strerror}."
    if isinstance(error, Broken):
        return f"It is damaged ({printable(error)}); what came before the damage was read."
    return str(error)

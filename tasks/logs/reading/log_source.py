"""Log text and where it comes from: plain files, UTF-16 and gzip archives, all read in bounded memory."""

from __future__ import annotations

import codecs
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from ...core.files.safe_files import regular_file
from ...core.text.formatting import printable

BLOCK = 1 << 20
"""Bytes read at a time: enough that a pass costs little but reading and searching, and few enough that memory is
reused."""

_LINE = 4096
"""Bytes in which a line end is looked for first."""

_SAMPLE = 256 << 10
_PACKED, _UNPACKED = 1 << 15, 1 << 17
"""Bytes of an archive read and unpacked at a time: where it is damaged, no more than the last such piece is lost."""

_HOLE = b"\0" * 16
"""What a writer that does not append leaves at the head of a log that somebody truncated: empty lines, as it were."""

_GZIP = 31
_UTF16_BOMS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


class DamagedArchive(Exception):
    """An archive ends too early or is no gzip file; what came before was read."""


class LogText(Protocol):
    """Text as bytes that can be read at an offset; offsets that go back cost more on some."""

    def read_at(self, offset: int, size: int) -> bytes:
        """Return up to *size* bytes, fewer only where the text ends.

        Raises:
            DamagedArchive: it cannot be read on.
            OSError: what the system says.
        """
        ...


class LogSource(NamedTuple):
    """An open log.

    Attributes:
        path: the file, below the root.
        text: its content in UTF-8, or in another encoding that contains ASCII.
        size: bytes that are there to be read, counted when it was opened: who writes faster than we read must
            not keep us for ever; ``None`` where only reading tells.
        status: what ``fstat`` said.
        seekable: offsets can be chosen freely, and are those of the file.
    """

    path: str
    text: LogText
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
def open_log(root: Path, relative: str) -> Iterator[LogSource]:
    """Open a log below *root*, or an archive of one where its name ends in ``.gz``.

    Raises:
        Refused: it is a link or no regular file.
        OSError: it is missing or cannot be read.
    """
    with regular_file(root, relative) as (descriptor, status):
        yield _source(relative, descriptor, status)


def _source(path: str, descriptor: int, status: os.stat_result) -> LogSource:
    if path.endswith(".gz"):
        return LogSource(path, _StreamText(lambda: unpacked(descriptor)), None, status, seekable=False)
    encoding = _UTF16_BOMS.get(os.pread(descriptor, 2, 0))
    if encoding:
        stream = _StreamText(lambda: _transcoded(descriptor, encoding, status.st_size))
        return LogSource(path, stream, None, status, seekable=False)
    return LogSource(path, _FileText(descriptor, status.st_size), status.st_size, status, seekable=True)


class _FileText:
    """A file as it is, up to the size that it had."""

    def __init__(self, descriptor: int, size: int) -> None:
        self._descriptor = descriptor
        self._size = size

    def read_at(self, offset: int, size: int) -> bytes:
        data = os.pread(self._descriptor, max(min(size, self._size - offset), 0), offset)
        return data if b"\0" not in data or _HOLE not in data else data.replace(b"\0", b"\n")


class _StreamText:
    """Text that comes piece by piece; going back further than the last piece starts from the beginning."""

    def __init__(self, begin: Callable[[], Iterator[bytes]]) -> None:
        self._begin = begin
        self._restart()

    def _restart(self) -> None:
        self._pieces = self._begin()
        self._offset = 0
        self._held = b""
        self._broken: DamagedArchive | None = None

    def read_at(self, offset: int, size: int) -> bytes:
        if offset < self._offset:
            self._restart()
        if offset + size > self._offset + len(self._held):
            self._read_on(offset, size)
        start = offset - self._offset
        data = self._held[start : start + size]
        if self._broken is not None and size and not data:
            raise self._broken
        return data

    def _read_on(self, offset: int, size: int) -> None:
        """Hold the text from *offset* on, or the last of it."""
        skipped = min(offset - self._offset, len(self._held))
        self._offset += skipped
        pieces = [self._held[skipped:]]
        length = len(pieces[0])
        while offset + size > self._offset + length and (piece := self._next()):
            if offset >= self._offset + length:
                self._offset += length
                pieces, length = [], 0
            pieces.append(piece)
            length += len(piece)
        self._held = b"".join(pieces)

    def _next(self) -> bytes:
        try:
            return next(self._pieces, b"")
        except DamagedArchive as error:  # raised once what came before was read
            self._broken = error
            return b""


def unpacked(descriptor: int) -> Iterator[bytes]:
    """Yield the content of a gzip file with any number of members, as far as it is not damaged.

    Args:
        descriptor: the file, open for reading.

    Raises:
        DamagedArchive: it is no gzip file, damaged or cut short; all that came before was yielded.
        OSError: it cannot be read.
    """
    from isal import isal_zlib

    damaged: Any = isal_zlib.error  # a class of exceptions; the package's own types say otherwise
    unpacker: Any = None
    offset = members = 0
    try:
        while data := os.pread(descriptor, _PACKED, offset):
            offset += len(data)
            piece = b""
            while data or len(piece) == _UNPACKED:
                if unpacker is None:
                    data = data.lstrip(b"\0") if members else data  # padding, as of a tape
                    if not data:
                        break
                    unpacker = isal_zlib.decompressobj(_GZIP)
                    members += 1
                piece = unpacker.decompress(data, _UNPACKED)
                data = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
                if piece:
                    yield piece
                if unpacker.eof:
                    unpacker = None
    except damaged as error:
        raise DamagedArchive(str(error)) from None
    if unpacker is not None:
        raise DamagedArchive("it ends too early")


def _transcoded(descriptor: int, encoding: str, size: int) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    offset = 2
    while piece := os.pread(descriptor, max(min(1 << 20, size - offset), 0), offset):
        offset += len(piece)
        if text := decoder.decode(piece):
            yield text.encode("utf-8", "replace")
    yield decoder.decode(b"", final=True).encode("utf-8", "replace")


class _PrefixText:
    """The beginning of a text."""

    def __init__(self, text: LogText, end: int) -> None:
        self._text = text
        self._end = end

    def read_at(self, offset: int, size: int) -> bytes:
        return self._text.read_at(offset, max(min(size, self._end - offset), 0))


def up_to(source: LogSource, end: int) -> LogSource:
    """Return the log as if its text ended there."""
    return source._replace(text=_PrefixText(source.text, end), size=end)


def chunks(source: LogSource, start: int = 0, *, block: int = BLOCK) -> Iterator[Chunk]:
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
            offset += len(data)
        elif end:
            yield Chunk(offset, data[:end])
            offset += end
        else:
            yield Chunk(offset, data)
            offset = after_line(source, offset + block)


def _to_line_end(source: LogSource, offset: int, block: int) -> int:
    """Return how much of a block to read so that a line ends there: looking costs less than cutting a block."""
    if source.seekable and block > _LINE:
        end = source.text.read_at(offset + block - _LINE, _LINE).rfind(b"\n")
        if end >= 0:
            return block - _LINE + end + 1
    return block


def after_line(source: LogSource, offset: int) -> int:
    """Return where the line that *offset* lies in ends, in bounded memory."""
    size = _LINE
    while data := source.text.read_at(offset, size):
        end = data.find(b"\n")
        if end >= 0:
            return offset + end + 1
        offset += len(data)
        size = 1 << 16
    return offset


def unreadable_reason(error: Exception) -> str:
    """Return why a log could not be read, as a sentence."""
    if isinstance(error, OSError):
        return f"It cannot be read: {error.strerror}."
    if isinstance(error, DamagedArchive):
        return f"It is damaged ({printable(error)}); what came before the damage was read."
    return str(error)

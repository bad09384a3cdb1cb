"""The body of an answer as it comes in by parts: bounded, unpacked, without what only keeps a connection alive."""

from __future__ import annotations

import zlib

LIMIT = 1_000_000
"""Bytes of the largest answer read, as sent and as unpacked: the longest here, a list of models, has about 50,000."""

_EITHER = zlib.MAX_WBITS | 32
"""How zlib is told to read gzip and its own format, whichever it is."""

_BLANKS = b" \t\r\n"


class Unusable(Exception):
    """The body is none that can be used; the text says why, as a sentence."""


class Body:
    """A body that grows.

    Attributes:
        content: what came in, unpacked, from the first byte on that is more than a sign of life.
    """

    def __init__(self, encoding: str) -> None:
        """Begin with nothing.

        Args:
            encoding: the header ``Content-Encoding``. None is asked for, but servers pack all the same.

        Raises:
            Unusable: nothing here unpacks that.
        """
        encoding = encoding.strip().lower()
        if encoding not in {"", "identity", "gzip", "x-gzip", "deflate"}:
            raise Unusable("Its answer is packed in a way that was not asked for.")
        self.content = bytearray()
        self._unpacker = None if encoding in {"", "identity"} else zlib.decompressobj(_EITHER)
        self._received = self._unpacked = 0
        self._begun = False

    def feed(self, part: bytes) -> None:
        """Take the next part.

        Raises:
            Unusable: the body is too large, or its packing is broken.
        """
        self._received += len(part)
        plain = part if self._unpacker is None else self._plain(part, self._unpacker)
        self._unpacked += len(plain)
        if max(self._received, self._unpacked) > LIMIT:
            raise Unusable("Its answer is larger than 1 MB.")
        self.content += plain
        if not self._begun:
            self.content = bytearray(after_keep_alives(bytes(self.content)))
            self._begun = self.begun

    @property
    def begun(self) -> bool:
        """Whether there is more than signs of life."""
        return self._begun or (bool(self.content) and not self.content.startswith(b":"))

    def end(self) -> None:
        """Take note that there is no further part.

        Raises:
            Unusable: the end is missing.
        """
        if self._unpacker is not None and self._received and not self._unpacker.eof:
            raise Unusable("Its answer is packed, and its end is missing.")

    def _plain(self, part: bytes, unpacker: zlib._Decompress) -> bytes:
        try:
            return unpacker.decompress(part, LIMIT + 1 - self._unpacked)
        except zlib.error:
            raise Unusable("Its answer is packed, and the packing is broken.") from None


def after_keep_alives(beginning: bytes) -> bytes:
    """Return *beginning* without the blank lines and the comments that it starts with.

    DeepSeek sends both while a request waits ("Rate Limit" in its documentation): empty lines, and ``: keep-alive``
    where events are streamed. A comment whose line has not ended yet is kept.
    """
    rest = beginning.lstrip(_BLANKS)
    while rest.startswith(b":"):
        _, end, after = rest.partition(b"\n")
        if not end:
            break
        rest = after.lstrip(_BLANKS)
    return rest

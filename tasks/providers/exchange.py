"""One HTTP exchange with a provider, under a deadline that no server can stretch."""

from __future__ import annotations

import asyncio
import logging
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from . import provider_faults
from .provider_faults import Failure, Fault

if TYPE_CHECKING:
    import httpx


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered.

    Attributes:
        status: the HTTP status.
        headers: names in lower case.
        body: unpacked, without what keeps the connection alive before it.
        first_byte: seconds from the beginning of the request to the first byte of the body; what only keeps the
            connection alive does not count.
        total: seconds to its last byte.
    """

    status: int
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    first_byte: float
    total: float


async def exchange(
    client: httpx.AsyncClient, method: str, url: str, *, key: str, content: bytes | None, deadline: float
) -> Answer | Failure:
    """Send one request and return the answer, whatever its status, or what went wrong.

    Redirects are not followed: the key belongs to this host alone. Of the messages of httpx nothing is shown, for
    one of them quotes the header with the key.

    Args:
        client: the client that sends it.
        method: ``GET`` or ``POST``.
        url: the address.
        key: goes into the header ``Authorization``, and nowhere else.
        content: JSON to send.
        deadline: when to give up, on the running loop's clock; it holds for all of the exchange.
    """
    import httpx

    clock = asyncio.get_running_loop().time
    started = clock()
    headers = {"Authorization": f"Bearer {key}", "Accept": "application/json", "Accept-Encoding": "identity"}
    if content is not None:
        headers["Content-Type"] = "application/json"
    left = max(deadline - started, 0.001)
    try:
        async with (
            asyncio.timeout_at(deadline),
            client.stream(
                method, url, headers=headers, content=content, timeout=left, follow_redirects=False
            ) as response,
        ):
            body = Body(response.headers.get("content-encoding", ""))
            first = None
            async for part in response.aiter_raw():
                body.feed(part)
                if first is None and body.started:
                    first = clock()
            body.end()
            ended = clock()
    except (TimeoutError, httpx.TimeoutException):
        return provider_faults.timed_out(max(deadline - started, 0))
    except Unusable as error:
        return Failure(Fault.MALFORMED, str(error), response.status_code)
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        return provider_faults.of_exception(error, _host(url))
    return Answer(
        response.status_code,
        {name.lower(): value for name, value in response.headers.items()},
        bytes(body.content),
        (ended if first is None else first) - started,
        ended - started,
    )


def _host(url: str) -> str:
    return url.partition("://")[2].partition("/")[0]


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the loggers of httpx and httpcore from telling what they send and receive.

    Under ``inv --debug`` every logger writes to standard error, and theirs write whole headers.
    """
    loggers = [
        logging.getLogger(name)
        for name in ("httpx", "httpcore", *logging.root.manager.loggerDict)
        if name.partition(".")[0] in {"httpx", "httpcore"}
    ]
    before = [(logger, logger.level) for logger in dict.fromkeys(loggers)]
    for logger, _ in before:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in before:
            logger.setLevel(level)


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
        self._started = False

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
        if not self._started:
            self.content = bytearray(after_keep_alives(bytes(self.content)))
            self._started = self.started

    @property
    def started(self) -> bool:
        """Whether there is more than signs of life."""
        return self._started or (bool(self.content) and not self.content.startswith(b":"))

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

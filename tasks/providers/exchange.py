"""One HTTP exchange with a provider, under a deadline that no server can stretch."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from . import connecting, faults
from .body import Body, Unusable
from .faults import Failure, Fault

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
                if first is None and body.begun:
                    first = clock()
            body.end()
            ended = clock()
    except (TimeoutError, httpx.TimeoutException):
        return faults.timed_out(max(deadline - started, 0))
    except Unusable as error:
        return Failure(Fault.MALFORMED, str(error), response.status_code)
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        return connecting.of_exception(error, _host(url))
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

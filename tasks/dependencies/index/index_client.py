"""The client of package indexes: asks for many projects at once."""

from __future__ import annotations

import asyncio
import netrc
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, NamedTuple, TypeAlias
from urllib.parse import urlsplit

from ...core.text.addresses import is_loopback
from ...core.text.formatting import duration
from .simple_api import ACCEPT, NoPage, Release, releases

if TYPE_CHECKING:
    import httpx

_AT_ONCE = 16
_LARGEST = 64 << 20
"""Bytes of a page: the largest ones that there are have some ten megabytes."""

_TICK = 0.1
_SOCKET_SECONDS = 15.0


class IndexedProject(NamedTuple):
    """A package as the index has it.

    Attributes:
        releases: its versions.
        note: which of several indexes could not be asked, as a sentence; empty: all were.
    """

    releases: tuple[Release, ...]
    note: str = ""


class NotInIndex(NamedTuple):
    """No index knows it; the reason is the end of a sentence."""

    reason: str = "the index does not know it"


class QueryFailed(NamedTuple):
    """It could not be asked for; the reason is the end of a sentence."""

    reason: str


IndexAnswer: TypeAlias = IndexedProject | NotInIndex | QueryFailed


def query_indexes(
    names: Iterable[str],
    urls: Sequence[str],
    *,
    no_index_reason: str = "none was named",
    deadline_seconds: float,
    redact: Callable[[str], str] = str,
    stop: Event | None = None,
) -> Mapping[str, IndexAnswer]:
    """Ask every index for every name, some at a time, and return what is known of each.

    Once an index cannot be connected to, it is not tried again for the other names.

    Args:
        names: normalized names of packages.
        urls: the indexes' addresses; releases of all of them count, as with pip's extra indexes.
        no_index_reason: why there are no addresses, where there are none.
        deadline_seconds: how long it may take in all.
        redact: takes secrets out of a text.
        stop: ends it early where it is set.
    """
    wanted = [*dict.fromkeys(names)]
    if not wanted:
        return {}
    if not urls:
        return dict.fromkeys(wanted, QueryFailed(f"no index is known: {no_index_reason}"))
    return asyncio.run(_query_all(wanted, urls, deadline_seconds, redact, stop or Event()))


async def _query_all(
    names: Sequence[str], urls: Sequence[str], seconds: float, redact: Callable[[str], str], stop: Event
) -> Mapping[str, IndexAnswer]:
    limit = asyncio.Semaphore(_AT_ONCE)
    found: dict[str, list[IndexAnswer]] = {name: [] for name in names}
    running = [asyncio.create_task(_query_index(url, names, limit, found, redact)) for url in dict.fromkeys(urls)]
    pending = {*running}
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while pending and not stop.is_set() and loop.time() < until:
        _, pending = await asyncio.wait(pending, timeout=_TICK)
    for task in pending:
        task.cancel()
    for ended in await asyncio.gather(*running, return_exceptions=True):
        if isinstance(ended, Exception):
            raise ended
    late = "it was told to stop" if stop.is_set() else f"it had not answered within {duration(seconds)}"
    return {name: _merge_answers(found[name], len({*urls}), late) for name in names}


async def _query_index(
    url: str,
    names: Sequence[str],
    limit: asyncio.Semaphore,
    found: Mapping[str, list[IndexAnswer]],
    redact: Callable[[str], str],
) -> None:
    """Ask one index for all names."""
    import httpx

    if urlsplit(url).scheme not in {"http", "https"}:
        for name in names:
            found[name].append(QueryFailed("an index that is no web address is not asked"))
        return
    closed: list[str] = []
    async with httpx.AsyncClient(
        headers={"Accept": ACCEPT, "User-Agent": "zbeam-maintenance"},
        timeout=_SOCKET_SECONDS,
        follow_redirects=True,
        auth=_credentials(url),
        trust_env=not is_loopback(url),
        limits=httpx.Limits(max_connections=_AT_ONCE),
    ) as client:

        async def query(name: str) -> None:
            async with limit:
                if closed:
                    answer: IndexAnswer = QueryFailed(closed[0])
                else:
                    answer = await _fetch_page(client, f"{url.rstrip('/')}/{name}/", closed, redact)
                found[name].append(answer)

        await query(names[0])
        await asyncio.gather(*(query(name) for name in names[1:]))


async def _fetch_page(
    client: httpx.AsyncClient, url: str, closed: list[str], redact: Callable[[str], str]
) -> IndexAnswer:
    import httpx

    try:
        return await _fetch(client, url)
    except NoPage:
        return QueryFailed("the index answered with something that is no page of a package index")
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
        closed.append(f"the index cannot be reached: {redact(str(error)) or type(error).__name__}")
        return QueryFailed(closed[0])
    except httpx.TimeoutException:
        return QueryFailed(f"the index did not answer within {duration(_SOCKET_SECONDS)}")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return QueryFailed(f"asking the index failed: {redact(str(error)) or type(error).__name__}")


async def _fetch(client: httpx.AsyncClient, url: str) -> IndexAnswer:
    """Return what an index says of one project.

    Raises:
        NoPage: that is no page of an index, or a larger one than there can be.
        httpx.HTTPError, httpx.InvalidURL: it could not be asked.
    """
    async with client.stream("GET", url) as response:
        if response.status_code == _NOT_FOUND:
            return NotInIndex()
        if response.status_code != _OK:
            return QueryFailed(_refusal_reason(response.status_code))
        content = bytearray()
        async for piece in response.aiter_bytes():
            content += piece
            if len(content) > _LARGEST:
                raise NoPage
    return IndexedProject(releases(bytes(content), response.headers.get("content-type", "")))


_OK, _NOT_FOUND = 200, 404
_UNAUTHORIZED = {401, 403, 407}


def _refusal_reason(status: int) -> str:
    wants = ", which asks for credentials (pip's configuration or .netrc keep them)" if status in _UNAUTHORIZED else ""
    return f"the index answered with HTTP {status}{wants}"


def _credentials(url: str) -> tuple[str, str] | None:
    """Return the user and password for an index: those of its address, else those of ``~/.netrc``."""
    parts = urlsplit(url)
    if parts.username:
        return None  # httpx takes them from the address
    try:
        found = netrc.netrc(Path("~/.netrc").expanduser()).authenticators(parts.hostname or "")
    except (OSError, netrc.NetrcParseError, RuntimeError):
        return None
    return (found[0], found[2]) if found else None


def _merge_answers(answers: Sequence[IndexAnswer], expected: int, late: str) -> IndexAnswer:
    """Return one answer for all indexes' ones."""
    projects = [answer for answer in answers if isinstance(answer, IndexedProject)]
    failures = [answer for answer in answers if isinstance(answer, QueryFailed)]
    if len(answers) < expected:
        failures.append(QueryFailed(late))
    if projects:
        known = tuple(release for project in projects for release in project.releases)
        return IndexedProject(known, f"Another index was not asked: {failures[0].reason}." if failures else "")
    return failures[0] if failures else NotInIndex()

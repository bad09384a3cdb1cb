"""Asking providers: all of them at once, the requests of each in order."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import httpx

from ..core.secrets.keys import Key
from ..core.settings.model import ProviderSettings
from ..core.text.addresses import is_loopback
from . import address
from .cleaning import cleaner
from .exchange import quiet
from .exchange_outcome import Asked, ExchangeOutcome
from .provider_faults import Failure, Fault
from .session import Session

if TYPE_CHECKING:
    import ssl

_GLANCE = 0.1
"""Seconds between two looks at the wish to stop."""

Script = Callable[[Session], Awaitable[None]]


def ask_all(
    providers: Mapping[str, ProviderSettings],
    script: Script,
    *,
    keys: Mapping[str, Key],
    now: datetime,
    stop: Event,
    redact: Callable[[str], str] = str,
) -> list[Asked]:
    """Ask every provider what *script* asks, all at once, and return what became of it in their order.

    Args:
        providers: their settings by name.
        script: makes the requests to one provider.
        keys: the key of each environment variable that the settings name.
        now: the moment of the run, aware of its zone.
        stop: once it is set, what is under way is given up within a fraction of a second.
        redact: takes secrets out of what servers say; each provider's own key is taken out in any case.
    """
    accesses = {name: _access(settings, keys.get(settings.key_env)) for name, settings in providers.items()}
    usable = {name: access for name, access in accesses.items() if isinstance(access, _Access)}
    complete = _asked(usable, script, now, stop, redact) if usable else {}
    return [
        Asked(
            name,
            access.settings,
            (*access.outcomes,),
            remark=access.remark,
            refused=access.closed,
            complete=complete[name],
        )
        if isinstance(access, _Access)
        else Asked(name, providers[name], refused=access)
        for name, access in accesses.items()
    ]


def refused(providers: Mapping[str, ProviderSettings], keys: Mapping[str, Key]) -> list[Asked]:
    """Return the providers that cannot be asked at all, each with the reason; nothing is sent."""
    accesses = {name: _access(settings, keys.get(settings.key_env)) for name, settings in providers.items()}
    return [
        Asked(name, providers[name], refused=access) for name, access in accesses.items() if isinstance(access, Failure)
    ]


@dataclass(slots=True)
class _Access:
    """What is needed to ask a provider, and what comes of it.

    Attributes:
        closed: why it could not be asked after all.
    """

    settings: ProviderSettings
    place: address.Address
    key: str = field(repr=False)
    remark: str | None
    outcomes: list[ExchangeOutcome] = field(default_factory=list)
    closed: Failure | None = None


def _access(settings: ProviderSettings, key: Key | None) -> _Access | Failure:
    """Return what is needed to ask a provider, or why it cannot be asked."""
    place = address.address(settings.base_url)
    if isinstance(place, Failure):
        return place
    if key is None:
        return Failure(Fault.KEY_MISSING, f"{settings.key_env} was not looked up.")
    if not _usable(key.value):
        return Failure(Fault.KEY_MISSING, f"{settings.key_env} {key.problem or 'is empty'}.")
    return _Access(settings, place, key.value, key.problem)


def _usable(key: str) -> bool:
    """Return whether *key* can stand in a header: visible characters of ASCII (RFC 6750, 2.1, is stricter still)."""
    return bool(key) and key.isascii() and key.isprintable() and " " not in key


def _asked(
    accesses: Mapping[str, _Access], script: Script, now: datetime, stop: Event, redact: Callable[[str], str]
) -> dict[str, bool]:
    """Ask, and return of which providers everything was asked that was to be."""

    async def run() -> dict[str, bool]:
        trusted = httpx.create_ssl_context()
        tasks = {
            name: asyncio.create_task(_ask(access, script, trusted, now, redact)) for name, access in accesses.items()
        }
        pending = {*tasks.values()}
        while pending and not stop.is_set():
            _, pending = await asyncio.wait(pending, timeout=_GLANCE)
        for task in pending:
            task.cancel()
        if pending:
            await asyncio.wait(pending)
        return {name: _ended(task) for name, task in tasks.items()}

    with quiet(), asyncio.Runner(loop_factory=DnsEventLoop) as runner:
        return runner.run(run())


def _ended(task: asyncio.Task[None]) -> bool:
    """Return whether *task* came to its end; raises what it raised."""
    if task.cancelled():
        return False
    task.result()
    return True


async def _ask(
    access: _Access, script: Script, trusted: ssl.SSLContext, now: datetime, redact: Callable[[str], str]
) -> None:
    clean = cleaner(access.key, redact)
    try:
        client = httpx.AsyncClient(verify=trusted, trust_env=not is_loopback(access.place.base))
    except (ValueError, ImportError, httpx.InvalidURL) as error:
        message = f"The proxy that the environment names cannot be used: {clean(str(error)).rstrip('.')}."
        access.closed = Failure(Fault.PROXY, message)
        return
    async with client:
        await script(Session(access.settings, access.place, client, access.key, clean, now, outcomes=access.outcomes))


class DnsEventLoop(asyncio.SelectorEventLoop):
    """A loop that looks up each name in a thread of its own, for which nobody waits.

    asyncio looks names up in a pool of threads that it waits for at its end, and so does Python: a resolver that hangs
    would stretch every deadline by its own.
    """

    async def getaddrinfo(self, host: Any, port: Any, **options: Any) -> Any:
        """Do what ``socket.getaddrinfo`` does."""
        found: asyncio.Future[Any] = self.create_future()

        def settle(result: Any, error: BaseException | None) -> None:
            if found.done():
                return
            if error is None:
                found.set_result(result)
            else:
                found.set_exception(error)

        def look_up() -> None:
            result, failed = None, None
            try:
                result = socket.getaddrinfo(host, port, **options)
            except (OSError, UnicodeError) as error:
                failed = error
            try:
                self.call_soon_threadsafe(settle, result, failed)
            except RuntimeError:
                return  # the loop is closed: the answer came too late for anybody

        Thread(target=look_up, daemon=True, name=f"look-up of {host}").start()
        return await found

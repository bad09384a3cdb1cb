"""Providers to ask: well-behaved stand-ins, servers that are not, and settings that name them."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from typing import Any, TypeVar

import pytest

from tasks.core.report.model import Finding, Report
from tasks.core.secrets.keys import Key
from tasks.core.settings.model import ProviderSettings, Settings
from tasks.providers.all_providers import DnsEventLoop
from tasks.providers.exchange_outcome import Asked, ExchangeOutcome, Request
from tasks.providers.provider_faults import Failure, Fault

NOW = datetime(2025, 6, 2, 12, 0, 0, tzinfo=UTC)

SECRET = "the-key-of-the-tests-4711"  # noqa: S105 - opens nothing

KEYS = {"THE_KEY": Key(SECRET, "environment")}

Handler = Callable[[socket.socket, Event], None]

_Result = TypeVar("_Result")


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the proxies and certificates of whoever runs the tests out of them."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


def provider(base_url: str, **values: Any) -> ProviderSettings:
    """Return the settings of a provider at *base_url*, patient enough for a busy machine."""
    patient = {"slow_seconds": 50.0, "very_slow_seconds": 55.0, "deadline_seconds": 60.0}
    return ProviderSettings(base_url=base_url, **{"model": "stand-in", "key_env": "THE_KEY", **patient, **values})


def settings(root: Path, **providers: ProviderSettings) -> Settings:
    """Return the settings of a project with these providers."""
    return Settings(root=str(root), providers=providers)


def run(coroutine: Coroutine[Any, Any, _Result]) -> _Result:
    """Run *coroutine* on the loop that the procedures use."""
    with asyncio.Runner(loop_factory=DnsEventLoop) as runner:
        return runner.run(coroutine)


def found(report: Report, check: str, subject: str | None = None) -> Finding:
    """Return the only finding of *check*."""
    (finding,) = [one for one in report.findings if one.check == check and subject in {one.subject, None}]
    return finding


def good(
    kind: Any = "chat", total: float = 1.0, first: float = 0.5, content: Any = None, attempts: int = 1, **more: Any
) -> ExchangeOutcome:
    """Return the outcome of a request that succeeded."""
    return ExchangeOutcome(Request(kind), attempts, None, first, total, content, **more)


def bad(fault: Fault = Fault.OVERLOADED, kind: Any = "chat", status: int | None = None, **more: Any) -> ExchangeOutcome:
    """Return the outcome of a request that failed."""
    attempts = more.pop("attempts", 1)
    return ExchangeOutcome(Request(kind), attempts, Failure(fault, f"{fault.name}.", status), **more)


def asked(*outcomes: ExchangeOutcome, name: str = "one", **more: Any) -> Asked:
    """Return what became of the requests to a provider whose thresholds are 5 and 15 seconds."""
    values = {"base_url": "http://127.0.0.1", "model": "stand-in", "key_env": "THE_KEY", **more.pop("settings", {})}
    return Asked(name, ProviderSettings(**values), outcomes, **more)


def _whole_request(connection: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        part = connection.recv(65536)
        if not part:
            return received
        received += part
    head, _, body = received.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length:
        body += connection.recv(65536)
    return head


@contextmanager
def hostile(
    handle: Handler, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None, read: bool = True
) -> Iterator[str]:
    """Serve with *handle*, which gets each connection once the request was read, and return the address.

    Its second argument is set when the test ends.
    """
    ended = Event()
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, 0), family=family)
    listener.settimeout(0.01)
    workers: list[Thread] = []

    def serve(connection: socket.socket) -> None:
        with connection:
            try:
                connection.settimeout(60)
                wrapped = tls.wrap_socket(connection, server_side=True) if tls else connection
                with wrapped:
                    if read:
                        _whole_request(wrapped)
                    handle(wrapped, ended)
            except OSError:
                return  # the client went away, which is what it should do

    def accept() -> None:
        while not ended.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            workers.append(Thread(target=serve, args=(connection,), daemon=True))
            workers[-1].start()

    acceptor = Thread(target=accept, daemon=True)
    acceptor.start()
    shown = f"[{host}]" if ":" in host else host
    try:
        yield f"{'https' if tls else 'http'}://{shown}:{listener.getsockname()[1]}"
    finally:
        ended.set()
        acceptor.join()
        listener.close()
        for worker in workers:
            worker.join(5)


def says(content: bytes, *, status: str = "200 OK", headers: Mapping[str, str] | None = None) -> Handler:
    """Return a handler that gives one answer and closes the connection."""

    def handle(connection: socket.socket, _ended: Event) -> None:
        given = {"Content-Length": str(len(content)), "Connection": "close", **(headers or {})}
        head = "".join(f"{name}: {value}\r\n" for name, value in given.items() if value)
        connection.sendall(f"HTTP/1.1 {status}\r\n{head}\r\n".encode("latin-1") + content)

    return handle


def closed_port() -> int:
    """Return a port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        number: int = server.getsockname()[1]
        return number

"""What an exception of httpx means: why a connection was not made, or not kept."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

from ..core.text.formatting import printable
from .faults import Failure, Fault


def of_exception(error: BaseException, host: str) -> Failure:
    """Return what an exception of httpx, other than that of a timeout, means.

    Args:
        error: the exception; those that it was raised from tell what happened.
        host: the host that was asked, and its port.
    """
    host = printable(host)
    chain = [*_chain(error)]
    return _of_cause(chain, host) or _of_kind(error, chain, host)


def _of_cause(chain: list[BaseException], host: str) -> Failure | None:
    """Return what one of the errors below httpx's own tells; ``None`` where none does."""
    for cause in chain:
        if isinstance(cause, socket.gaierror):
            return Failure(Fault.DNS, f"The host {host} cannot be resolved: {printable(cause.strerror)}.")
        if isinstance(cause, ssl.SSLError):
            return Failure(Fault.TLS, f"No secure connection to {host}: {_of_tls(cause)}.")
    if any(isinstance(cause, ConnectionRefusedError) for cause in chain):
        return Failure(Fault.CONNECTION_REFUSED, f"The connection to {host} was refused.")
    return None


def _of_kind(error: BaseException, chain: list[BaseException], host: str) -> Failure:
    import httpx

    if isinstance(error, httpx.ProxyError):
        return Failure(Fault.PROXY, f"The proxy in the way to {host} refused the connection: {printable(error)}.")
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol | UnicodeError):
        return Failure(Fault.WRONG_ADDRESS, f"{host} is no address that can be asked.")
    if isinstance(error, httpx.RemoteProtocolError) and not _closed_early(error):
        return Failure(Fault.MALFORMED, f"{host} did not answer in HTTP.")
    if isinstance(error, httpx.ConnectError):
        reason = next(
            (cause.strerror for cause in reversed(chain) if isinstance(cause, OSError) and cause.strerror), ""
        )
        return Failure(Fault.CONNECTION_LOST, f"No connection to {host}{f': {printable(reason)}' if reason else ''}.")
    return Failure(Fault.CONNECTION_LOST, f"{host} closed the connection before the answer was complete.")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield *error* and everything that it was raised from, groups opened."""
    pending: list[BaseException | None] = [error]
    while pending:
        found = pending.pop(0)
        if found is not None:
            yield found
            pending += found.exceptions if isinstance(found, BaseExceptionGroup) else ()
            pending.append(found.__cause__ or found.__context__)


def _closed_early(error: Exception) -> bool:
    """Return whether h11, which reads HTTP for httpx, met the end of the connection and not other bytes.

    It says so with "disconnected without sending a response" and "closed connection without sending complete".
    """
    return " without sending " in str(error)


def _of_tls(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({printable(error.verify_message)})"
    reason: str = getattr(error, "reason", None) or "the handshake failed"  # Python's own errors have none
    return printable(reason.replace("_", " ").lower())

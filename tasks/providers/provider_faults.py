"""What can be wrong with a request to a provider, and which of it an answer tells.

The words of providers are those of their documentation: DeepSeek's "Error Codes", OpenAI's "Error codes", and
what xAI answers: 400 for a wrong key, 403 and 429 for an account without credits.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus

from ..core.text.formatting import duration, printable


class Fault(Enum):
    """One kind of failure; its value is what the history of measurements calls it."""

    KEY_MISSING = "key missing"
    KEY_REFUSED = "key refused"
    OUT_OF_QUOTA = "out of quota"
    RATE_LIMITED = "rate limited"
    OVERLOADED = "overloaded"
    TIMEOUT = "timeout"
    DNS = "DNS"
    TLS = "TLS"
    PROXY = "proxy"
    CONNECTION_REFUSED = "connection refused"
    CONNECTION_LOST = "connection lost"
    MALFORMED = "malformed answer"
    REDIRECTED = "redirected"
    MODEL_NOT_OFFERED = "model not offered"
    WRONG_REQUEST = "wrong request"
    WRONG_ADDRESS = "wrong address"


UNREACHABLE = frozenset(
    {Fault.DNS, Fault.TLS, Fault.PROXY, Fault.TIMEOUT, Fault.CONNECTION_REFUSED, Fault.REDIRECTED, Fault.WRONG_ADDRESS}
)
"""After these the provider is asked nothing more: another request would end the same way."""

LASTING = UNREACHABLE | {
    Fault.KEY_REFUSED,
    Fault.OUT_OF_QUOTA,
    Fault.RATE_LIMITED,
    Fault.MODEL_NOT_OFFERED,
    Fault.WRONG_REQUEST,
}
"""After these it is asked for no further chat completion."""


NOT_SUPPORTED = frozenset({404, 405})
"""HTTP statuses of what a provider does not have: a list of models, an account."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A request that was not answered as it should have been.

    Attributes:
        fault: the kind.
        message: what happened, as a sentence; whatever the server said in it is printable and redacted.
        status: the HTTP status, where there was one.
        wait: the seconds after which the server wants to be asked again, where it names them.
    """

    fault: Fault
    message: str
    status: int | None = None
    wait: float | None = None


_GONE = r"not (?:found|exist|available)|doesn't exist|deprecated|retired|decommissioned|no longer"
_MODEL = re.compile(
    rf"model_not_found|(?:unknown|invalid|no such) model\b|\bmodel\b.{{0,200}}?\b(?:{_GONE})\b",
    re.IGNORECASE | re.DOTALL,
)
_KEY = re.compile(
    r"\b(?:incorrect|invalid|wrong|expired) api[ _-]key|\bapi[ _-]key\b.{0,100}?\binvalid\b", re.IGNORECASE | re.DOTALL
)
_SPENT = re.compile(
    r"insufficient[ _](?:quota|balance|credit|fund)|exceeded your (?:current )?quota|spending limit|credit balance"
    r"|\b(?:used|exhausted|out of|no|any)\b.{0,40}?\bcredits?\b",
    re.IGNORECASE | re.DOTALL,
)
_MONEY = re.compile(r"\b(?:balance|billing|credits?|quota|payment)\b", re.IGNORECASE)
_RATE = re.compile(r"rate[ _-]?limit|too many requests|per (?:second|minute)|\b[rt]pm\b", re.IGNORECASE)


def of_status(status: int, text: str) -> Fault | None:
    """Return what an answer's HTTP status means; ``None`` for success.

    Args:
        status: the HTTP status.
        text: what the answer says, which tells apart what one status stands for: 429 both a rate that is limited
            and a quota that is used up, 404 both a wrong address and a model that is not offered.
    """
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return None
    if status < HTTPStatus.BAD_REQUEST:
        return Fault.REDIRECTED
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Fault.OVERLOADED
    return _of_client_error(status, text)


_CLIENT_ERRORS: dict[int, Fault] = {
    HTTPStatus.UNAUTHORIZED: Fault.KEY_REFUSED,
    HTTPStatus.PAYMENT_REQUIRED: Fault.OUT_OF_QUOTA,
    HTTPStatus.FORBIDDEN: Fault.KEY_REFUSED,
    HTTPStatus.NOT_FOUND: Fault.WRONG_ADDRESS,
    HTTPStatus.PROXY_AUTHENTICATION_REQUIRED: Fault.PROXY,
    HTTPStatus.REQUEST_TIMEOUT: Fault.TIMEOUT,
    HTTPStatus.TOO_MANY_REQUESTS: Fault.RATE_LIMITED,
}


def _of_client_error(status: int, text: str) -> Fault:
    fault = _CLIENT_ERRORS.get(status, Fault.WRONG_REQUEST)
    if fault is Fault.RATE_LIMITED:
        spent = _SPENT.search(text) or (_MONEY.search(text) and not _RATE.search(text))
        return Fault.OUT_OF_QUOTA if spent else fault
    if status == HTTPStatus.FORBIDDEN and _SPENT.search(text):
        return Fault.OUT_OF_QUOTA
    if fault in {Fault.WRONG_REQUEST, Fault.WRONG_ADDRESS}:
        if _MODEL.search(text):
            return Fault.MODEL_NOT_OFFERED
        if _KEY.search(text):
            return Fault.KEY_REFUSED
    return fault


_SENTENCES = {
    Fault.KEY_REFUSED: "The key was refused",
    Fault.OUT_OF_QUOTA: "The balance or the quota is used up",
    Fault.RATE_LIMITED: "It was asked more often than it allows",
    Fault.OVERLOADED: "It is overloaded or out of order",
    Fault.TIMEOUT: "It gave up waiting for the request",
    Fault.PROXY: "The proxy wants a user and a password",
    Fault.MODEL_NOT_OFFERED: "It does not offer the model",
    Fault.WRONG_REQUEST: "It did not accept the request",
    Fault.WRONG_ADDRESS: "There is no such API at this address",
}


def refusal(fault: Fault, status: int, explanation: str, *, wait: float | None) -> Failure:
    """Return the failure that an answer of *status* is.

    Args:
        fault: what :func:`of_status` made of it.
        status: the HTTP status.
        explanation: the server's own words, printable and redacted; may be empty.
        wait: the seconds that the server asks to wait for.
    """
    words = f'HTTP {status}: "{explanation}"' if explanation else f"HTTP {status}"
    limited = f" and names {f'a wait of {duration(wait)}' if wait is not None else 'no wait'}"
    message = f"{_SENTENCES[fault]}{limited if fault is Fault.RATE_LIMITED else ''} ({words})."
    return Failure(fault, message, status, wait)


def timed_out(seconds: float) -> Failure:
    """Return the failure of a request that took longer than *seconds*."""
    return Failure(Fault.TIMEOUT, f"It did not answer within {duration(seconds)}.")


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

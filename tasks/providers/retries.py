"""When a failed request may be sent once more."""

from __future__ import annotations

from .faults import Failure, Fault

PAUSE = 0.5
"""Seconds before a request is sent again where the server names none."""

LONGEST_WAIT = 5.0
"""Seconds that a server may ask for; with more, the answer is that it is not available now."""

ATTEMPTS = 2

_NOT_PROCESSED_IF_NAMED = frozenset({429, 503})
_LOST = frozenset({Fault.CONNECTION_LOST, Fault.OVERLOADED})


def pause(failure: Failure, *, free: bool, attempts: int, remaining: float) -> float | None:
    """Return the seconds after which the request may be sent again; ``None`` where it may not.

    A chat completion costs money and is repeated only where it was surely not processed: the connection was
    refused, or the server said 429 or 503 and when to come back (RFC 9110, 15.6.4; RFC 6585, 4). Free requests
    only read and are repeated after a lost connection and after any 5xx as well.

    Args:
        failure: what became of it.
        free: whether it costs nothing and changes nothing.
        attempts: how often it was sent so far.
        remaining: the seconds left for it.
    """
    if attempts >= ATTEMPTS:
        return None
    named = (
        failure.status in _NOT_PROCESSED_IF_NAMED
        and failure.wait is not None
        and failure.fault is not Fault.OUT_OF_QUOTA
    )
    if not (named or failure.fault is Fault.CONNECTION_REFUSED or (free and failure.fault in _LOST)):
        return None
    seconds = PAUSE if failure.wait is None else failure.wait
    return seconds if seconds <= min(LONGEST_WAIT, remaining) else None

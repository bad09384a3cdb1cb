"""Ctrl-C as a wish to stop, for work that threads do."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, current_thread, main_thread

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def deferred_interrupt() -> Iterator[Event]:
    """Let Ctrl-C, or a request to terminate, set an event in the place of an exception or a sudden end.

    Raised while the main thread waits for others, Ctrl-C's exception can leave a lock of the thread pool held,
    and the process hangs. The work looks at the event in short intervals and ends by itself.

    Outside the main thread, and where a signal is ignored (``nohup``), nothing changes.
    """
    stop = Event()
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    if current_thread() is main_thread():
        for number, handler in before.items():
            if handler not in {signal.SIG_IGN, None}:
                signal.signal(number, lambda _number, _frame: stop.set())
    try:
        yield stop
    finally:
        if current_thread() is main_thread():
            for number, handler in before.items():
                if handler is not None:
                    signal.signal(number, handler)

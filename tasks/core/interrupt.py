"""Ctrl-C as a wish to stop, for work that threads do."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, current_thread, main_thread


@contextmanager
def deferred_interrupt() -> Iterator[Event]:
    """Let Ctrl-C set an event, in the place of an exception between any two instructions.

    Raised while the main thread waits for others, that exception can leave a lock of the thread pool held,
    and the process hangs. The work looks at the event in short intervals and ends by itself.

    Outside the main thread, and where Ctrl-C is ignored (``nohup``), nothing sets the event.
    """
    stop = Event()
    before = signal.getsignal(signal.SIGINT)
    if current_thread() is not main_thread() or before in {signal.SIG_IGN, None}:
        yield stop
        return
    signal.signal(signal.SIGINT, lambda _number, _frame: stop.set())
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)

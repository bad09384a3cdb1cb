"""Work for several processors that holds Python's global lock: shared out to forks of this process."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

Job = Callable[[], bytes]


def processors() -> int:
    """Return how many processes are worth having: those that we may run on, one where forks are not safe.

    A fork has only the thread that made it: with others at work, one may hold a lock that nobody will ever
    release. macOS's own libraries do not stand forks at all.
    """
    if sys.platform != "linux" or threading.active_count() > 1:
        return 1
    return len(os.sched_getaffinity(0))


def in_forks(jobs: Sequence[Job]) -> list[bytes | None]:
    """Do *jobs* side by side, the last one in this process and each other one in a fork of it.

    Ctrl-C reaches every process of the terminal's group: jobs look at what it sets, and end by themselves.

    Returns:
        What each job returned; ``None`` where its process ended early or could not be made.
    """
    *others, mine = jobs
    children = [_start(job) for job in others]
    try:
        own = mine()
    finally:
        answers = [_finish(*child) if child is not None else None for child in children]
    return [*answers, own]


def _start(job: Job) -> tuple[int, int] | None:
    """Fork, and return the child's number and the end of the pipe that its answer comes through."""
    reading, writing = os.pipe()
    try:
        child = os.fork()
    except OSError:
        os.close(reading)
        os.close(writing)
        return None
    if child == 0:
        status = 1
        with suppress(BaseException):  # an error here must not continue in the parent's code
            with os.fdopen(writing, "wb") as pipe:
                pipe.write(job())
            status = 0
        os._exit(status)
    os.close(writing)
    return child, reading


def _finish(child: int, reading: int) -> bytes | None:
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read()
    _, status = os.waitpid(child, 0)
    return answer if status == 0 else None

"""Standard streams that are closed, or cannot be written any more."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from ..errors import OutputError

_STREAMS = ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w"))


def open_closed() -> None:
    """Open the null device in place of each standard stream that the caller has closed (``inv daily 2>&-``).

    Otherwise the next file that is opened takes its number, and what any program writes to its standard error goes
    into that file.
    """
    for number, name, mode in _STREAMS:
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            os.set_inheritable(number, True)  # noqa: FBT003 - its own signature
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123 - as long as we run


def complain(message: str) -> None:
    """Print a message to standard error, which may be as full as the disk that it speaks of."""
    from .console import emit

    with suppress(OutputError):
        emit(sys.stderr, message)

"""A run that root has started, continued in a child process as the owner of the project.

The child is a fork that gives up root's identity for good before any procedure begins, so that everything of the chain
happens there: as the owner, with the owner's groups and home. The parent passes signals on and waits.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress

import msgspec

from ..errors import RefusedToRoot
from ..text.formatting import printable
from .ownership import Account

_PASSED_ON = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2})

_OF_THE_KERNEL = 0x80
"""The ``si_code`` of a signal that no process has sent, on Linux: Ctrl-C reaches all processes of a terminal itself."""

_SIGNALLED = 128
"""What shells add to a signal's number for the exit status of a process that it has ended."""


def continue_as(owner: Account) -> int | None:
    """Continue this process in a child that is the owner's; flush what was printed before that.

    Args:
        owner: whose identity the child takes.

    Returns:
        ``None`` in the child; in the parent, once the child has ended, its exit status.

    Raises:
        RefusedToRoot: in the child, where it cannot take that identity, or cannot work with it.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {*_PASSED_ON, signal.SIGCHLD})
    try:
        child = os.fork()
        if child != 0:
            return _exit_status_of(child)
        take_identity(owner)
        _require_modules(owner)
        return None
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def take_identity(owner: Account) -> None:
    """Become another user for good: number, groups, and what the environment says of the user.

    Raises:
        RefusedToRoot: the system refuses, or root's identity could be taken back.
    """
    try:
        os.initgroups(owner.name, owner.group)
        os.setgid(owner.group)
        os.setuid(owner.user)
    except OSError as error:
        raise RefusedToRoot(
            f"The identity of {printable(owner.name)} cannot be taken: {error.strerror}. Nothing was changed. "
            "Run it as that user."
        ) from None
    with suppress(OSError):
        os.setuid(0)
    if os.geteuid() == 0:
        raise RefusedToRoot(
            "Root's identity could not be given up. Nothing was changed. Run it as the project's owner."
        )
    for name in [each for each in os.environ if each.startswith("XDG_")]:  # they name folders of root
        del os.environ[name]
    os.environ |= {"HOME": owner.home, "USER": owner.name, "LOGNAME": owner.name}


def _require_modules(owner: Account) -> None:
    """Refuse to go on where what is imported later cannot be read any more: a home of root is often closed."""
    for path in (os.__file__, msgspec.__file__, __file__):
        if not os.access(path, os.R_OK):
            name = printable(owner.name)
            raise RefusedToRoot(
                f"{name} cannot read {printable(path)}, from where this program loads its parts. Nothing was changed. "
                f"Install Python and the suite where {name} can read them, then run it as that user."
            )


def _exit_status_of(child: int) -> int:
    """Wait for a child, pass signals on to it, and return the exit status that this process is to end with."""
    while True:
        number, has_reached_child = _next_signal()
        if number == signal.SIGCHLD:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                code = os.waitstatus_to_exitcode(status)
                return code if code >= 0 else _SIGNALLED - code
        elif not has_reached_child:
            os.kill(child, number)


def _next_signal() -> tuple[int, bool]:
    """Wait for a signal; return its number, and whether the child has got it as well."""
    awaited = {*_PASSED_ON, signal.SIGCHLD}
    if not hasattr(signal, "sigwaitinfo"):  # macOS: a second Ctrl-C does no harm
        return signal.sigwait(awaited), False
    found = signal.sigwaitinfo(awaited)
    return found.si_signo, found.si_code == _OF_THE_KERNEL

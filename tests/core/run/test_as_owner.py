"""A run that goes on in a child as the project's owner. What needs another user is among the end-to-end tests."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tasks.core.errors import RefusedToRoot
from tasks.core.run import as_owner
from tasks.core.run.as_owner import continue_as, take_identity
from tasks.core.run.ownership import Account

ALICE = Account(1000, 1001, "alice", "/home/alice")


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """The changes of identity that were asked for; none of them is made."""
    made: list[tuple[Any, ...]] = []

    def noted(name: str) -> Callable[..., None]:
        return lambda *arguments: made.append((name, *arguments))

    for name in ("initgroups", "setgid", "setuid"):
        monkeypatch.setattr(os, name, noted(name))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    return made


def test_groups_go_before_the_user_who_could_not_change_them_any_more(calls: list[tuple[Any, ...]]) -> None:
    before = dict(os.environ)
    os.environ["XDG_RUNTIME_DIR"] = "/run/user/0"
    try:
        take_identity(ALICE)
        assert calls == [("initgroups", "alice", 1001), ("setgid", 1001), ("setuid", 1000), ("setuid", 0)]
        assert [os.environ[name] for name in ("HOME", "USER", "LOGNAME")] == ["/home/alice", "alice", "alice"]
        assert "XDG_RUNTIME_DIR" not in os.environ
        assert os.environ["PATH"] == before["PATH"]
    finally:
        os.environ.clear()
        os.environ.update(before)


@pytest.mark.parametrize("call", ["initgroups", "setgid", "setuid"])
@pytest.mark.usefixtures("calls")
def test_an_identity_that_cannot_be_taken_is_told(monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, call, refuse)
    with pytest.raises(RefusedToRoot, match="The identity of alice cannot be taken: Operation not permitted"):
        take_identity(ALICE)


@pytest.mark.usefixtures("calls")
def test_an_identity_of_root_that_comes_back_is_not_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    home = os.environ["HOME"]
    with pytest.raises(RefusedToRoot, match="could not be given up"):
        take_identity(ALICE)
    assert os.environ["HOME"] == home


def test_the_child_goes_on_and_says_what_it_cannot_read(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[Account] = []
    monkeypatch.setattr(os, "fork", lambda: 0)
    monkeypatch.setattr(as_owner, "take_identity", taken.append)
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    assert continue_as(ALICE) is None
    assert taken == [ALICE]
    monkeypatch.setattr(os, "access", lambda path, _mode: path != as_owner.__file__)
    with pytest.raises(RefusedToRoot, match=r"alice cannot read \S+as_owner\.py, from where this program loads"):
        continue_as(ALICE)
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == mask


def waited(
    monkeypatch: pytest.MonkeyPatch, signals: list[tuple[int, bool]], status: int
) -> tuple[int | None, list[Any]]:
    """Return what the parent ends with, and the signals that it sent, where those arrive and then the child's end."""
    arriving: Iterator[tuple[int, bool]] = iter([*signals, (signal.SIGCHLD, False)])
    ends: Iterator[tuple[int, int]] = iter(
        [(0, 0)] * [each for each, _ in signals].count(signal.SIGCHLD) + [(77, status)]
    )
    sent: list[Any] = []
    monkeypatch.setattr(os, "fork", lambda: 77)
    monkeypatch.setattr(os, "kill", lambda *arguments: sent.append(arguments))
    monkeypatch.setattr(os, "waitpid", lambda _child, _flags: next(ends))
    monkeypatch.setattr(as_owner, "_next_signal", lambda: next(arriving))
    return continue_as(ALICE), sent


@pytest.mark.parametrize(("status", "code"), [(0, 0), (3 << 8, 3), (130 << 8, 130), (signal.SIGKILL, 137)])
def test_the_parent_ends_with_the_status_of_the_child(monkeypatch: pytest.MonkeyPatch, status: int, code: int) -> None:
    assert waited(monkeypatch, [], status) == (code, [])


def test_the_parent_passes_on_what_the_child_has_not_got_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    arriving = [(signal.SIGTERM, False), (signal.SIGCHLD, False), (signal.SIGINT, True), (signal.SIGHUP, False)]
    code, sent = waited(monkeypatch, [(int(number), has) for number, has in arriving], 130 << 8)
    assert (code, sent) == (130, [(77, signal.SIGTERM), (77, signal.SIGHUP)])


def test_a_signal_of_a_process_is_told_from_one_of_the_terminal() -> None:
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, as_owner._PASSED_ON)
    try:
        signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)
        assert as_owner._next_signal() == (signal.SIGUSR1, False)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)

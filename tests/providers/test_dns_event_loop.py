from __future__ import annotations

import asyncio
import socket
import threading
from threading import Event

import pytest

from .conftest import run


def _threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "look-up of slow.invalid"]


def test_a_name_is_looked_up() -> None:
    async def look_up() -> object:
        return await asyncio.get_running_loop().getaddrinfo("127.0.0.1", 80, type=socket.SOCK_STREAM)

    assert run(look_up()) == socket.getaddrinfo("127.0.0.1", 80, type=socket.SOCK_STREAM)


def test_a_name_that_is_none_raises_what_the_resolver_raises() -> None:
    async def look_up() -> object:
        return await asyncio.get_running_loop().getaddrinfo("a" * 70 + ".invalid", 80)

    with pytest.raises((OSError, UnicodeError)):
        run(look_up())


@pytest.mark.parametrize("closed", [True, False])
def test_an_answer_that_comes_too_late_disturbs_nobody(monkeypatch: pytest.MonkeyPatch, *, closed: bool) -> None:
    release = Event()

    def hang(*_arguments: object, **_options: object) -> list[object]:
        release.wait(60)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)

    async def look_up() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await asyncio.get_running_loop().getaddrinfo("slow.invalid", 80)
        if not closed:
            release.set()
            for thread in _threads():
                await asyncio.to_thread(thread.join, 60)
            await asyncio.sleep(0)  # what the look-up left to be called is called before this goes on

    run(look_up())
    release.set()
    for thread in _threads():
        thread.join(60)
    assert not _threads()

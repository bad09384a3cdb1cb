"""An event loop whose look-ups of names can be given up.

asyncio looks names up in a pool of threads that it waits for at its end, and so does Python: a resolver that hangs
would stretch every deadline by its own.
"""

from __future__ import annotations

import asyncio
import socket
from threading import Thread
from typing import Any


class DnsEventLoop(asyncio.SelectorEventLoop):
    """A loop that looks up each name in a thread of its own, for which nobody waits."""

    async def getaddrinfo(self, host: Any, port: Any, **options: Any) -> Any:
        """Do what ``socket.getaddrinfo`` does."""
        found: asyncio.Future[Any] = self.create_future()

        def settle(result: Any, error: BaseException | None) -> None:
            if found.done():
                return
            if error is None:
                found.set_result(result)
            else:
                found.set_exception(error)

        def look_up() -> None:
            result, failed = None, None
            try:
                result = socket.getaddrinfo(host, port, **options)
            except (OSError, UnicodeError) as error:
                failed = error
            try:
                self.call_soon_threadsafe(settle, result, failed)
            except RuntimeError:
                return  # the loop is closed: the answer came too late for anybody

        Thread(target=look_up, daemon=True, name=f"look-up of {host}").start()
        return await found

"""Runs an ASGI application under uvicorn, and obeys commands on stdin with one line of JSON on stdout each.

    fan-out <batch> <seconds>          deliver `batch` events, wait until every socket has them, again and again
    steady <rate> <seconds> <stamps>   write `rate` events a second, durably, and stamp each one (see `stamps`)
    fill <count> <batch>               write at least so many events durably, `batch` in one transaction
    write <callers> <seconds>          durable writes by so many concurrent callers, with nobody connected

Processor time is that of the whole process, all threads, taken around the work and nothing else.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any, Protocol

import uvicorn

from benchmarks.servers.driving import fan_out, read_commands, say


class Driver(Protocol):
    """Makes events inside the server process."""

    async def start(self) -> None:
        """Called once when the application has started."""
        ...

    async def publish(self, batch: int) -> None:
        """Make the next `batch` events pending together, and return when the server has handed all to its sockets."""
        ...

    async def obey(self, words: list[str]) -> dict[str, Any]:  # Any: JSON
        """Any other command."""
        ...

    @property
    def made(self) -> int:
        """The number of the newest event."""
        ...


class Host(uvicorn.Server):
    """A uvicorn server on a free port that says so, and listens to commands."""

    def __init__(self, config: uvicorn.Config, driver: Driver) -> None:
        super().__init__(config)
        self._driver = driver
        self._obeying: asyncio.Task[None] | None = None

    def serve_anywhere(self) -> None:
        """Serve on a free port of 127.0.0.1 until SIGTERM or the end of stdin."""
        listener = socket.create_server(("127.0.0.1", 0), backlog=self.config.backlog)
        with listener:
            self.run(sockets=[listener])

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start as ever, then announce the port."""
        await super().startup(sockets=sockets)
        if self.started and sockets:
            await self._driver.start()
            self._obeying = asyncio.create_task(self._obey())
            say({"port": sockets[0].getsockname()[1]})

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop as ever."""
        if self._obeying is not None:
            self._obeying.cancel()
        await super().shutdown(sockets=sockets)

    async def _obey(self) -> None:
        lines = await read_commands()
        while line := await lines.readline():
            match line.decode().split():
                case ["fan-out", batch, seconds]:
                    first = self._driver.made + 1
                    say({"first": first, **await fan_out(self._publish, int(batch), float(seconds))})
                case words:
                    say(await self._driver.obey(words))
        self.should_exit = True

    async def _publish(self, batch: int) -> None:
        await self._driver.publish(batch)
        await self._drained()

    async def _drained(self) -> None:
        """Wait until no transport holds bytes: the kernel has everything.

        uvloop writes at the end of a turn, so one turn is enough unless a receiver was slow. Over TLS its transports
        do not count up to 64 KB that are encrypted already; a turn is enough for those too, with the same exception.
        """
        await asyncio.sleep(0)
        transports = [connection.transport for connection in self.server_state.connections]
        unsent = [transport for transport in transports if transport.get_write_buffer_size()]
        while unsent:  # each is looked at until it is empty, and no more: looking counts as work of the server
            if unsent[-1].get_write_buffer_size():
                await asyncio.sleep(0.001)
            else:
                unsent.pop()


async def turns_until(is_done: Callable[[], bool]) -> None:
    """Let the loop turn until something holds."""
    while not is_done():  # noqa: ASYNC110  # what is waited for has no event to wait on
        await asyncio.sleep(0)

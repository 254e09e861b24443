"""Runs an ASGI application under uvicorn, and obeys commands on stdin with one line of JSON on stdout each.

    fan-out <batch> <seconds>          deliver `batch` events, wait until every socket has them, again and again
    steady <rate> <seconds> <stamps>   write `rate` events a second, durably, and stamp each one (see `stamps`)
    write <callers> <seconds>          durable writes by so many concurrent callers, with nobody connected

Processor time is that of the whole process, all threads, taken around the work and nothing else.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import time
from collections.abc import Callable
from typing import Any, Protocol

import uvicorn


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
            _say({"port": sockets[0].getsockname()[1]})

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop as ever."""
        if self._obeying is not None:
            self._obeying.cancel()
        await super().shutdown(sockets=sockets)

    async def _obey(self) -> None:
        lines = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
        while line := await lines.readline():
            match line.decode().split():
                case ["fan-out", batch, seconds]:
                    _say(await self._fan_out(int(batch), float(seconds)))
                case words:
                    _say(await self._driver.obey(words))
        self.should_exit = True

    async def _fan_out(self, batch: int, seconds: float) -> dict[str, int]:
        first = self._driver.made + 1
        began, began_cpu = time.monotonic_ns(), time.process_time_ns()
        while time.monotonic_ns() < began + seconds * 1e9:
            await self._driver.publish(batch)
            await self._drained()
        return {
            "first": first,
            "events": self._driver.made + 1 - first,
            "cpu_ns": time.process_time_ns() - began_cpu,
            "wall_ns": time.monotonic_ns() - began,
        }

    async def _drained(self) -> None:
        """Wait until no transport holds bytes: the kernel has everything.

        uvloop writes at the end of a turn, so one turn is enough unless a receiver was slow.
        """
        await asyncio.sleep(0)
        while any(connection.transport.get_write_buffer_size() for connection in self.server_state.connections):  # noqa: ASYNC110  # only their protocols are told
            await asyncio.sleep(0.001)


async def turns_until(is_done: Callable[[], bool]) -> None:
    """Let the loop turn until something holds."""
    while not is_done():  # noqa: ASYNC110  # what is waited for has no event to wait on
        await asyncio.sleep(0)


def _say(answer: dict[str, Any]) -> None:
    print(json.dumps(answer), flush=True)

"""`broadcast()` of the websockets library, on uvloop, without compression."""

from __future__ import annotations

import asyncio

import uvloop
from websockets.asyncio.server import ServerConnection, broadcast, serve

from benchmarks.servers.driving import ANSWER, obey, say

_clients: set[ServerConnection] = set()


async def _welcome(connection: ServerConnection) -> None:
    async for _ in connection:
        _clients.add(connection)
        await connection.send(ANSWER)


async def _publish(texts: list[str]) -> None:
    for text in texts:
        broadcast(_clients, text)
    await asyncio.sleep(0)
    while any(client.transport.get_write_buffer_size() for client in _clients):  # noqa: ASYNC110  # nothing tells
        await asyncio.sleep(0.001)


async def main() -> None:
    """Serve until stdin ends."""
    async with serve(_welcome, "127.0.0.1", 0, compression=None, ping_interval=None, backlog=2048) as server:
        say({"port": server.sockets[0].getsockname()[1]})
        await obey(_publish)


def run() -> None:
    """Serve until stdin ends."""
    uvloop.run(main())

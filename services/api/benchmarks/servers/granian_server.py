"""granian: a server in Rust; each client is sent to over its own interface (RSGI), one after the other."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import uvloop
from granian.constants import Interfaces  # type: ignore[import-not-found]  # not in our environment
from granian.server.embed import Server  # type: ignore[import-not-found]  # not in our environment

from benchmarks.servers.driving import ANSWER, obey, say

_clients: list[Any] = []  # granian has no types for them


async def _app(scope: Any, protocol: Any) -> None:
    connection = await protocol.accept()
    await connection.receive()
    _clients.append(connection)
    await connection.send_str(ANSWER)
    await connection.receive()


async def _publish(texts: list[str]) -> None:
    for text in texts:
        for client in _clients:
            await client.send_str(text)


async def main() -> None:
    """Serve until stdin ends."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    server = Server(_app, address="127.0.0.1", port=port, interface=Interfaces.RSGI, log_enabled=False)
    serving = asyncio.create_task(server.serve())
    await _until_listening(port)
    say({"port": port})
    await obey(_publish)
    server.stop()
    await serving


async def _until_listening(port: int) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return


def run() -> None:
    """Serve until stdin ends."""
    uvloop.run(main())

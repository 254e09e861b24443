"""socketify: uWebSockets under Python. Its topics frame a message once and write joined buffers, as the hub does."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from socketify import App, CompressOptions, OpCode  # type: ignore[import-not-found]  # not in our environment

from benchmarks.servers.driving import ANSWER, obey, say

_TOPIC: Final = "all"
_MAX_UNSENT_BYTES: Final = 64 * 1024 * 1024


def run() -> None:
    """Serve until stdin ends."""
    app = App()
    clients: list[Any] = []  # socketify has no types

    def welcome(socket: Any, message: Any, code: Any) -> None:
        socket.subscribe(_TOPIC)
        clients.append(socket)
        socket.send(ANSWER, OpCode.TEXT)

    async def publish(texts: list[str]) -> None:
        for text in texts:
            app.publish(_TOPIC, text, OpCode.TEXT)
        await asyncio.sleep(0)  # topics are written when the loop turns
        while any(client.get_buffered_amount() for client in clients):  # noqa: ASYNC110  # nothing tells
            await asyncio.sleep(0.001)

    async def drive() -> None:
        await obey(publish)
        app.close()

    app.ws(
        "/*",
        {
            "message": welcome,
            "idle_timeout": 0,
            "max_backpressure": _MAX_UNSENT_BYTES,
            "compression": CompressOptions.DISABLED,
        },
    )
    app.listen({"port": 0, "host": "127.0.0.1"}, lambda at: say({"port": at.port}))
    driving = app.loop.create_task(drive())
    app.run()
    driving.result()

"""Listeners in numbers."""

from __future__ import annotations

import asyncio

from soak.journal import Heard
from soak.listener import Listener
from soak.servers import Served


async def listening(server: Served, listeners: list[Listener], number: int = 1, **heard: object) -> list[Listener]:
    """So many listeners that have subscribed; they are put into `listeners`, to be hung up in the end."""
    new = [Listener(Heard(f"listener {len(listeners) + i}", **heard)) for i in range(number)]  # type: ignore[arg-type]  # fields of Heard
    for one in new:
        one.token = server.token
    listeners += new
    await asyncio.gather(*(listener.connect(server.port) for listener in new))
    async with asyncio.timeout(60):
        for listener in new:
            await listener.until(lambda listener=listener: listener.is_open)
    return new

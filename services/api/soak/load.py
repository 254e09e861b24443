"""Events in numbers, for who listens."""

from __future__ import annotations

import asyncio
from typing import Final

import httpx2

from soak.crowd import moment_name
from soak.servers import Served
from soak.writers import STORES, client_for

_BULK: Final = 500


def pattern(name: str, size_bytes: int = 0) -> dict[str, object]:
    """Fields of a pattern of about this size."""
    return {"name": name, "ring_count": 1, "geometry": {"note": "x" * size_bytes}}


async def post_patterns(server: Served, number: int, *, size_bytes: int = 0) -> int:
    """Make so many patterns in few requests. Returns the newest offset after it.

    Raises:
        httpx2.HTTPStatusError: one was refused.
    """
    fields = pattern("rose", size_bytes)
    operations = [{"op": "create", "entity": "pattern", "data": fields}] * min(number, _BULK)
    async with client_for(server.url) as client:
        for start in range(0, number, _BULK):
            answer = await client.post(f"{STORES}/bulk", json={"operations": operations[: number - start]})
            answer.raise_for_status()
    return await server.head()


async def post_one(client: httpx2.AsyncClient, name: str = "rose", *, size_bytes: int = 0) -> httpx2.Response:
    """Make one pattern; whatever the answer is."""
    return await client.post(f"{STORES}/patterns", json=pattern(name, size_bytes))


async def post_moments(server: Served, number: int, *, pause_s: float, size_bytes: int = 0) -> int:
    """Make patterns one by one, each named by the moment at which it is sent. Returns the newest offset after it.

    Raises:
        httpx2.HTTPStatusError: one was refused.
    """
    async with client_for(server.url) as client:
        for _ in range(number):
            (await post_one(client, moment_name(), size_bytes=size_bytes)).raise_for_status()
            await asyncio.sleep(pause_s)
    return await server.head()

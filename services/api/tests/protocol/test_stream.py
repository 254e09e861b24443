"""The client's half of the vectors against `rmos tail`'s client: scripted servers, real sockets.

A scripted server sends a vector's frames, then breaks off; the start that the client asks for when it is back shows
where it stood.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from rmos.cli.stream import Gap, LiveEvent, Malformed, MonitorStream, Notice, StreamEndedError, Waiting
from rmos.domain.cursor import Cursor
from tests.protocol.vectors import Vector, join, parameters

WAIT_S = 10.0
WELCOME = {"type": "system:connected", "data": {"message": "Real-time monitoring active"}, "timestamp": ""}
NOT_FOR_TAIL = {
    "live again in the same epoch never goes back": "it always asks with `since` once it has a position",
    "live again further on": "as above",
    "live in another epoch takes it over": "as above",
    "answers, errors and farewells move nothing": "a refused subscription ends it",
    "a category of the future moves nothing": "it prints whatever the filter `all` brings",
}
"""Vectors of resume.json that do not fit this client, and why."""
CANNOT_BE_SENT = {1015}
"""Stands for a failed TLS handshake; a plain socket has none."""


@pytest.fixture(autouse=True)
def no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client's waits are read from its notices; nobody sits through them."""
    real_sleep = asyncio.sleep
    monkeypatch.setattr(random, "uniform", lambda low, high: 0.0)
    monkeypatch.setattr(asyncio, "sleep", lambda _seconds: real_sleep(0))


class Script:
    """A server that sends these frames to the first client, and hears out the second one."""

    def __init__(self, frames: list[str], code: int) -> None:
        self._frames = frames
        self._code = code
        self.connections = 0
        self.since: str | None = None

    async def __call__(self, socket: ServerConnection) -> None:
        self.connections += 1
        if self.connections == 1:
            for frame in self._frames:
                await socket.send(frame)
                if "system:connected" in frame:
                    await socket.recv()
            await self._break_off(socket)
            return
        await socket.send(json.dumps(WELCOME))
        command: dict[str, Any] = json.loads(await socket.recv())
        self.since = command.get("since")
        await socket.close(1000)

    async def _break_off(self, socket: ServerConnection) -> None:
        match self._code:
            case 1005:
                socket.transport.write(b"\x88\x00")
            case 1006:
                socket.transport.close()
            case code:
                await socket.close(code)


@asynccontextmanager
async def served(script: Script) -> AsyncIterator[str]:
    async with serve(script, "127.0.0.1", 0, subprotocols=["rmos.monitor.v2"]) as server, asyncio.timeout(WAIT_S):
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def follow(url: str, position: Cursor | None) -> tuple[list[str], list[Notice]]:
    """The frames that the client yields until it ends, and what it notices on the way."""
    notices: list[Notice] = []
    stream = MonitorStream(url, filters=["all"], channels=None, start=position, notify=notices.append)
    events: list[LiveEvent] = [event async for event in stream.events()]
    return [event.raw for event in events], notices


@pytest.mark.parametrize("vector", [p for p in parameters("resume.json", "client") if p.id not in NOT_FOR_TAIL])
async def test_resume_vector(vector: Vector) -> None:
    frames = [json.dumps(frame) for frame in vector["incoming"]]
    script = Script(frames, 1012)
    position = Cursor(**vector["position"]) if vector["position"] else None

    async with served(script) as url:
        delivered, notices = await follow(url, position)

    assert delivered == [frames[index] for index in vector["delivered"]]
    assert script.since == vector["since"]
    assert [notice.reason for notice in notices if isinstance(notice, Gap)] == (
        [vector["gap"]] if vector["gap"] else []
    )


@pytest.mark.parametrize(
    "vector", [p for p in parameters("close-codes.json") if p.values[0]["code"] not in CANNOT_BE_SENT]
)
async def test_close_code_vector(vector: Vector) -> None:
    frames = [json.dumps(WELCOME)]
    if vector["announced"]:
        frames.append(json.dumps({"type": "system:closing", "data": vector["announced"], "timestamp": ""}))
    script = Script(frames, vector["code"])

    notices: list[Notice] = []
    is_shown = False
    async with served(script) as url:
        try:
            _, notices = await follow(url, None)
        except StreamEndedError:
            is_shown = True

    waits = [notice.wait_s for notice in notices if isinstance(notice, Waiting)]
    assert (script.connections == 2, is_shown) == (vector["reconnect"], vector["show"])
    assert waits == ([vector["retry_after"] or 0] if vector["reconnect"] else [])


@pytest.mark.parametrize(
    "vector",
    [
        p
        for p in parameters("server-frames.json")
        if p.values[0]["understood"]["kind"] in ("event", "malformed", "pong")
    ],
)
async def test_no_frame_breaks_the_client(vector: Vector) -> None:
    script = Script([json.dumps(WELCOME), join(vector["raw"])], 1012)

    async with served(script) as url:
        delivered, notices = await follow(url, None)

    kind = vector["understood"]["kind"]
    assert len(delivered) == (kind == "event")
    assert any(isinstance(notice, Malformed) for notice in notices) == (kind == "malformed")

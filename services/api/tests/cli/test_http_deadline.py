"""A request head has a deadline; what came in time is served."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn

from rmos.cli import http


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Answers `ok` once the whole body is there."""
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


class Server(uvicorn.Server):
    """Tells when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listens = asyncio.Event()

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.listens.set()


@asynccontextmanager
async def serving() -> AsyncIterator[int]:
    """A uvicorn of ours on a free port."""
    config = uvicorn.Config(application, port=0, http=http.DeadlineProtocol, lifespan="off", log_config=None)
    server = Server(config)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(server._serve())  # `serve` would take over the signals of the test run
        async with asyncio.timeout(10):
            await server.listens.wait()
        try:
            yield server.servers[0].sockets[0].getsockname()[1]
        finally:
            server.should_exit = True


@pytest.fixture(autouse=True)
def _short_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "HEAD_DEADLINE_S", 0.3)


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n"])
async def test_a_head_that_is_never_finished_is_closed(sent: bytes) -> None:
    async with serving() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)

        async with asyncio.timeout(10):
            answer = await reader.read()

        assert answer == b""
        writer.close()


async def test_a_drip_of_headers_does_not_put_the_deadline_off() -> None:
    async with serving() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\n")

        async def drip() -> None:
            while not reader.at_eof():
                writer.write(b"x: y\r\n")
                await asyncio.sleep(0.05)

        async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
            dripping = tasks.create_task(drip())
            answer = await reader.read()
            dripping.cancel()

        assert answer == b""
        writer.close()


async def test_the_second_head_of_a_connection_has_a_deadline_too() -> None:
    async with serving() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(10):
            first = await reader.readuntil(b"ok")
            writer.write(b"GET / HTTP/1.1\r\nHost:")
            rest = await reader.read()

        assert first.startswith(b"HTTP/1.1 200")
        assert rest == b""
        writer.close()


async def test_a_body_may_take_longer_than_the_head() -> None:
    async with serving() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n")
        await asyncio.sleep(2 * http.HEAD_DEADLINE_S)  # the time that passes is what is tested
        writer.write(b"{}")

        async with asyncio.timeout(10):
            answer = await reader.readuntil(b"ok")

        assert answer.startswith(b"HTTP/1.1 200")
        writer.close()


async def test_headers_without_end_are_refused_with_431(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "HEAD_DEADLINE_S", 10)
    async with serving() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nX-Endless: ")

        async with asyncio.timeout(10):
            with contextlib.suppress(ConnectionError):
                while not reader.at_eof() and not writer.is_closing():
                    writer.write(b"x" * 65_536)
                    await writer.drain()
                    await asyncio.sleep(0)
                answer = await reader.read()
                assert answer.startswith(b"HTTP/1.1 431 ")

        writer.close()

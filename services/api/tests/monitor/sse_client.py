"""A reader of server-sent events over a raw socket, which can be cut, and can stop reading."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from tests.monitor.raw_client import TIMEOUT_S
from tests.streams import EventStreamReader, StreamEvent


class SseClient:
    """One stream. Every wait ends after `TIMEOUT_S`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: str) -> None:
        self.reader = reader
        self.writer = writer
        self.head = head
        self.stream = EventStreamReader()
        self._events: list[StreamEvent] = []
        self._is_chunked = "transfer-encoding: chunked" in head

    @classmethod
    async def open(
        cls, port: int, query: str = "", *, method: str = "GET", last_id: str | None = None, **headers: str
    ) -> SseClient:
        """Send the request and read the head of the answer."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
        lines = [f"{method} /sse/monitor{query} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Accept: text/event-stream"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if last_id is not None:
            lines.append(f"Last-Event-ID: {last_id}")
        writer.write("\r\n".join([*lines, "", ""]).encode())
        async with asyncio.timeout(TIMEOUT_S):
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        return cls(reader, writer, head)

    @property
    def status(self) -> int:
        """Of the answer."""
        return int(self.head.split()[1])

    def header(self, name: str) -> str | None:
        """One header of the answer, None when it is not there."""
        values = [line.partition(": ")[2] for line in self.head.split("\r\n") if line.startswith(f"{name}: ")]
        return values[0] if values else None

    async def event(self) -> StreamEvent:
        """The next event.

        Raises:
            EOFError: the stream has ended.
        """
        while not self._events:
            async with asyncio.timeout(TIMEOUT_S):
                self._events += self.stream.feed(await self._chunk())
        return self._events.pop(0)

    async def frame(self, wanted: str | None = None) -> dict[str, Any]:
        """The JSON of the next event; of this type, when one is named (others are passed over)."""
        while True:
            frame = (await self.event()).frame
            if wanted is None or frame["type"] == wanted:
                return frame

    async def rest(self) -> list[dict[str, Any]]:
        """Everything up to the end of the stream."""
        frames = []
        with contextlib.suppress(EOFError):
            while True:
                frames.append(await self.frame())
        return frames

    async def cut(self) -> None:
        """Cut the connection, as a pulled cable does."""
        self.writer.transport.abort()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()

    async def _chunk(self) -> bytes:
        if not self._is_chunked:
            data = await self.reader.read(65_536)
        elif size := int(await self.reader.readline() or b"0", 16):
            data = await self.reader.readexactly(size)
            await self.reader.readexactly(2)
        else:
            data = b""
        if not data:
            raise EOFError
        return data

"""What the fallback for servers that a connection cannot leave has in common: a sink that ASGI's `send` empties.

The hub sees the same sink as ever, with a transport that holds ready frames up to a high-water mark. Two tasks a
connection: one hands what is held to the server below, the other waits for the client.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from typing import Final

from starlette.requests import HTTPConnection

from rmos.hub.hub import Hub
from rmos.hub.subscriber import Subscriber

HIGH_WATER_BYTES: Final = 65_536
"""As asyncio's transports: above it the hub writes no more."""
LOW_WATER_BYTES: Final = HIGH_WATER_BYTES // 4
CLOSE_TIMEOUT_S: Final = 5.0


class AsgiSink(ABC):
    """Sink and transport in one, for one client."""

    def __init__(self, hub: Hub, connection: HTTPConnection) -> None:
        self._hub = hub
        self._connection = connection
        self._held: deque[bytes] = deque()
        self._unsent_bytes = 0
        self._filled = asyncio.Event()
        self._closing: tuple[int, str] | None = None
        self._subscriber: Subscriber

    # --- the hub's side ---------------------------------------------------------------------------------------

    @property
    def transport(self) -> AsgiSink:
        """Where the hub writes: here."""
        return self

    @property
    def peer(self) -> str:
        """Address of the client, without a port where a proxy stands before it: that one's says nothing."""
        client = self._connection.client
        if client is None:
            return "unknown"
        return f"{client.host}:{client.port}" if client.port else client.host

    @property
    def unsent_bytes(self) -> int:
        """What the server below was not yet given."""
        return self._unsent_bytes

    def write(self, data: bytes) -> None:
        """Hold these joined frames until the server below takes them."""
        if self._closing is not None:
            return
        self._held.append(data)
        self._unsent_bytes += len(data)
        self._filled.set()
        if self._unsent_bytes > HIGH_WATER_BYTES and not self._subscriber.is_paused:
            self._hub.paused(self._subscriber)

    def ping(self) -> bool:
        """The server below pings by itself, where that can be done."""
        return False

    def close(self, code: int, reason: str, *, last_words: bytes = b"") -> None:
        """Send what is held and the last frames, then end."""
        if self._closing is None:
            self.write(last_words)
            self._closing = (code, reason)
            self._filled.set()

    # --- the ASGI side ----------------------------------------------------------------------------------------

    async def run(self, subscriber: Subscriber, begin: Callable[[Subscriber], None]) -> None:
        """Serve this subscriber, whose sink this is, until either side ends it. `begin` makes the hub write to it."""
        self._subscriber = subscriber
        begin(subscriber)
        sending = asyncio.create_task(self._send_all())
        receiving = asyncio.create_task(self._receive_all())
        try:
            await asyncio.wait((sending, receiving), return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                await asyncio.wait((receiving,), timeout=CLOSE_TIMEOUT_S)
        finally:
            self._hub.gone(subscriber)
            for task in (sending, receiving):
                task.cancel()
            await asyncio.gather(sending, receiving, return_exceptions=True)

    async def _send_all(self) -> None:
        """Hand on what is held. `send` returns when the server below has room for more."""
        while True:
            await self._filled.wait()
            self._filled.clear()
            while self._held:
                await self._send(self._held.popleft())
            if self._closing is not None:
                await self._end(*self._closing)
                return

    def _sent(self, count: int) -> None:
        """So many bytes have been taken."""
        self._unsent_bytes -= count
        if self._subscriber.is_paused and self._unsent_bytes <= LOW_WATER_BYTES:
            self._hub.resumed(self._subscriber)

    @abstractmethod
    async def _send(self, data: bytes) -> None:
        """Hand on these joined frames, and say so to `_sent`."""

    @abstractmethod
    async def _end(self, code: int, reason: str) -> None:
        """End the connection; everything was sent."""

    @abstractmethod
    async def _receive_all(self) -> None:
        """Take what the client sends until it disconnects."""

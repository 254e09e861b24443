"""A WebSocket served through ASGI: the fallback for servers that a connection cannot leave.

The hub sees the same sink as ever, with a transport that holds ready frames up to a high-water mark. One task a
connection takes the frames apart again and sends them one by one; the server below answers and sends pings.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from starlette.websockets import WebSocket

from rmos.hub.hub import Hub
from rmos.hub.subscriber import Subscriber
from rmos.protocol.close_codes import CloseCode
from rmos.protocol.frames import MAX_MESSAGE_BYTES, payloads

HIGH_WATER_BYTES: Final = 65_536
"""As asyncio's transports: above it the hub writes no more."""
LOW_WATER_BYTES: Final = HIGH_WATER_BYTES // 4
CLOSE_TIMEOUT_S: Final = 5.0


class AsgiConnection:
    """One client, from `accept` to its disconnect."""

    def __init__(self, hub: Hub, socket: WebSocket) -> None:
        self._hub = hub
        self._socket = socket
        self._frames: deque[bytes] = deque()
        self._unsent_bytes = 0
        self._filled = asyncio.Event()
        self._closing: tuple[int, str] | None = None
        self._subscriber: Subscriber

    # --- the hub's side: sink and transport in one ------------------------------------------------------------

    @property
    def transport(self) -> AsgiConnection:
        """Where the hub writes: here."""
        return self

    @property
    def peer(self) -> str:
        """Address of the client."""
        client = self._socket.client
        return f"{client.host}:{client.port}" if client else "unknown"

    @property
    def unsent_bytes(self) -> int:
        """What the server below was not yet given."""
        return self._unsent_bytes

    def write(self, data: bytes) -> None:
        """Hold these joined frames until the server below takes them."""
        if self._closing is not None:
            return
        self._frames.append(data)
        self._unsent_bytes += len(data)
        self._filled.set()
        if self._unsent_bytes > HIGH_WATER_BYTES and not self._subscriber.is_paused:
            self._hub.paused(self._subscriber)

    def ping(self) -> bool:
        """The server below pings by itself."""
        return False

    def close(self, code: int, reason: str, *, last_words: bytes = b"") -> None:
        """Send what is held, the last frames and the close frame."""
        if self._closing is None:
            self.write(last_words)
            self._closing = (code, reason)
            self._filled.set()

    # --- the ASGI side ----------------------------------------------------------------------------------------

    async def serve(self, *, is_v2: bool, greet: Callable[[Subscriber], None]) -> None:
        """Serve the accepted socket until either side closes it. `greet` welcomes the client or turns it away."""
        self._subscriber = self._hub.connect(self, is_v2=is_v2)
        greet(self._subscriber)
        sending = asyncio.create_task(self._send_all())
        receiving = asyncio.create_task(self._receive_all())
        try:
            await asyncio.wait((sending, receiving), return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                await asyncio.wait((receiving,), timeout=CLOSE_TIMEOUT_S)
        finally:
            self._hub.gone(self._subscriber)
            for task in (sending, receiving):
                task.cancel()
            await asyncio.gather(sending, receiving, return_exceptions=True)

    async def _send_all(self) -> None:
        """Hand frames down one by one. `send` returns when the server below has room for the next."""
        while True:
            await self._filled.wait()
            self._filled.clear()
            while self._frames:
                await self._send(self._frames.popleft())
            if self._closing is not None:
                code, reason = self._closing
                await self._socket.close(code, reason)
                return

    async def _send(self, frames: bytes) -> None:
        left = len(frames)
        for payload in payloads(frames):
            await self._socket.send({"type": "websocket.send", "text": payload.decode()})
            self._unsent_bytes -= len(payload)
            left -= len(payload)
        self._unsent_bytes -= left  # the frames' headers
        if self._subscriber.is_paused and self._unsent_bytes <= LOW_WATER_BYTES:
            self._hub.resumed(self._subscriber)

    async def _receive_all(self) -> None:
        """Hand the client's messages to the hub until it disconnects."""
        while (message := await self._socket.receive())["type"] != "websocket.disconnect":
            text = message.get("text")
            if text is None:
                self._hub.receive_binary(self._subscriber)
            elif len(text) > MAX_MESSAGE_BYTES or len(text.encode()) > MAX_MESSAGE_BYTES:
                self._hub.close(self._subscriber, CloseCode.MESSAGE_TOO_BIG)
            else:
                self._hub.receive_text(self._subscriber, text)

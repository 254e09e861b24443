"""A WebSocket served through ASGI. Joined frames are taken apart again: the server below frames each message itself,
answers pings and sends its own.
"""

from __future__ import annotations

from starlette.websockets import WebSocket

from rmos.hub.hub import Hub
from rmos.protocol.close_codes import CloseCode
from rmos.protocol.frames import MAX_MESSAGE_BYTES, payloads
from rmos.web.asgi_sink import AsgiSink


class AsgiConnection(AsgiSink):
    """One client, from `accept` to its disconnect."""

    def __init__(self, hub: Hub, socket: WebSocket) -> None:
        super().__init__(hub, socket)
        self._socket = socket

    async def _send(self, data: bytes) -> None:
        left = len(data)
        for payload in payloads(data):
            await self._socket.send({"type": "websocket.send", "text": payload.decode()})
            self._unsent_bytes -= len(payload)
            left -= len(payload)
        self._sent(left)  # the frames' headers

    async def _end(self, code: int, reason: str) -> None:
        await self._socket.close(code, reason)

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

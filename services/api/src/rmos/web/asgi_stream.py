"""Server-sent events through ASGI: one body of which every write is a part."""

from __future__ import annotations

from starlette.requests import Request
from starlette.types import Send

from rmos.hub.hub import Hub
from rmos.web.asgi_sink import AsgiSink


class AsgiStream(AsgiSink):
    """One client, from the head of its answer to its disconnect."""

    def __init__(self, hub: Hub, request: Request, send: Send) -> None:
        super().__init__(hub, request)
        self._receive = request.receive
        self._send_down = send

    async def _send(self, data: bytes) -> None:
        await self._send_down({"type": "http.response.body", "body": data, "more_body": True})
        self._sent(len(data))

    async def _end(self, code: int, reason: str) -> None:
        await self._send_down({"type": "http.response.body", "body": b"", "more_body": False})

    async def _receive_all(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass

"""How an authorised connection leaves ASGI: the route takes the transport *instead of* answering, and returns.

An idle connection costs 2 KB then instead of 31, since task, scope, queue and the server's protocol object go away.
`take` answers 101 and switches the transport's protocol in one step, so no byte can fall between the two. Nothing is
negotiated (no permessage-deflate: it costs a factor of 2 to 3 in fan-out).

A stream of server-sent events leaves with the head of its answer: `DETACH` in the message `http.response.start` names
who takes the transport over. The message has passed every middleware by then, so the head has all their headers. The
body ends with the connection; that is HTTP/1.1 without chunks, so a buffer is written as it is, to everybody.

Parts of uvicorn that this relies on: `send.__self__` is its protocol object, with `transport`, `connections` and
`handshake_complete`, and its ASGI call ends with `transport.close()`; of a request it is the cycle, with `transport`,
`default_headers` and `disconnected`, after which it says nothing more, and its `on_response` is a method of the
protocol object. Where one of them is missing nothing is offered, and the route serves the connection through ASGI. A
test says whether the installed uvicorn still fits.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, Protocol, TypeAlias, TypeGuard

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

DETACH: Final = "rmos.detach"
"""Key in `scope["extensions"]` under which `Take` is offered, and True for a stream."""

_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

Headers: TypeAlias = Sequence[tuple[bytes, bytes]]


class Detached(Protocol):
    """Who takes the transport over."""

    def attach(self, transport: asyncio.Transport, peers: set[Any]) -> None:
        """Own this transport, whose handshake is done. `peers` is the server's set of connections to shut down."""
        ...


Take: TypeAlias = Callable[[Detached, Headers], None]


class DetachMiddleware:
    """Offers detaching to WebSocket routes, which then must either take it or refuse the connection, and to streams.

    Must be the outermost layer, or `send` is not the server's own.
    """

    def __init__(self, app: ASGIApp, *, sockets: Mapping[str, ASGIApp], streams: Collection[str]) -> None:
        """
        Args:
            sockets: WebSocket routes by path. They are called straight away: no layer in between looks at a socket.
            streams: Paths of routes that stream server-sent events.
        """
        self._app = app
        self._sockets = sockets
        self._streams = streams

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Offer, and run the app."""
        server = getattr(send, "__self__", None)
        if scope["type"] == "websocket" and scope["path"] in self._sockets and _is_socket(server):
            await self._offer_socket(server, scope, receive, send)
        elif scope["type"] == "http" and scope["path"] in self._streams and _is_request(server):
            await self._offer_stream(server, scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _offer_socket(self, server: WebSocketsSansIOProtocol, scope: Scope, receive: Receive, send: Send) -> None:
        transport = server.transport
        transport.pause_reading()  # what the client sends before the 101 waits in the kernel
        scope["extensions"][DETACH] = _offer(server, dict(scope["headers"])[b"sec-websocket-key"])
        try:
            await self._sockets[scope["path"]](scope, receive, send)
        finally:
            if server.transport is transport and not transport.is_closing():
                transport.resume_reading()

    async def _offer_stream(self, server: RequestResponseCycle, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("extensions", {})[DETACH] = True

        async def send_or_leave(message: Message) -> None:
            detached = message.get(DETACH)
            if detached is None:
                await send(message)
            else:
                _leave(server, message, detached)

        await self._app(scope, receive, send_or_leave)


def _leave(server: RequestResponseCycle, message: Message, detached: Detached) -> None:
    """Write the head of the answer and give the transport away."""
    transport, protocol = server.transport, _protocol_of(server)
    server.disconnected = True
    protocol.connections.discard(protocol)
    if transport.is_closing():
        return
    status = HTTPStatus(message["status"])
    lines = [
        b"HTTP/1.1 %d %b" % (status, status.phrase.encode()),
        *[name + b": " + value for name, value in (*server.default_headers, *message["headers"])],
        b"connection: close",
    ]
    transport.write(b"\r\n".join(lines) + b"\r\n\r\n")
    detached.attach(transport, protocol.connections)
    transport.resume_reading()


def _is_request(server: object) -> TypeGuard[RequestResponseCycle]:
    return (
        hasattr(server, "transport")
        and hasattr(server, "default_headers")
        and getattr(server, "disconnected", None) is False
        and hasattr(_protocol_of(server), "connections")
    )


def _protocol_of(server: object) -> Any:
    """The protocol object of a request's cycle: uvicorn's own kind, which has no name here."""
    return getattr(getattr(server, "on_response", None), "__self__", None)


def _is_socket(server: object) -> TypeGuard[WebSocketsSansIOProtocol]:
    return (
        isinstance(server, WebSocketsSansIOProtocol)
        and hasattr(server, "transport")
        and hasattr(server, "connections")
        and getattr(server, "handshake_complete", None) is False
    )


def _offer(server: WebSocketsSansIOProtocol, key: bytes) -> Take:
    def take(detached: Detached, headers: Headers) -> None:
        transport = server.transport
        server.transport = _Gone()
        server.handshake_complete = True
        server.connections.discard(server)
        if not transport.is_closing():
            switch_protocols(transport, server.connections, detached, key=key, headers=headers)
            transport.resume_reading()

    return take


def switch_protocols(
    transport: asyncio.Transport, peers: set[Any], detached: Detached, *, key: bytes, headers: Headers
) -> None:
    """Answer 101 to the handshake with this key, and give the open transport away in the same step."""
    transport.write(_switching_protocols(key, headers))
    detached.attach(transport, peers)


def _switching_protocols(key: bytes, headers: Headers) -> bytes:
    accept = base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest())
    lines = [
        b"HTTP/1.1 101 Switching Protocols",
        b"upgrade: websocket",
        b"connection: Upgrade",
        b"sec-websocket-accept: " + accept,
        *[name + b": " + value for name, value in headers],
    ]
    return b"\r\n".join(lines) + b"\r\n\r\n"


class _Gone(asyncio.Transport):
    """What uvicorn's protocol object holds, and closes, after its transport was taken."""

    def is_closing(self) -> bool:
        return True

    def close(self) -> None:
        return

    def write(self, data: bytes | bytearray | memoryview) -> None:
        return

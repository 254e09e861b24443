"""An echo on the server's own connection: what comes in goes out, frame parser, limits and closing as they are.

Only the hub is another: it echoes messages, and leaves out the `system:closing` that the monitor sends before a close
frame, which would look like an echo.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import ClassVar, Final, cast

import uvicorn
from starlette.types import Receive, Scope, Send

from rmos.domain.ids import short_name
from rmos.hub.hub import Hub
from rmos.hub.subscriber import Sink, Subscriber
from rmos.protocol.close_codes import CloseCode
from rmos.protocol.frames import BINARY, BinaryMessage, FrameEvent, FrameParser, server_frame, text_frame
from rmos.protocol.session import ServerSession
from rmos.web.detach import DETACH, DetachMiddleware
from rmos.web.lean_connection import LeanConnection

_LARGE_BYTES: Final = 16 * 2**20
_NO_LIMIT: Final = 10**9


class EchoConnection(LeanConnection):
    """A connection that keeps the content of a binary message, for which the monitor has no use."""

    binary: bytes = b""

    def _handle(self, event: FrameEvent) -> None:
        if isinstance(event, BinaryMessage):
            self.binary = event.payload
        super()._handle(event)


class _LargeParser(FrameParser):
    max_message_bytes: ClassVar[int] = _LARGE_BYTES
    max_fragments: ClassVar[int] = _NO_LIMIT


class _LargeEchoConnection(EchoConnection):
    """Takes what the cases of family 9 send: 16 MiB, 65,536 fragments, 1,000 frames a second."""

    max_frames_per_s: ClassVar[int] = _NO_LIMIT

    def attach(self, transport: asyncio.Transport, peers: set[object]) -> None:
        self._parser = _LargeParser()
        super().attach(transport, peers)


class _EchoHub:
    """What a connection asks of the hub."""

    def receive_text(self, subscriber: Subscriber, text: str) -> None:
        subscriber.sink.transport.write(text_frame(text.encode()))

    def receive_binary(self, subscriber: Subscriber) -> None:
        if isinstance(subscriber.sink, EchoConnection):
            subscriber.sink.transport.write(server_frame(BINARY, subscriber.sink.binary))

    def heard(self, subscriber: Subscriber) -> None:
        subscriber.heard_at = asyncio.get_running_loop().time()

    def paused(self, subscriber: Subscriber) -> None:
        subscriber.is_paused = True

    def resumed(self, subscriber: Subscriber) -> None:
        subscriber.is_paused = False

    def gone(self, subscriber: Subscriber) -> None:
        subscriber.is_closed = True

    def close(
        self, subscriber: Subscriber, code: CloseCode, reason: str | None = None, *, retry_after: float | None = None
    ) -> None:
        if not subscriber.is_closed:
            self.gone(subscriber)
            subscriber.sink.close(code, reason or code.reason)


_PATHS: Final[dict[str, type[EchoConnection]]] = {"/": EchoConnection, "/large": _LargeEchoConnection}
_HUB: Final = cast("Hub", _EchoHub())  # the part of it that a connection sees


def _connect(sink: Sink) -> Subscriber:
    now = asyncio.get_running_loop().time()
    return Subscriber(short_name(), sink, ServerSession(is_v2=False, now=now), now)


async def _app(scope: Scope, receive: Receive, send: Send) -> None:
    kind = _PATHS[scope["path"]]
    scope["extensions"][DETACH](kind(_HUB, connect=_connect, greet=lambda _subscriber: None), [])


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals belong to whoever runs this."""
        yield


@asynccontextmanager
async def echo_server() -> AsyncIterator[int]:
    """Echoes on a free port of this process: `/` with the limits of the server, `/large` without."""
    app = DetachMiddleware(_app, sockets=dict.fromkeys(_PATHS, _app), streams=())
    config = uvicorn.Config(app, interface="asgi3", lifespan="off", log_config=None, ws_per_message_deflate=False)
    server = _Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(server.serve(sockets=[listening]))
            try:
                yield int(listening.getsockname()[1])
            finally:
                server.should_exit = True

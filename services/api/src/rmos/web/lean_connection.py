"""A WebSocket that has left ASGI: an asyncio protocol that owns its parser and nothing else while idle.

Rule 1: the hub writes ready frames to the transport; this class only tells it when the transport is full.
Rule 2: after a close frame nothing else is written.
Rule 3: only the newest ping of a read is answered, and not before the transport has room (RFC 6455, 5.5.3).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import IntEnum
from typing import Any, Final

from rmos.hub.hub import Hub
from rmos.hub.subscriber import Subscriber, Transport
from rmos.protocol.close_codes import CloseCode
from rmos.protocol.frames import (
    CLOSE,
    PING,
    PONG,
    BinaryMessage,
    Close,
    FrameError,
    FrameParser,
    Ping,
    Pong,
    TextMessage,
    close_frame,
    server_frame,
)

CLOSE_TIMEOUT_S: Final = 5.0
"""How long a client may take to answer a close frame, and to take what was still to be sent."""
MAX_FRAMES_PER_S: Final = 100
"""Frames of any kind from one client; a flood of pings must not become a flood of work."""


class _Phase(IntEnum):
    OPEN = 0
    CLOSING = 1
    """A close frame was sent; what arrives is read for the answer."""
    DEAF = 2
    """The client broke the protocol, or closed; what arrives is thrown away."""


class LeanConnection(asyncio.Protocol):
    """One client, from the 101 to the end of its transport."""

    __slots__ = (
        "_count",
        "_greet",
        "_hub",
        "_is_v2",
        "_parser",
        "_peers",
        "_phase",
        "_pong",
        "_subscriber",
        "_transport",
        "_window",
    )

    def __init__(self, hub: Hub, *, is_v2: bool, greet: Callable[[Subscriber], None]) -> None:
        """
        Args:
            greet: Welcomes the client, or turns it away; called once it can be written to.
        """
        self._hub = hub
        self._is_v2 = is_v2
        self._greet: Callable[[Subscriber], None] | None = greet
        self._parser = FrameParser()
        self._phase = _Phase.OPEN
        self._pong: bytes | None = None
        self._window = self._count = 0
        self._peers: set[Any] = set()  # Any: the server's own kind of connections
        self._transport: asyncio.Transport
        self._subscriber: Subscriber

    # --- the hub's side ---------------------------------------------------------------------------------------

    def attach(self, transport: asyncio.Transport, peers: set[Any]) -> None:
        """Own this transport, whose handshake is done."""
        greet, self._greet = self._greet, None
        self._transport, self._peers = transport, peers
        peers.add(self)
        transport.set_protocol(self)
        self._subscriber = self._hub.connect(self, is_v2=self._is_v2)
        if greet is not None:
            greet(self._subscriber)

    @property
    def transport(self) -> Transport:
        """Where the hub writes."""
        return self._transport

    @property
    def peer(self) -> str:
        """Address of the client."""
        name = self._transport.get_extra_info("peername")
        return f"{name[0]}:{name[1]}" if isinstance(name, tuple) else str(name or "unix")

    @property
    def unsent_bytes(self) -> int:
        """What the transport still holds."""
        return self._transport.get_write_buffer_size()

    def ping(self) -> bool:
        """Ask for a sign of life."""
        self._transport.write(server_frame(PING, b""))
        return True

    def close(self, code: int, reason: str, *, last_words: bytes = b"") -> None:
        """Send the last frames and the close frame; give the client `CLOSE_TIMEOUT_S` to answer."""
        if self._phase is not _Phase.OPEN:
            return
        self._phase = _Phase.CLOSING
        self._pong = None
        self._transport.write(last_words + close_frame(code, reason))
        asyncio.get_running_loop().call_later(CLOSE_TIMEOUT_S, self._transport.abort)

    # --- the server's side ------------------------------------------------------------------------------------

    def shutdown(self) -> None:
        """The server stops; it calls this for everything in its set of connections."""
        self._hub.close(self._subscriber, CloseCode.RESTART, retry_after=1.0)

    # --- the transport's side ---------------------------------------------------------------------------------

    def connection_lost(self, exc: Exception | None) -> None:
        """The end, whoever wanted it."""
        self._phase = _Phase.DEAF
        self._peers.discard(self)
        self._hub.gone(self._subscriber)

    def eof_received(self) -> bool:
        """A half-closed connection is of no use."""
        return False

    def pause_writing(self) -> None:
        """The transport is full."""
        self._hub.paused(self._subscriber)

    def resume_writing(self) -> None:
        """The transport has room again."""
        if self._phase is _Phase.OPEN:
            self._send_pong()
            self._hub.resumed(self._subscriber)

    def data_received(self, data: bytes) -> None:
        """Bytes of the client."""
        if self._phase is _Phase.DEAF:
            return
        try:
            for event in self._parser.receive(data):
                self._spend_frame()
                self._handle(event)
        except FrameError as error:
            self._fail(error)
        if self._pong is not None and not self._subscriber.is_paused:
            self._send_pong()

    def _handle(self, event: TextMessage | BinaryMessage | Ping | Pong | Close) -> None:
        if self._phase is not _Phase.OPEN:
            if isinstance(event, Close):
                self._transport.close()
            return
        match event:
            case TextMessage(text):
                self._hub.receive_text(self._subscriber, text)
            case BinaryMessage():
                self._hub.receive_binary(self._subscriber)
            case Ping(payload):
                self._hub.heard(self._subscriber)
                self._pong = payload
            case Pong():
                self._hub.heard(self._subscriber)
            case Close(payload):
                self._phase = _Phase.DEAF
                self._hub.gone(self._subscriber)
                self._transport.write(server_frame(CLOSE, payload[:2]))
                self._transport.close()

    def _spend_frame(self) -> None:
        second = int(asyncio.get_running_loop().time())
        if second != self._window:
            self._window, self._count = second, 0
        self._count += 1
        if self._count > MAX_FRAMES_PER_S:
            raise FrameError(CloseCode.ABUSIVE_RATE, f"more than {MAX_FRAMES_PER_S} frames a second")

    def _send_pong(self) -> None:
        if self._pong is not None and self._phase is _Phase.OPEN:
            self._transport.write(server_frame(PONG, self._pong))
        self._pong = None

    def _fail(self, error: FrameError) -> None:
        """Say why, half-close and drain: closing with unread bytes would reset the connection and lose the reason."""
        self._hub.close(self._subscriber, error.code, error.reason)
        self._phase = _Phase.DEAF
        if self._transport.can_write_eof():
            self._transport.write_eof()
        else:
            self._transport.close()

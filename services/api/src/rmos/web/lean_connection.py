"""A WebSocket that has left ASGI: an asyncio protocol that owns its parser and nothing else while idle.

Rule 1: the hub writes ready frames to the transport; this class only tells it when the transport is full.
Rule 2: after a close frame nothing else is written.
Rule 3: a ping is answered where it stands among the messages; while the transport is full only the newest one is kept,
and answered once there is room (RFC 6455, 5.5.2 and 5.5.3).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import IntEnum
from typing import ClassVar, Final

from rmos.hub.hub import Hub
from rmos.hub.subscriber import Sink, Subscriber
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
from rmos.web.lean_sink import LeanSink

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


class LeanConnection(LeanSink):
    """One client, from the 101 to the end of its transport."""

    __slots__ = ("_count", "_parser", "_phase", "_pong", "_window")

    max_frames_per_s: ClassVar[int] = MAX_FRAMES_PER_S

    def __init__(self, hub: Hub, *, connect: Callable[[Sink], Subscriber], greet: Callable[[Subscriber], None]) -> None:
        """As `LeanSink`."""
        super().__init__(hub, connect=connect, greet=greet)
        self._parser = FrameParser()
        self._phase = _Phase.OPEN
        self._pong: bytes | None = None
        self._window = self._count = 0

    # --- the hub's side ---------------------------------------------------------------------------------------

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

    # --- the transport's side ---------------------------------------------------------------------------------

    def connection_lost(self, exc: Exception | None) -> None:
        """The end, whoever wanted it."""
        self._phase = _Phase.DEAF
        super().connection_lost(exc)

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
                if not self._subscriber.is_paused:
                    self._send_pong()
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
        if self._count > self.max_frames_per_s:
            raise FrameError(CloseCode.ABUSIVE_RATE, f"more than {self.max_frames_per_s} frames a second")

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

"""Server-sent events that have left ASGI: an asyncio protocol with nothing of its own but the transport.

Rule 1: the hub writes ready events to the transport; this class only tells it when the transport is full.
Rule 2: nothing is expected from the client. What it sends is thrown away, and too much of it ends the stream.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import Any, Final

from rmos.hub.hub import Hub
from rmos.hub.subscriber import Sink, Subscriber
from rmos.protocol.close_codes import CloseCode
from rmos.web.lean_sink import LeanSink

CLOSE_TIMEOUT_S: Final = 5.0
"""How long a client may take to take what was still to be sent."""
MAX_RECEIVED_BYTES: Final = 65_536
"""What a client may send after its request: it has nothing to say."""
DEAD_AFTER_S: Final = 40.0
"""How long heartbeats may stay without acknowledgement by the client's machine: as long as pings of a WebSocket."""
_USER_TIMEOUT: Final = getattr(socket, "TCP_USER_TIMEOUT", None)
"""Linux has it; elsewhere the kernel gives a dead line up by itself, after some minutes."""


class LeanStream(LeanSink):
    """One client, from the head of its answer to the end of its transport."""

    __slots__ = ("_is_open", "_received")

    def __init__(self, hub: Hub, *, connect: Callable[[Sink], Subscriber], greet: Callable[[Subscriber], None]) -> None:
        """As `LeanSink`."""
        super().__init__(hub, connect=connect, greet=greet)
        self._is_open = True
        self._received = 0

    # --- the hub's side ---------------------------------------------------------------------------------------

    def attach(self, transport: asyncio.Transport, peers: set[Any]) -> None:
        """Own this transport, and have the kernel give a dead line up."""
        if _USER_TIMEOUT is not None:
            with contextlib.suppress(OSError):  # not TCP
                transport.get_extra_info("socket").setsockopt(
                    socket.IPPROTO_TCP, _USER_TIMEOUT, round(DEAD_AFTER_S * 1000)
                )
        super().attach(transport, peers)

    def close(self, code: int, reason: str, *, last_words: bytes = b"") -> None:
        """Send the last events and end the stream."""
        if self._is_open:
            self._is_open = False
            self._transport.write(last_words)
            self._transport.close()
            asyncio.get_running_loop().call_later(CLOSE_TIMEOUT_S, self._transport.abort)

    # --- the transport's side ---------------------------------------------------------------------------------

    def connection_lost(self, exc: Exception | None) -> None:
        """The end, whoever wanted it."""
        self._is_open = False
        super().connection_lost(exc)

    def resume_writing(self) -> None:
        """The transport has room again."""
        if self._is_open:
            self._hub.resumed(self._subscriber)

    def data_received(self, data: bytes) -> None:
        """Bytes of the client, which has nothing to say."""
        self._received += len(data)
        if self._received > MAX_RECEIVED_BYTES:
            self._hub.close(self._subscriber, CloseCode.ABUSIVE_RATE)

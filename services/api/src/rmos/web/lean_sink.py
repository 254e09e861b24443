"""What a client has in common that has left ASGI, whether it listens to a WebSocket or to a stream.

Rule: the hub writes ready bytes to the transport; this class only tells it when the transport is full.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from rmos.hub.hub import Hub
from rmos.hub.subscriber import Sink, Subscriber, Transport
from rmos.protocol.close_codes import CloseCode


class LeanSink(asyncio.Protocol, ABC):
    """One client, from the head of its answer to the end of its transport. It owns nothing else while idle."""

    __slots__ = ("_begin", "_hub", "_peers", "_subscriber", "_transport")

    def __init__(self, hub: Hub, *, connect: Callable[[Sink], Subscriber], greet: Callable[[Subscriber], None]) -> None:
        """
        Args:
            connect: Takes the client in; called once it can be written to.
            greet: Welcomes the client, or turns it away; called once it was taken in.
        """
        self._hub = hub
        self._begin: tuple[Callable[[Sink], Subscriber], Callable[[Subscriber], None]] | None = (connect, greet)
        self._peers: set[Any] = set()  # Any: the server's own kind of connections
        self._transport: asyncio.Transport
        self._subscriber: Subscriber

    def attach(self, transport: asyncio.Transport, peers: set[Any]) -> None:
        """Own this transport, to which the head of the answer was written."""
        begin, self._begin = self._begin, None
        self._transport, self._peers = transport, peers
        peers.add(self)
        transport.set_protocol(self)
        if begin is not None:
            connect, greet = begin
            self._subscriber = connect(self)
            greet(self._subscriber)

    @property
    def transport(self) -> Transport:
        """Where the hub writes."""
        return self._transport

    @property
    def peer(self) -> str:
        """Address of the client, without a port where a proxy stands before it: that one's says nothing."""
        name = self._transport.get_extra_info("peername")
        address = self._subscriber.address
        if isinstance(name, tuple) and address in (None, name[0]):
            return f"{name[0]}:{name[1]}"
        return address or str(name or "unix")

    @property
    def unsent_bytes(self) -> int:
        """What the transport still holds."""
        return self._transport.get_write_buffer_size()

    def ping(self) -> bool:
        """Send a WebSocket ping. False where there is none."""
        return False

    @abstractmethod
    def close(self, code: int, reason: str, *, last_words: bytes = b"") -> None:
        """Send the last words and end the connection."""

    def shutdown(self) -> None:
        """The server stops; it calls this for everything in its set of connections."""
        self._hub.close(self._subscriber, CloseCode.RESTART, retry_after=1.0)

    def connection_lost(self, exc: Exception | None) -> None:
        """The end, whoever wanted it."""
        self._peers.discard(self)
        self._hub.gone(self._subscriber)

    def eof_received(self) -> bool:
        """Who is done with sending has hung up: a half-closed connection is of no use."""
        return False

    def pause_writing(self) -> None:
        """The transport is full."""
        self._hub.paused(self._subscriber)

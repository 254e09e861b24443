"""HTTP/1.1 connections with a deadline for the request head, which open the monitor in one step.

Stock uvicorn waits for ever for a head that is never finished, so silent clients could use up every file descriptor.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, cast

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:  # it loads the whole web framework
    from rmos.web.upgrade import Upgrades

MAX_HEAD_BYTES: Final = 65_536
"""What may arrive before the end of the headers; stock uvicorn would keep a header without end."""
HEAD_DEADLINE_S: Final = 10.0
"""Seconds from connecting, or from the first byte of a later request, to the end of its headers."""


_TOO_LARGE: Final = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class DeadlineProtocol(HttpToolsProtocol):
    """Closes a connection whose request head takes longer than `HEAD_DEADLINE_S`, or more than `MAX_HEAD_BYTES`."""

    upgrades: Upgrades | None = None
    """Opens the monitor; None leaves every WebSocket to uvicorn."""

    _deadline: asyncio.TimerHandle | None = None
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn declares it
        super().connection_made(transport)
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._deadline is None:
            return
        self._head_bytes += len(data)
        if self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self.transport.write(_TOO_LARGE)
            self.transport.close()

    def on_message_begin(self) -> None:
        self._arm()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._disarm()
        super().on_headers_complete()

    def handle_websocket_upgrade(self) -> None:
        request = cast("Scope", self.scope)
        if self.upgrades is None or not self.upgrades.take(request, self.url, self.transport, self.connections):
            super().handle_websocket_upgrade()
            return
        self.connections.discard(self)
        self.parser = None  # type: ignore[assignment]  # as uvicorn ends a connection: the two refer to each other

    def _arm(self) -> None:
        # A request that begins within the first deadline must not get a second one: a drip would never end.
        if self._deadline is None:
            self._deadline = self.loop.call_later(HEAD_DEADLINE_S, self.transport.close)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
            self._head_bytes = 0


def opening_monitors(upgrades: Upgrades) -> type[DeadlineProtocol]:
    """The protocol with this way to open the monitor. uvicorn makes its objects, so it is given a class."""
    return type("MonitorProtocol", (DeadlineProtocol,), {"upgrades": upgrades})

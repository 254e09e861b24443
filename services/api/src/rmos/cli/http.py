"""HTTP/1.1 connections with a deadline for the request head.

Stock uvicorn waits for ever for a head that is never finished, so silent clients could use up every file descriptor.
"""

from __future__ import annotations

import asyncio
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_DEADLINE_S: Final = 10.0
"""Seconds from connecting, or from the first byte of a later request, to the end of its headers."""


class DeadlineProtocol(HttpToolsProtocol):
    """Closes a connection whose request head takes longer than `HEAD_DEADLINE_S`."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn declares it
        super().connection_made(transport)
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        self._arm()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._disarm()
        super().on_headers_complete()

    def _arm(self) -> None:
        # A request that begins within the first deadline must not get a second one: a drip would never end.
        if self._deadline is None:
            self._deadline = self.loop.call_later(HEAD_DEADLINE_S, self.transport.close)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

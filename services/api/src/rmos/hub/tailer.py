"""Follows the log and fills the ring: the only place where live events come from.

Rule 1: a wake-up is a hint; without one the log is read every `poll_s`.
Rule 2: while the fan-out is behind, reading stops: the log is the queue.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Final

from rmos.errors import StorageError
from rmos.eventlog.base import EventLog
from rmos.hub.ring import Ring, make_entry

log = logging.getLogger(__name__)

READ_EVENTS: Final = 1024
READ_BYTES: Final = 4 * 1024 * 1024
MAX_UNSENT: Final = 8192
"""Events not yet given to the groups above which reading stops; about a third of a second of the fan-out's work."""


class Tailer:
    """Moves events from the log into the ring, in order, each once."""

    def __init__(
        self, event_log: EventLog, ring: Ring, *, epoch: str, on_events: Callable[[], None], on_lost: Callable[[], None]
    ) -> None:
        """
        Args:
            on_events: Called when the ring has grown.
            on_lost: Called when the log begins after the place that was reached, so that nobody can go on from it.
        """
        self._log = event_log
        self._ring = ring
        self._epoch = epoch
        self._on_events = on_events
        self._on_lost = on_lost
        self._read_events = min(READ_EVENTS, ring.capacity // 4)
        self._max_unsent = min(MAX_UNSENT, ring.capacity // 2)
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    def wake(self) -> None:
        """The log has probably grown."""
        self._wake.set()

    async def room(self) -> None:
        """Wait while the fan-out is so far behind that the log is not read."""
        await self._room.wait()

    def sent(self) -> None:
        """The groups were given more of the ring."""
        if not self._is_behind():
            self._room.set()

    async def run(self, *, poll_s: float) -> None:
        """Follow the log until cancelled."""
        while True:
            self._wake.clear()
            try:
                await self._read_to_the_end()
            except StorageError:
                log.exception("reading the log failed and is tried again", extra={"after": self._ring.head})
                await asyncio.sleep(poll_s)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(poll_s):
                    await self._wake.wait()

    async def _read_to_the_end(self) -> None:
        while events := await self._log.read(self._ring.head, limit=self._read_events, max_bytes=READ_BYTES):
            if events[0].offset != self._ring.head + 1:
                self._ring.restart(events[0].offset - 1)
                self._on_lost()
            for event in events:
                self._ring.append(make_entry(event, self._epoch))
            self._on_events()
            if self._is_behind():
                self._room.clear()
                await self._room.wait()

    def _is_behind(self) -> bool:
        return self._ring.unsent > self._max_unsent or self._ring.is_over_bytes

"""`metrics:snapshot`: at once to a new listener, then to all of them every few seconds.

Derived from the shop as it is, so it is sent live and never logged. Nothing is computed while nobody listens.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final, TypeAlias

from rmos.domain.events import METRICS_SNAPSHOT
from rmos.errors import StorageError
from rmos.hub.subscriber import Subscriber

if TYPE_CHECKING:
    from rmos.hub.hub import Hub

log = logging.getLogger(__name__)

SnapshotSource: TypeAlias = Callable[[], Awaitable[bytes]]
"""Makes the frame of a snapshot of this moment."""

CROWD_S: Final = 0.1
"""Who arrives within this time after a snapshot shares the next one; a crowd that comes back gets ten a second."""


class SnapshotFeed:
    """Computes a snapshot for the newcomers of one moment together, and for everybody when it is due."""

    def __init__(self, hub: Hub, source: SnapshotSource, *, interval_s: float) -> None:
        self._hub = hub
        self._source = source
        self._interval_s = interval_s
        self._newcomers: set[Subscriber] = set()
        self._arrived = asyncio.Event()

    def welcome(self, subscriber: Subscriber) -> None:
        """Send it the next snapshot without waiting for the interval."""
        self._newcomers.add(subscriber)
        self._arrived.set()

    async def run(self) -> None:
        """Feed until cancelled."""
        loop = asyncio.get_running_loop()
        due = loop.time() + self._interval_s
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(due):
                    await self._arrived.wait()
            self._arrived.clear()
            newcomers, self._newcomers = self._newcomers, set()
            is_due = loop.time() >= due
            if is_due:
                due = loop.time() + self._interval_s
            try:
                await self._feed(newcomers, to_all=is_due)
            except StorageError:
                log.exception("no metrics snapshot this time")
            await asyncio.sleep(CROWD_S)

    async def _feed(self, newcomers: set[Subscriber], *, to_all: bool) -> None:
        if not self._hub.has_listeners(METRICS_SNAPSHOT):
            return
        if to_all:
            self._hub.broadcast(METRICS_SNAPSHOT, await self._source())
        elif newcomers:
            self._hub.broadcast(METRICS_SNAPSHOT, await self._source(), among=newcomers)

"""Composition root: opens the shop, starts the hub, and closes both in the right order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from rmos.bus.base import Bus
from rmos.bus.local import LocalBus
from rmos.clock import Clock, utc_now
from rmos.hub.hub import Hub, HubOptions
from rmos.hub.sweep import Periods
from rmos.protocol.close_codes import CloseCode
from rmos.protocol.messages import metrics_frame
from rmos.services.metrics import metrics_snapshot
from rmos.settings import Settings
from rmos.stores.base import Stores
from rmos.stores.sqlite import open_sqlite


@dataclass(frozen=True, slots=True)
class Runtime:
    """The running parts of one server process."""

    settings: Settings
    stores: Stores
    bus: Bus
    hub: Hub
    clock: Clock


@asynccontextmanager
async def open_runtime(settings: Settings, *, clock: Clock = utc_now) -> AsyncIterator[Runtime]:
    """Open the database, follow its log, and serve until the block is left.

    Raises:
        StartupError: the database cannot be used; the message says why and what to do.
    """
    bus = LocalBus()
    stores = await open_sqlite(
        settings.database_path,
        on_commit=bus.wake,
        busy_timeout_s=settings.busy_timeout_s,
        keep_days=settings.log_keep_days,
        keep_events=settings.log_keep_events,
    )
    try:

        async def snapshot() -> bytes:
            now = clock()
            return metrics_frame(metrics_snapshot(await stores.overview(), now), now)

        hub = Hub(stores.log, await stores.log.head(), hub_options(settings), snapshot_source=snapshot, clock=clock)
        unsubscribe = bus.subscribe(hub.wake)
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(hub.run())
            try:
                yield Runtime(settings, stores, bus, hub, clock)
            finally:
                unsubscribe()
                hub.close_everyone(CloseCode.SHUTDOWN)
                running.cancel()
    finally:
        await stores.close()


def hub_options(settings: Settings) -> HubOptions:
    """The part of the settings that the hub works by."""
    return HubOptions(
        periods=Periods(
            heartbeat_s=settings.heartbeat_s,
            ping_interval_s=settings.ping_interval_s,
            ping_timeout_s=settings.ping_timeout_s,
            stall_timeout_s=settings.stall_timeout_s,
        ),
        ring_events=settings.ring_events,
        poll_s=settings.poll_s,
        metrics_interval_s=settings.metrics_interval_s,
        max_connections=settings.max_connections,
    )

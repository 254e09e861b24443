"""Composition root: opens the shop, starts the hub, and closes both in the right order."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Final

from rmos.analytics.shifts import Shift, Shifts
from rmos.auth.access import Access
from rmos.auth.secrets_file import signing_keys
from rmos.auth.tokens import Tokens
from rmos.bus.base import Bus
from rmos.bus.local import LocalBus
from rmos.clock import Clock, utc_now
from rmos.hub.hub import Hub, HubOptions
from rmos.hub.limits import MaxConnections
from rmos.hub.sweep import Periods
from rmos.protocol.close_codes import CloseCode
from rmos.protocol.forms import Forms
from rmos.protocol.messages import metrics_frame
from rmos.services.metrics import metrics_snapshot
from rmos.services.watch import Watch
from rmos.settings import Settings
from rmos.stores.base import Stores
from rmos.stores.sqlite import open_sqlite

_COLLECT_AFTER: Final = 10_000
"""New objects after which cycles among them are looked for. With Python's 700 that is a quarter of the work of a
replay, whose events are many and hold no cycles."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """The running parts of one server process."""

    settings: Settings
    stores: Stores
    bus: Bus
    hub: Hub
    access: Access
    forms: Forms
    clock: Clock
    shifts: Shifts


@asynccontextmanager
async def open_runtime(settings: Settings, *, clock: Clock = utc_now) -> AsyncIterator[Runtime]:
    """Open the database, follow its log, and serve until the block is left.

    Raises:
        StartupError: the database cannot be used; the message says why and what to do.
    """
    async with _open_parts(settings, clock) as runtime:
        with _collecting_little():
            yield runtime


@contextmanager
def _collecting_little() -> Iterator[None]:
    """Keep Python's search for reference cycles out of the way of events.

    A full one stops everybody for as long as it takes to look at every object: with those of the libraries, which stay
    for good, that is some 70 ms.
    """
    before = gc.get_threshold()
    gc.set_threshold(_COLLECT_AFTER, *before[1:])
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)


@asynccontextmanager
async def _open_parts(settings: Settings, clock: Clock) -> AsyncIterator[Runtime]:
    bus = LocalBus()
    shifts = shifts_of(settings)
    stores = await open_sqlite(
        settings.database_path,
        on_commit=bus.wake,
        busy_timeout_s=settings.busy_timeout_s,
        keep_days=settings.log_keep_days,
        keep_events=settings.log_keep_events,
        shifts=shifts,
    )
    try:
        access = await _open_access(settings, stores, clock)

        async def snapshot() -> bytes:
            now = clock()
            return metrics_frame(await metrics_snapshot(stores, now), now)

        hub = Hub(
            stores.log,
            await stores.log.head(),
            hub_options(settings),
            snapshot_source=snapshot,
            authority=access,
            clock=clock,
        )
        watch = Watch(
            stores,
            shifts=shifts,
            interval_s=settings.watch_interval_s,
            least_silence_s=settings.watch_silence_s,
            clock=clock,
        )
        unsubscribe = bus.subscribe(hub.wake)
        access.subscribe(hub.review_access)
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(hub.run()), tasks.create_task(access.run()), tasks.create_task(watch.run())]
            try:
                forms = Forms.of(epoch=hub.epoch, site=settings.site)
                yield Runtime(settings, stores, bus, hub, access, forms, clock, shifts)
            finally:
                unsubscribe()
                hub.close_everyone(CloseCode.SHUTDOWN)
                access.close()
                for task in running:
                    task.cancel()
    finally:
        await stores.close()


async def _open_access(settings: Settings, stores: Stores, clock: Clock) -> Access:
    """Who may come in.

    Raises:
        StartupError: the secrets of the server cannot be read or made.
    """
    tokens = None
    if settings.auth != "off":
        tokens = Tokens(await asyncio.to_thread(signing_keys, settings.database_path.parent))
    mode = "required" if settings.is_auth_required else settings.auth
    access = Access(stores, tokens, mode=mode, clock=clock)
    await access.refresh()
    return access


def shifts_of(settings: Settings) -> Shifts:
    """When the shop works."""
    shifts = (Shift(shift.name, frozenset(shift.days), shift.start, shift.end) for shift in settings.shifts)
    return Shifts(tuple(shifts), settings.time_zone)


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
        max_connections=MaxConnections(
            settings.max_connections, settings.max_connections_per_address, settings.max_connections_per_user
        ),
    )

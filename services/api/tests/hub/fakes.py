"""A log in memory and a sink that records: the hub's two neighbours, without a database and without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson

from rmos.auth.identity import LOCAL, Identity
from rmos.clock import Clock, Timestamp, utc_now
from rmos.domain.events import Event
from rmos.domain.filters import EventFilter
from rmos.errors import ExpiredError
from rmos.eventlog.base import PAGE_BYTES, PAGE_EVENTS, EntityThen, LastEvents, LogHead, StatePage
from rmos.hub.doorkeeper import Authority
from rmos.hub.hub import Hub, HubOptions
from rmos.hub.limits import MaxConnections
from rmos.hub.replay import Pace
from rmos.hub.subscriber import Subscriber
from rmos.hub.sweep import Periods
from rmos.protocol.frames import payloads

EPOCH = "epoch1"
NOON = "2026-11-24T12:00:00.000Z"


class MemoryLog:
    """An event log in a list, with the guarantees of `eventlog.base`."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.oldest = 1
        self.reads = 0

    def append(self, event_type: str, *, data: bytes = b"{}", **more: Any) -> Event:
        """Add an event; `more` are further fields of it."""
        offset = len(self.events) + 1
        event = Event(**{"type": event_type, "data": data, "timestamp": NOON, "offset": offset, **more})
        self.events.append(event)
        return event

    async def head(self) -> LogHead:
        await asyncio.sleep(0)
        return LogHead(EPOCH, len(self.events), self.oldest)

    async def read(self, after: int, *, limit: int = PAGE_EVENTS, max_bytes: int = PAGE_BYTES) -> list[Event]:
        await asyncio.sleep(0)
        self.reads += 1
        start = max(after, self.oldest - 1)
        page: list[Event] = []
        size = 0
        for event in self.events[start : start + limit]:
            page.append(event)
            size += len(event.data)
            if size > max_bytes:
                break
        return page

    async def read_matching(
        self,
        after: int,
        wanted: EventFilter,
        *,
        limit: int,
        upto: int | None = None,
        max_bytes: int | None = None,
    ) -> list[Event]:
        await asyncio.sleep(0)
        return [e for e in self.events[max(after, self.oldest - 1) : upto] if wanted.matches(e.type, e.channels)][
            :limit
        ]

    async def last_matching(self, count: int, wanted: EventFilter) -> LastEvents:
        await asyncio.sleep(0)
        last = [e for e in self.events[self.oldest - 1 :] if wanted.matches(e.type, e.channels)][-count:]
        return LastEvents(last[0].offset - 1 if last else len(self.events), len(last))

    async def offset_before(self, time: Timestamp) -> int:
        await asyncio.sleep(0)
        young = [e.offset for e in self.events[self.oldest - 1 :] if e.timestamp >= time]
        return young[0] - 1 if young else len(self.events)

    async def time_of(self, offset: int) -> Timestamp | None:
        await asyncio.sleep(0)
        return self.events[offset - 1].timestamp if self.oldest <= offset <= len(self.events) else None

    async def state(
        self, at: int, wanted: EventFilter, *, after: str = "", limit: int, max_bytes: int = PAGE_BYTES
    ) -> StatePage:
        await asyncio.sleep(0)
        self.reads += 1
        if at < self.oldest - 1:
            raise ExpiredError("gone")
        newest = {e.key: e for e in self.events[:at] if e.key is not None and e.version is not None}
        there = [
            EntityThen(e.key or "", e.version or 0, e.offset, e.timestamp, e.data)
            for key, e in sorted(newest.items())
            if key > after and not e.type.endswith(":deleted") and wanted.matches(e.type, e.channels)
        ]
        return StatePage(there[:limit], there[limit - 1].key if len(there) > limit else None)


class RecordingSink:
    """Records what the hub writes. `capacity` is the number of bytes it takes before it is full; None never is."""

    def __init__(self, hub: Hub, *, capacity: int | None = None) -> None:
        self.hub = hub
        self.capacity = capacity
        self.held = 0
        self.writes: list[bytes] = []
        self.closed_with: tuple[int, str] | None = None
        self.pings = 0
        self.subscriber: Subscriber

    transport = property(lambda self: self)
    peer = "test"
    unsent_bytes = property(lambda self: self.held)

    def write(self, data: bytes) -> None:
        assert self.closed_with is None, "written to after its close"
        assert not self.subscriber.is_paused or data.startswith(b"\x81"), "only whole frames"
        self.writes.append(data)
        if self.capacity is None:
            return
        self.held += len(data)
        if self.held > self.capacity and not self.subscriber.is_paused:
            self.hub.paused(self.subscriber)

    def drain(self) -> None:
        """The client has taken everything."""
        self.held = 0
        if self.subscriber.is_paused:
            self.hub.resumed(self.subscriber)

    def ping(self) -> bool:
        self.pings += 1
        return True

    def close(self, code: int, reason: str, *, last_words: bytes = b"") -> None:
        self.writes.append(last_words)
        self.closed_with = (code, reason)

    def frames(self) -> list[dict[str, Any]]:
        """Every frame written so far."""
        return [orjson.loads(payload) for write in self.writes for payload in payloads(write)]

    def offsets(self) -> list[int]:
        """Offsets of the events written so far."""
        return [frame["offset"] for frame in self.frames() if "offset" in frame]

    def system(self, name: str) -> list[dict[str, Any]]:
        """The data of every system frame of this name."""
        return [frame["data"] for frame in self.frames() if frame["type"] == f"system:{name}"]


def options(**changes: Any) -> HubOptions:
    """Options with periods so long that nothing happens by itself."""
    periods = {"heartbeat_s": 600.0, "ping_interval_s": 600.0, "ping_timeout_s": 600.0, "stall_timeout_s": 600.0}
    periods |= {name: changes.pop(name) for name in tuple(changes) if name in periods}
    given = {"ring_events": 4096, "poll_s": 600.0, "metrics_interval_s": 600.0} | changes
    given.setdefault("max_connections", MaxConnections(1000, None, 1000))
    return HubOptions(periods=Periods(**periods), **given)


class Shop:
    """A running hub over a log in memory."""

    def __init__(self, log: MemoryLog, hub: Hub) -> None:
        self.log = log
        self.hub = hub

    def connect(
        self, *commands: str, capacity: int | None = None, is_v2: bool = True, identity: Identity = LOCAL
    ) -> RecordingSink:
        """A client that has sent these commands."""
        sink = RecordingSink(self.hub, capacity=capacity)
        sink.subscriber = self.hub.connect(sink, is_v2=is_v2, identity=identity)
        self.hub.welcome(sink.subscriber)
        for command in commands:
            self.say(sink, command)
        return sink

    def say(self, sink: RecordingSink, command: str) -> None:
        """The client sends a text message."""
        self.hub.receive_text(sink.subscriber, command)

    def write(self, count: int, event_type: str = "job:updated", *, data: bytes = b"{}") -> None:
        """Add events to the log and wake the hub."""
        for _ in range(count):
            self.log.append(event_type, data=data)
        self.hub.wake()

    async def settle(self) -> None:
        """Let the hub run until every client that takes its bytes has got everything of the log."""
        async with asyncio.timeout(10):
            while not self._is_settled():
                await asyncio.sleep(0.001)
        for _ in range(10):
            await asyncio.sleep(0)

    async def settle_ring(self) -> None:
        """Let the hub run until it knows all of the log, and some turns more; clients may wait."""
        async with asyncio.timeout(10):
            while self.hub.head != len(self.log.events):
                await asyncio.sleep(0.001)
        for _ in range(30):
            await asyncio.sleep(0)

    def _is_settled(self) -> bool:
        reading = [s for s in self.hub.subscribers if not s.is_paused]
        return self.hub.head == len(self.log.events) and all(
            s.backlog is None and self.hub.reached(s) == self.hub.head for s in reading
        )


@asynccontextmanager
async def open_shop(
    log: MemoryLog | None = None,
    *,
    pace: Pace | None = None,
    clock: Clock = utc_now,
    authority: Authority | None = None,
    **changes: Any,
) -> AsyncIterator[Shop]:
    """A hub that runs until the block is left."""
    log = log or MemoryLog()

    async def snapshot() -> bytes:
        return b'{"type":"metrics:snapshot","data":{},"timestamp":""}'

    hub = Hub(
        log,
        await log.head(),
        options(**changes),
        snapshot_source=snapshot,
        pace=pace,
        clock=clock,
        authority=authority,
    )
    async with asyncio.timeout(20):
        running = asyncio.create_task(hub.run())
        await asyncio.sleep(0)
        try:
            yield Shop(log, hub)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

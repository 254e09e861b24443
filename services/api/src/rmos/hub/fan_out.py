"""Fan-out: each event is encoded once a form, each group joined once a tick, each connection written to once a tick.

Rule 1: a tick gives every group the next block of the ring; between two ticks requests get their turn.
Rule 2: no queue per client. A connection whose transport is full leaves its group and goes on from its own cursor,
        block by block out of the ring or, further behind, page by page out of the log.
Rule 3: transports may call `paused` from within `write`, so groups are never changed while they are iterated.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from rmos.domain.filters import EventFilter
from rmos.eventlog.base import EventLog
from rmos.hub.catch_up import CatchUp, LogPage
from rmos.hub.ring import Order, Ring, write_for
from rmos.hub.subscriber import Group, Subscriber
from rmos.protocol.commands import Mode
from rmos.protocol.messages import system_frame

PATIENCE_S: Final = 0.1
"""How long a tick waits when a crowd has just filled up: then the server is the bottleneck, not they."""
CROWD: Final = 10
"""One in so many subscribers is a crowd."""
_PATIENCE_STEP_S: Final = 0.002


class FanOut:
    """Brings the ring to everybody who subscribed.

    Attributes:
        ring: Filled by the tailer, which calls `grown`.
        catch_up: Reads the log for who fell off the ring.
    """

    def __init__(
        self,
        event_log: EventLog,
        ring: Ring,
        *,
        epoch: str,
        on_sent: Callable[[], None],
        on_expired: Callable[[Subscriber], None],
    ) -> None:
        """
        Args:
            on_sent: Called after each tick.
            on_expired: Called with a subscriber whose next event the log no longer keeps.
        """
        self.ring = ring
        self.catch_up = CatchUp(event_log, epoch=epoch, deliver=self._deliver_page)
        self._on_sent = on_sent
        self._on_expired = on_expired
        self._groups: dict[Order, Group] = {}
        self._grown = asyncio.Event()
        self._ticked = asyncio.Condition()
        self._is_ticking = False
        self._ticked_at = 0.0
        self._leaving: list[Subscriber] = []
        self._freshly_full: set[Subscriber] = set()

    async def run(self) -> None:
        """Tick whenever there is something to give, until cancelled."""
        while True:
            while self.ring.unsent:
                if self._is_crowd_full():
                    await asyncio.sleep(_PATIENCE_STEP_S)
                    continue
                self._tick()
                self._on_sent()
                async with self._ticked:
                    self._ticked.notify_all()
                await asyncio.sleep(0)
            self._grown.clear()
            await self._grown.wait()

    def grown(self) -> None:
        """The ring has new events."""
        self._grown.set()

    async def ticked(self) -> None:
        """Wait for the next tick."""
        async with self._ticked:
            await self._ticked.wait()

    def wants(self, event_type: str) -> bool:
        """Whether anybody subscribed to events of this type that are heard on no channel."""
        return any(wanted.matches(event_type, ()) for wanted, *_ in self._groups)

    def reached(self, subscriber: Subscriber) -> int:
        """The offset up to which everything that the subscriber wants was written to it."""
        is_lagging = subscriber.group is not None and not subscriber.is_caught_up
        return subscriber.cursor if is_lagging else self.ring.sent

    def subscribe(self, subscriber: Subscriber, wanted: EventFilter, mode: Mode) -> None:
        """Make this what it is sent. Nothing is written before `start`."""
        self.unsubscribe(subscriber)
        order = Order(wanted, subscriber.form, mode)
        subscriber.group = self._groups.setdefault(order, Group(order))
        subscriber.group.size += 1

    def hold(self, subscriber: Subscriber, after: int) -> None:
        """Deliver nothing yet; `start` will be called with the same place."""
        subscriber.cursor = after
        subscriber.is_held = True

    def start(self, subscriber: Subscriber, after: int | None) -> None:
        """Deliver from `after` on, and say when that has caught up; None delivers what comes from now on."""
        sent = self.ring.sent
        subscriber.is_held = False
        subscriber.cursor = sent if after is None else after
        subscriber.replay_to = None if after is None else sent
        self._pump(subscriber)

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """Deliver no more to it."""
        group = subscriber.group
        if group is None:
            return
        self._leave(subscriber)
        self.catch_up.forget(subscriber)
        subscriber.is_held = False
        subscriber.group = None
        group.size -= 1
        if not group.size:
            del self._groups[group.order]

    def paused(self, subscriber: Subscriber) -> None:
        """Its transport is full. May be called from within `write`."""
        if not subscriber.is_looking_back:
            self._freshly_full.add(subscriber)
        if self._is_ticking:
            self._leaving.append(subscriber)  # this tick's bytes are in its transport: it leaves at the new head
        else:
            self._leave(subscriber)

    def resumed(self, subscriber: Subscriber) -> None:
        """Its transport has room again."""
        self._freshly_full.discard(subscriber)
        self._pump(subscriber)

    def forget(self, subscriber: Subscriber) -> None:
        """It is gone."""
        self.unsubscribe(subscriber)
        self._freshly_full.discard(subscriber)

    def _is_crowd_full(self) -> bool:
        """Whether so many have just filled up that it is us, not them. Those who are slow for longer do not count."""
        if asyncio.get_running_loop().time() - self._ticked_at >= PATIENCE_S:
            self._freshly_full.clear()
        return len(self._freshly_full) * CROWD > sum(group.size for group in self._groups.values())

    def _tick(self) -> None:
        """Give every group the next block of the ring."""
        ring = self.ring
        stop = ring.block_end(ring.sent, ring.head)
        entries = ring.entries(ring.sent, stop)
        self._ticked_at = asyncio.get_running_loop().time()
        self._is_ticking = True
        try:
            for group in self._groups.values():
                if group.members and (data := ring.write_for(group.order, entries, after=ring.sent)):
                    for transport in group.members.values():
                        transport.write(data)
        finally:
            self._is_ticking = False
        ring.mark_sent(stop)
        for subscriber in self._leaving:
            self._leave(subscriber)
        self._leaving.clear()

    def _pump(self, subscriber: Subscriber) -> None:
        """Take a lagging subscriber one block on; when it has caught up it joins its group."""
        group = subscriber.group
        if group is None or subscriber.is_held or subscriber.is_paused or subscriber in group.members:
            return
        upto = self._upto(subscriber)
        if subscriber.cursor < upto:
            if not self.ring.holds_after(subscriber.cursor):
                self.catch_up.ask(subscriber)
                return
            data, stop = self.ring.block(subscriber.cursor, upto, group.order)
            self._advance(subscriber, data, stop)
        self._settle(subscriber, group)

    def _deliver_page(self, subscriber: Subscriber, page: LogPage) -> None:
        """Write a page of the log, which follows the subscriber's cursor."""
        group = subscriber.group
        if group is None or subscriber.is_paused:
            return
        if page.first != subscriber.cursor + 1:
            self._on_expired(subscriber)
            return
        entries = page.entries[: self._upto(subscriber) - subscriber.cursor]
        data = write_for(group.order, entries, after=subscriber.cursor)
        self._advance(subscriber, data, subscriber.cursor + len(entries))
        self._settle(subscriber, group)

    def _upto(self, subscriber: Subscriber) -> int:
        """Where the next write to a lagging subscriber ends at the latest."""
        return self.ring.sent if subscriber.replay_to is None else subscriber.replay_to

    def _advance(self, subscriber: Subscriber, data: bytes, stop: int) -> None:
        subscriber.cursor = stop
        if data:
            subscriber.sink.transport.write(data)

    def _settle(self, subscriber: Subscriber, group: Group) -> None:
        """After a write: say that the replay is over, join the group, or come back in the next turn."""
        if subscriber.replay_to is not None and subscriber.cursor >= subscriber.replay_to:
            subscriber.replay_to = None
            subscriber.write(system_frame("caught_up", {"offset": subscriber.cursor}))
        if subscriber.is_paused or subscriber.is_closed:
            return
        if subscriber.cursor == self.ring.sent:
            group.members[subscriber] = subscriber.sink.transport
        else:
            asyncio.get_running_loop().call_soon(self._pump, subscriber)

    def _leave(self, subscriber: Subscriber) -> None:
        """It is caught up no longer, and goes on from a cursor of its own."""
        if subscriber.group is not None and subscriber.group.members.pop(subscriber, None) is not None:
            subscriber.cursor = self.ring.sent

"""The periodic look at every connection: heartbeats, pings, and the end of those that do not answer or move.

No timer per connection: a wheel of slots is turned, one slot at a time, so that 10,000 heartbeats are spread out
instead of leaving in one burst.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rmos.clock import Clock
from rmos.hub.subscriber import Subscriber
from rmos.protocol.close_codes import CloseCode
from rmos.protocol.messages import system_frame

if TYPE_CHECKING:
    from rmos.hub.hub import Hub

_SLOTS: Final = 16
_VISITS_PER_PERIOD: Final = 4
"""How often a connection is looked at within the shortest period, so that none is late by more than a quarter."""


@dataclass(frozen=True, slots=True)
class Periods:
    """Seconds, as in the settings of the same names."""

    heartbeat_s: float
    ping_interval_s: float
    ping_timeout_s: float
    stall_timeout_s: float

    @property
    def shortest(self) -> float:
        """The shortest of them."""
        return min(self.heartbeat_s, self.ping_interval_s, self.ping_timeout_s, self.stall_timeout_s)


class Sweep:
    """Visits every subscriber several times a period."""

    def __init__(self, hub: Hub, periods: Periods, clock: Clock) -> None:
        self._hub = hub
        self._periods = periods
        self._clock = clock
        self._slots: list[set[Subscriber]] = [set() for _ in range(_SLOTS)]

    def add(self, subscriber: Subscriber) -> None:
        """Visit it from now on."""
        min(self._slots, key=len).add(subscriber)

    def discard(self, subscriber: Subscriber) -> None:
        """Do not visit it any more."""
        for slot in self._slots:
            slot.discard(subscriber)

    async def run(self) -> None:
        """Turn the wheel until cancelled."""
        turn_s = self._periods.shortest / _VISITS_PER_PERIOD / _SLOTS
        while True:
            for slot in self._slots:
                await asyncio.sleep(turn_s)
                now = asyncio.get_running_loop().time()
                for subscriber in tuple(slot):
                    self._visit(subscriber, now)

    def _visit(self, subscriber: Subscriber, now: float) -> None:
        if subscriber.is_paused:
            self._check_progress(subscriber, now)
            return
        if subscriber.session.is_v2 and now - subscriber.beat_at >= self._periods.heartbeat_s:
            subscriber.beat_at = now
            self._hub.send(subscriber, self._heartbeat(subscriber))
        self._check_alive(subscriber, now)

    def _check_progress(self, subscriber: Subscriber, now: float) -> None:
        unsent = subscriber.sink.unsent_bytes
        if unsent < subscriber.unsent_bytes:
            subscriber.moved_at = now
        subscriber.unsent_bytes = unsent
        if now - subscriber.moved_at >= self._periods.stall_timeout_s:
            self._hub.close(subscriber, CloseCode.TOO_SLOW)

    def _check_alive(self, subscriber: Subscriber, now: float) -> None:
        if subscriber.pinged_at is not None:
            if now - subscriber.pinged_at >= self._periods.ping_timeout_s:
                self._hub.close(subscriber, CloseCode.NO_PONG)
        elif now - subscriber.heard_at >= self._periods.ping_interval_s and subscriber.sink.ping():
            subscriber.pinged_at = now

    def _heartbeat(self, subscriber: Subscriber) -> bytes:
        """Proves that the line is alive, and moves the cursor of a narrow filter on."""
        reached = self._hub.reached(subscriber)
        lag = self._hub.head - reached
        return system_frame("heartbeat", {"offset": reached, "lag": lag, "time": self._clock()})

"""Events that are ready: in memory as objects, neither encoded nor framed."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from benchmarks import events
from rmos.clock import Timestamp
from rmos.domain.events import ACTOR_SYSTEM, Event
from rmos.domain.filters import EventFilter
from rmos.eventlog.base import PAGE_BYTES, PAGE_EVENTS, LastEvents, LogHead, StatePage


def ready_event(number: int) -> Event:
    """Event `number` as the log would give it."""
    return Event(
        type=f"{events.category_of(number)}:{events.NAME}",
        data=events.data_of(number),
        timestamp=events.TIMESTAMP,
        channels=events.CHANNELS,
        actor=ACTOR_SYSTEM,
        offset=number,
    )


class ReadyLog:
    """An event log that is only as long as what its one reader has not taken yet."""

    def __init__(self) -> None:
        self._events: deque[Event] = deque()
        self._head = 0

    def extend(self, new: Iterable[Event]) -> None:
        """Append events with the offsets that follow."""
        self._events.extend(new)
        self._head = self._events[-1].offset

    async def head(self) -> LogHead:
        """Where it stands; everything before is gone."""
        return LogHead("k3f9q2", self._head, self._head + 1 - len(self._events))

    async def read(self, after: int, *, limit: int = PAGE_EVENTS, max_bytes: int = PAGE_BYTES) -> list[Event]:
        """What follows; `max_bytes` is left to the size of the batches."""
        while self._events and self._events[0].offset <= after:
            self._events.popleft()
        return list(self._events)[:limit]

    async def read_matching(
        self,
        after: int,
        wanted: EventFilter,
        *,
        limit: int,
        upto: int | None = None,
        max_bytes: int | None = None,
    ) -> list[Event]:
        """No benchmark pages through it."""
        raise NotImplementedError

    async def last_matching(self, count: int, wanted: EventFilter) -> LastEvents:
        """No benchmark asks for a replay of it."""
        raise NotImplementedError

    async def time_of(self, offset: int) -> Timestamp | None:
        """No benchmark looks back."""
        raise NotImplementedError

    async def state(
        self, at: int, wanted: EventFilter, *, after: str = "", limit: int, max_bytes: int = PAGE_BYTES
    ) -> StatePage:
        """No benchmark looks back."""
        raise NotImplementedError

    async def offset_before(self, time: Timestamp) -> int:
        """Nor for one from a time on."""
        raise NotImplementedError

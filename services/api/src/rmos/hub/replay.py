"""A stretch of the log once more, at a speed: what happened in a shift within a minute.

Rule 1: the live stream of the client goes on beside it, untouched; replayed frames are marked.
Rule 2: one page of events is held, and written only when the client has room.
Rule 3: an event is due when as much time has passed, times the speed, as there was between it and the start. Pausing,
        another speed and another place begin the reckoning anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, Literal, Protocol, TypeAlias

from rmos.clock import Timestamp, from_timestamp, to_timestamp
from rmos.domain.events import Event
from rmos.domain.filters import EventFilter
from rmos.errors import ExpiredError
from rmos.eventlog.base import EventLog
from rmos.hub.paging import Rooms
from rmos.hub.subscriber import Subscriber
from rmos.protocol.messages import replay_frame, replayed_frame

PAGE_EVENTS: Final = 64
PAGE_BYTES: Final = 64 * 1024
LONG_WAIT_S: Final = 10.0
"""A wait for the next event of at least so long is told, so that a screen can show what it waits for."""

ReplayState: TypeAlias = Literal["playing", "paused", "finished", "stopped"]


class Pace(Protocol):
    """The clock that a replay goes by, in seconds."""

    def now(self) -> float:
        """A time that only rises."""
        ...

    async def wait(self, interrupted: asyncio.Event, seconds: float) -> None:
        """Return after so many seconds, or as soon as `interrupted` is set."""
        ...


class LoopPace:
    """The clock of the event loop."""

    def now(self) -> float:
        """The loop's time."""
        return asyncio.get_running_loop().time()

    async def wait(self, interrupted: asyncio.Event, seconds: float) -> None:
        """Sleep, unless interrupted."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None if math.isinf(seconds) else seconds):
                await interrupted.wait()


class Replay:
    """One replay of one client, from its start to its end. Used from the event loop alone.

    Attributes:
        offset: Everything wanted up to here was sent.
        speed: Times real time; infinite for as fast as the client takes it.
    """

    def __init__(
        self,
        subscriber: Subscriber,
        event_log: EventLog,
        rooms: Rooms,
        reading: asyncio.Semaphore,
        pace: Pace,
        *,
        epoch: str,
        wanted: EventFilter,
        after: int,
        time: Timestamp | None,
        until: int,
        speed: float,
        is_paused: bool,
        command_id: str | None,
    ) -> None:
        """
        Args:
            reading: Held while a page is read, so that replays leave reader threads to everybody else.
            after: The offset after which to begin.
            time: When that was; None when that is not known: then the first event comes at once.
            until: The last offset.
            command_id: Of the command that started it.
        """
        self.offset = after
        self.speed = speed
        self._subscriber = subscriber
        self._log = event_log
        self._rooms = rooms
        self._reading = reading
        self._pace = pace
        self._epoch = epoch
        self._wanted = wanted
        self._until = until
        self._state: ReplayState = "paused" if is_paused else "playing"
        self._command_id = command_id
        self._changed = asyncio.Event()
        self._has_moved = False
        self._announced = -1
        self._since = pace.now()
        self._then = None if time is None else _seconds(time)

    # --- what commands do -------------------------------------------------------------------------------------

    def pause(self, is_paused: bool) -> None:
        """Stand still, or go on."""
        self._reckon_anew()
        self._state = "paused" if is_paused else "playing"
        self._changed.set()

    def set_speed(self, speed: float) -> None:
        """Go on at another speed."""
        self._reckon_anew()
        self.speed = speed
        self._changed.set()

    def seek(self, offset: int, time: Timestamp | None) -> None:
        """Go on after this offset, of that time, forwards or backwards."""
        self.offset = min(offset, self._until)
        self._since = self._pace.now()
        self._then = None if time is None else _seconds(time)
        self._announced = -1
        self._has_moved = True
        self._changed.set()

    def tell(self, state: ReplayState | None = None, *, command_id: str | None = None, wait_s: float = 0) -> None:
        """Tell the client where it stands: the state it is in, or the one that ends it."""
        now = self._now()
        self._subscriber.write(
            replay_frame(
                state or self._state,
                offset=self.offset,
                to=self._until,
                time=None if now is None else to_timestamp(datetime.fromtimestamp(now, UTC)),
                speed=self.speed,
                wait_s=wait_s,
                command_id=command_id or self._command_id,
            )
        )

    # --- playing ----------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Play to the end.

        Raises:
            ExpiredError: retention was faster.
            StorageError: the log cannot be read just now.
        """
        while not self._subscriber.is_closed:
            if self._state == "paused":
                await self._wait(math.inf)
                continue
            if self.offset >= self._until:
                return
            self._has_moved = False
            page = await self._read()
            if self._has_moved:
                continue
            if page:
                await self._play(page)
            else:
                self.offset = self._until

    async def _read(self) -> list[Event]:
        after = self.offset
        async with self._reading:
            page = await self._log.read_matching(
                after, self._wanted, limit=PAGE_EVENTS, upto=self._until, max_bytes=PAGE_BYTES
            )
            oldest = (await self._log.head()).oldest
        if after < oldest - 1:
            raise ExpiredError(f"the events after {after} are no longer kept")
        return page

    async def _play(self, page: Sequence[Event]) -> None:
        """Send the events as they become due, until the page ends or a command changes the course."""
        place = 0
        while place < len(page) and self._is_on_course:
            due = self._due_in_s(page[place])
            if due > 0:
                if due >= LONG_WAIT_S and self._announced != page[place].offset:
                    self._announced = page[place].offset
                    self.tell(wait_s=due)
                await self._wait(due)
                continue
            stop = place + 1
            while stop < len(page) and self._due_in_s(page[stop]) <= 0:
                stop += 1
            if not await self._rooms.wait(self._subscriber):
                return
            if self._is_on_course:
                self._send(page[place:stop])
                place = stop
                await asyncio.sleep(0)  # live events and requests get their turn

    @property
    def _is_on_course(self) -> bool:
        """Whether what was read is still what comes next."""
        return self._state == "playing" and not self._has_moved

    def _send(self, events: Sequence[Event]) -> None:
        encode = self._subscriber.form.encode
        self._subscriber.sink.transport.write(
            b"".join([encode(replayed_frame(event, self._epoch)) for event in events])
        )
        self.offset = events[-1].offset
        if math.isinf(self.speed):
            self._then = _seconds(events[-1].timestamp)

    async def _wait(self, seconds: float) -> None:
        self._changed.clear()
        await self._pace.wait(self._changed, seconds)

    # --- the reckoning: at `_since` on our clock it was `_then` in the log -------------------------------------

    def _due_in_s(self, event: Event) -> float:
        """Seconds until this event is due; not above 0 when it is."""
        happened = _seconds(event.timestamp)
        if self._then is None:
            self._then = happened
        return self._since + (happened - self._then) / self.speed - self._pace.now()

    def _now(self) -> float | None:
        """The time in the log that is reached, in seconds since 1970; None when no event has told it yet."""
        if self._then is None or self._state == "paused" or math.isinf(self.speed):
            return self._then
        return self._then + (self._pace.now() - self._since) * self.speed

    def _reckon_anew(self) -> None:
        self._then, self._since = self._now(), self._pace.now()
        self._announced = -1


def _seconds(time: Timestamp) -> float:
    return from_timestamp(time).timestamp()

"""Long answers: pages of the state, each written when the client has room for it.

Rule: an answer holds one page at a time, however much there is to tell, and a client that takes nothing gets nothing
more; the sweep closes it when that lasts.
"""

from __future__ import annotations

import asyncio
from typing import Final

from rmos.clock import Timestamp
from rmos.domain.cursor import Cursor
from rmos.domain.filters import EventFilter
from rmos.eventlog.base import EventLog
from rmos.hub.subscriber import Subscriber
from rmos.protocol.messages import snapshot_frame

PAGE_ENTITIES: Final = 500


class Rooms:
    """Lets work for a client wait until its transport has room. Used from the event loop alone."""

    def __init__(self) -> None:
        self._changed: dict[Subscriber, asyncio.Event] = {}

    async def wait(self, subscriber: Subscriber) -> bool:
        """Return as soon as it can be written to: True; or when it is gone: False."""
        while subscriber.is_paused and not subscriber.is_closed:
            await self._changed.setdefault(subscriber, asyncio.Event()).wait()
        return not subscriber.is_closed

    def changed(self, subscriber: Subscriber) -> None:
        """Its transport has room again, or it is gone."""
        waiting = self._changed.pop(subscriber, None)
        if waiting is not None:
            waiting.set()


class StatePages:
    """The state at one place, page by page, as frames for one client.

    Args:
        reading: Held while a page is read, so that long answers leave reader threads to everybody else.
        at: The place; `time` is when the event there happened, None when the log does not hold it.
    """

    def __init__(
        self,
        event_log: EventLog,
        reading: asyncio.Semaphore,
        wanted: EventFilter,
        *,
        at: Cursor,
        time: Timestamp | None,
        command_id: str | None,
    ) -> None:
        self._log = event_log
        self._reading = reading
        self._wanted = wanted
        self._at = at
        self._time = time
        self._command_id = command_id
        self._after: str | None = ""

    @property
    def is_over(self) -> bool:
        """Whether the last page was read."""
        return self._after is None

    async def next_frame(self) -> bytes:
        """Read the next page that has anything, or is the last.

        Raises:
            ExpiredError: retention has passed the place.
            StorageError: the log cannot be read just now.
        """
        while True:
            async with self._reading:
                page = await self._log.state(
                    self._at.offset, self._wanted, after=self._after or "", limit=PAGE_ENTITIES
                )
            self._after = page.next
            if page.entities or page.next is None:
                return snapshot_frame(
                    self._at, self._time, page.documents, command_id=self._command_id, is_last=page.next is None
                )

    async def send_rest(self, subscriber: Subscriber, rooms: Rooms) -> None:
        """Write every further page to the client, as it takes them.

        Raises:
            ExpiredError, StorageError: as `next_frame`.
        """
        while not self.is_over and await rooms.wait(subscriber):
            frame = await self.next_frame()
            if not subscriber.is_closed:
                subscriber.write(frame)

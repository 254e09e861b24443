"""The entities as they are, for who begins with them: page by page, then what happened since.

Rule 1: all pages tell of one place of the log, whatever is written meanwhile; the events after it follow the last page.
Rule 2: a page is read when the client has taken the one before. Nobody holds more than one, and no read transaction
        outlives its page.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Final

from rmos.domain.cursor import Cursor
from rmos.errors import ExpiredError, StorageError
from rmos.eventlog.base import EventLog
from rmos.hub.paging import Rooms, StatePages
from rmos.hub.subscriber import Subscriber
from rmos.protocol.commands import Subscribe

log = logging.getLogger(__name__)

_RETRY_S: Final = 0.5


class Filling:
    """Brings the rest of their snapshots to subscribers that are held meanwhile. Used from the event loop alone."""

    def __init__(
        self,
        event_log: EventLog,
        *,
        background: Callable[[Coroutine[None, None, None]], asyncio.Task[None]],
        on_filled: Callable[[Subscriber], None],
        on_expired: Callable[[Subscriber], None],
    ) -> None:
        """
        Args:
            background: Runs work beside the hub's own.
            on_filled: Called with a subscriber that has got its last page.
            on_expired: Called with one whose place the log no longer knows.
        """
        self._log = event_log
        self._background = background
        self._on_filled = on_filled
        self._on_expired = on_expired
        self._rooms = Rooms()
        self._reading = asyncio.Semaphore(1)
        self._tasks: dict[Subscriber, asyncio.Task[None]] = {}

    async def begin(self, command: Subscribe, at: Cursor) -> tuple[StatePages, bytes]:
        """The pages of a snapshot at this place, and the frame of the first.

        Raises:
            ExpiredError, StorageError: as `StatePages.next_frame`.
        """
        time = await self._log.time_of(at.offset)
        pages = StatePages(self._log, self._reading, command.wanted, at=at, time=time, command_id=command.id)
        return pages, await pages.next_frame()

    def go_on(self, subscriber: Subscriber, pages: StatePages) -> None:
        """Send the pages behind the first."""
        self._tasks[subscriber] = self._background(self._send_rest(subscriber, pages))

    def resumed(self, subscriber: Subscriber) -> None:
        """Its transport has room again."""
        self._rooms.changed(subscriber)

    def stop(self, subscriber: Subscriber) -> None:
        """It is gone, or subscribes to something else."""
        task = self._tasks.pop(subscriber, None)
        if task is not None:
            task.cancel()
            self._rooms.changed(subscriber)

    async def _send_rest(self, subscriber: Subscriber, pages: StatePages) -> None:
        while not pages.is_over and await self._rooms.wait(subscriber):
            try:
                frame = await pages.next_frame()
            except ExpiredError:
                self._on_expired(subscriber)
                return
            except StorageError:
                log.exception("reading a snapshot failed and is tried again", extra={"client": subscriber.id})
                await asyncio.sleep(_RETRY_S)
                continue
            if not subscriber.is_closed:
                subscriber.write(frame)
        self._tasks.pop(subscriber, None)
        if not subscriber.is_closed:
            self._on_filled(subscriber)

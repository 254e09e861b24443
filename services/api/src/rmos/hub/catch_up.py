"""Pages of the log for subscribers that fell off the ring.

One page at a time is read, whoever waits; the newest few are remembered, so that a crowd which lags together
costs one read. A page is encoded once a form, as in the ring.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, NamedTuple

from rmos.errors import StorageError
from rmos.eventlog.base import EventLog
from rmos.hub.ring import Entry, make_entry
from rmos.hub.subscriber import Subscriber

log = logging.getLogger(__name__)

_REMEMBERED_PAGES: Final = 16
_RETRY_S: Final = 0.5


class LogPage(NamedTuple):
    """Events in a row. `first` is the offset of the first one; None when nothing follows."""

    first: int | None
    entries: list[Entry]


class CatchUp:
    """Reads pages for whoever asks, one after the other."""

    def __init__(self, event_log: EventLog, *, epoch: str, deliver: Callable[[Subscriber, LogPage], None]) -> None:
        self._log = event_log
        self._epoch = epoch
        self._deliver = deliver
        self._waiting: OrderedDict[Subscriber, None] = OrderedDict()
        self._pages: OrderedDict[int, LogPage] = OrderedDict()
        self._asked = asyncio.Event()

    def ask(self, subscriber: Subscriber) -> None:
        """Have the page after the subscriber's cursor delivered to it."""
        self._waiting[subscriber] = None
        self._asked.set()

    def forget(self, subscriber: Subscriber) -> None:
        """It is gone, or no longer wants the page."""
        self._waiting.pop(subscriber, None)

    async def run(self) -> None:
        """Serve until cancelled."""
        while True:
            await self._asked.wait()
            while self._waiting:
                subscriber = next(iter(self._waiting))
                cursor = subscriber.cursor
                try:
                    page = await self._page(cursor)
                except StorageError:
                    log.exception("reading the log failed and is tried again", extra={"after": cursor})
                    await asyncio.sleep(_RETRY_S)
                    continue
                if subscriber in self._waiting and subscriber.cursor == cursor:
                    del self._waiting[subscriber]
                    self._deliver(subscriber, page)
            self._asked.clear()

    async def _page(self, after: int) -> LogPage:
        remembered = self._pages.get(after)
        if remembered is not None:
            await asyncio.sleep(0)  # one page a turn of the loop: live events and requests get theirs in between
            return remembered
        events = await self._log.read(after)
        page = LogPage(events[0].offset if events else None, [make_entry(event, self._epoch) for event in events])
        if events:
            self._pages[after] = page
            if len(self._pages) > _REMEMBERED_PAGES:
                self._pages.popitem(last=False)
        return page

"""The reading side of the event log. Writing happens only through a transaction (`stores.base.Transaction.append`).

Guarantees of every implementation, held by one contract suite:
    1. Offsets are dense (1, 2, 3, …) and in commit order within one epoch.
    2. `read` never skips: if it returns offset n + 1 after n, nothing will ever appear between them.
    3. An event is visible exactly when its change is.
    4. The epoch survives restarts; it changes only when the log was recreated, restored or rolled back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from rmos.domain.events import Event
from rmos.domain.filters import EventFilter

PAGE_EVENTS: Final = 500
PAGE_BYTES: Final = 256 * 1024
"""A page of the log ends at whichever comes first, so catching up costs little memory whatever the size of events."""


@dataclass(frozen=True, slots=True)
class LogHead:
    """Where the log stands.

    Attributes:
        epoch: Name of this life of the log.
        offset: Newest offset; 0 when nothing was ever written.
        oldest: Smallest offset still kept; `offset + 1` when none is.
    """

    epoch: str
    offset: int
    oldest: int


class EventLog(Protocol):
    """Reads of the log. Every method may be called concurrently from the event loop, and never blocks it."""

    async def head(self) -> LogHead:
        """Where the log stands now, read from the database."""
        ...

    async def read(self, after: int, *, limit: int = PAGE_EVENTS, max_bytes: int = PAGE_BYTES) -> list[Event]:
        """Events with offset > `after`, oldest first: at most `limit`, and no more once their data passes `max_bytes`.

        At least one event is returned if there is one. An `after` below retention starts at the oldest kept event.
        """
        ...

    async def read_matching(self, after: int, wanted: EventFilter, *, limit: int) -> list[Event]:
        """As `read`, but only events that match the filter; used by the log pages."""
        ...

    async def offset_of_last(self, count: int, wanted: EventFilter) -> int:
        """The `after` from which exactly the `count` newest matching events follow (fewer where there are fewer)."""
        ...

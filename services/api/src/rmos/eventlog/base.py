"""The reading side of the event log. Writing happens only through a transaction (`stores.base.Transaction.append`).

Guarantees of every implementation, held by one contract suite:
    1. Offsets are dense (1, 2, 3, …) and in commit order within one epoch.
    2. `read` never skips: if it returns offset n + 1 after n, nothing will ever appear between them.
    3. An event is visible exactly when its change is.
    4. The epoch survives restarts; it changes only when the log was recreated, restored or rolled back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, NamedTuple, Protocol

from rmos.clock import Timestamp
from rmos.domain.entities import KINDS
from rmos.domain.events import Event
from rmos.domain.filters import EventFilter

PAGE_EVENTS: Final = 1000
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


class EntityThen(NamedTuple):
    """An entity as it was at some offset.

    Attributes:
        offset: The event that made it so.
        timestamp: When that was.
        data: The document, the very bytes that were stored.
    """

    key: str
    version: int
    offset: int
    timestamp: Timestamp
    data: bytes

    @property
    def category(self) -> str:
        """The part of the key before the slash."""
        return self.key.partition("/")[0]


class StatePage(NamedTuple):
    """Entities in order of their keys, and the key after which the next page begins; None when this is the last."""

    entities: list[EntityThen]
    next: str | None

    @property
    def documents(self) -> dict[str, list[bytes]]:
        """The documents by plural name of their kind; every kind is there."""
        return {
            kind.plural: [entity.data for entity in self.entities if entity.category == kind.category] for kind in KINDS
        }


@dataclass(frozen=True, slots=True)
class LastEvents:
    """The newest matching events: they follow `after`, and there are `count` of them."""

    after: int
    count: int


CLOCK_SLACK: Final = timedelta(hours=1)
"""How far the clock of the server may have been set back for a search by time to be exact."""


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

    async def read_matching(
        self,
        after: int,
        wanted: EventFilter,
        *,
        limit: int,
        upto: int | None = None,
        max_bytes: int | None = None,
    ) -> list[Event]:
        """As `read`, but only events that match the filter; used by the log pages and replays.

        Args:
            upto: The last offset to look at; None for the head.
            max_bytes: As in `read`; None for no limit.
        """
        ...

    async def last_matching(self, count: int, wanted: EventFilter) -> LastEvents:
        """Where the `count` newest matching events are (fewer where there are fewer; none follow the head)."""
        ...

    async def offset_before(self, time: Timestamp) -> int:
        """The offset after which the first event comes that is not older than this time; the head if there is none.

        Nothing at or after the time is before it, although a clock may be set back: timestamps are taken to rise with
        the offsets but for steps back of at most `CLOCK_SLACK`. Costs the logarithm of the log's length, and a look
        at the events of that slack.
        """
        ...

    async def time_of(self, offset: int) -> Timestamp | None:
        """When this event happened; None when the log does not hold it."""
        ...

    async def state(
        self, at: int, wanted: EventFilter, *, after: str = "", limit: int, max_bytes: int = PAGE_BYTES
    ) -> StatePage:
        """The entities with keys above `after`, as they were at offset `at`, in order of their keys.

        A page has at most `limit` entities and, from the second on, no more than `max_bytes` of documents. It may have
        fewer, or none, though another page follows. Types of the filter are passed over: an entity is none.

        Raises:
            ExpiredError: the log no longer knows how things were then.
        """
        ...

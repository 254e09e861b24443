"""The shop as it was at a place of the log, in pages that stay what they are while others write."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Final

import orjson

from rmos.clock import Timestamp
from rmos.domain.cursor import Cursor, Place
from rmos.domain.filters import EventFilter
from rmos.errors import InvalidError
from rmos.eventlog.base import EventLog, StatePage
from rmos.eventlog.places import locate

PAGE_BYTES: Final = 1024 * 1024
"""Documents in one answer, unless the first one is larger."""


@dataclass(frozen=True, slots=True)
class Bookmark:
    """Where a page ended: the place of the whole state, and the last key that was looked at."""

    at: Cursor
    key: str

    def __str__(self) -> str:
        return base64.urlsafe_b64encode(orjson.dumps([str(self.at), self.key])).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str) -> Bookmark:
        """The bookmark of an `after`.

        Raises:
            InvalidError: malformed.
        """
        try:
            padded = text.encode("ascii") + b"=" * (-len(text) % 4)
            at, key = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
            if isinstance(at, str) and isinstance(key, str):
                return cls(Cursor.parse(at), key)
        except (ValueError, TypeError, InvalidError):
            pass
        raise InvalidError.at("/after", "malformed; take it from the page before")


@dataclass(frozen=True, slots=True)
class PastState:
    """One page of the state at a place.

    Attributes:
        time: When the newest event up to the place happened; None when there is none, or it is no longer kept.
        next: Where the next page begins; None when this is the last.
    """

    at: Cursor
    time: Timestamp | None
    page: StatePage
    next: Bookmark | None


async def state_at(
    event_log: EventLog, at: Place | None, wanted: EventFilter, *, after: Bookmark | None, limit: int, now: Timestamp
) -> PastState:
    """One page of the entities as they were.

    Args:
        at: The place; None for the head.
        after: Where the page before ended. It names the place too, which beats `at`.

    Raises:
        ConflictError, ExpiredError, InvalidError: as `eventlog.places.locate`.
    """
    found = await locate(event_log, after.at if after else at, now=now, pointer="/after" if after else "/at")
    page = await event_log.state(
        found.offset, wanted, after=after.key if after else "", limit=limit, max_bytes=PAGE_BYTES
    )
    following = None if page.next is None else Bookmark(found.cursor, page.next)
    return PastState(found.cursor, await event_log.time_of(found.offset), page, following)

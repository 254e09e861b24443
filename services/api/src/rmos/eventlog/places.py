"""From a place as people name it, a cursor or a time, to an offset of the log."""

from __future__ import annotations

from typing import Final, NamedTuple

from rmos.clock import Timestamp, add_seconds
from rmos.domain.cursor import Cursor, Place
from rmos.errors import ConflictError, ExpiredError, InvalidError
from rmos.eventlog.base import EventLog, LogHead

_RESOLUTION_S: Final = 0.001
"""Of timestamps."""


class Located(NamedTuple):
    """An offset from which the log can tell, and where the log stood when that was found."""

    offset: int
    head: LogHead

    @property
    def cursor(self) -> Cursor:
        """The offset as a cursor."""
        return Cursor(self.head.epoch, self.offset)


async def locate(event_log: EventLog, place: Place | None, *, now: Timestamp, pointer: str) -> Located:
    """The offset of a place: of a time, the newest event that is not later. None is the head.

    Args:
        now: The present time.
        pointer: Where the place came from, for the error.

    Raises:
        ConflictError: a cursor of another epoch.
        ExpiredError: before what the log can still tell of.
        InvalidError: beyond the head, or in the future.
    """
    head = await event_log.head()
    match place:
        case None:
            return Located(head.offset, head)
        case Cursor(epoch, offset):
            if epoch != head.epoch:
                raise ConflictError(f"cursor {place} is of another log, this one is {head.epoch!r}; begin again")
            if offset > head.offset:
                raise InvalidError.at(pointer, f"cursor {place} is ahead of the log, which ends at {head.offset}")
        case _:
            if place > now:
                raise InvalidError.at(pointer, f"{place} is in the future")
            offset = await event_log.offset_before(add_seconds(place, _RESOLUTION_S))
            if offset == head.oldest - 1 > 0:  # whether the event there was later than the time is no longer known
                raise _expired(place, head)
    if offset < head.oldest - 1:
        raise _expired(place, head)
    return Located(offset, head)


def _expired(place: Place, head: LogHead) -> ExpiredError:
    oldest = Cursor(head.epoch, head.oldest - 1)
    return ExpiredError(f"{place} is before what the log still tells of; the oldest possible place is {oldest}")

"""Where a subscription begins: by a cursor, a number of events, a time, a snapshot, or now.

Rule 1: what cannot be brought in full is said, with the reason, and never guessed.
Rule 2: a start is judged by one look at the head of the log.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rmos.domain.cursor import Cursor
from rmos.eventlog.base import EventLog, LogHead
from rmos.hub.filling import Filling
from rmos.hub.paging import StatePages
from rmos.protocol.commands import CommandError, FromTime, Last, Since, Snapshot, Subscribe

TOO_FAR: Final = "too_far"
"""The reason of a start that lies further back than the log goes, which begins where it can."""
_REFUSALS: Final = {
    "epoch_changed": "the cursor is of another log: it was recreated or restored since; subscribe without since",
    "future_cursor": "the log does not reach as far as the cursor; subscribe without since",
    "expired": "the log no longer keeps what follows the cursor; subscribe without since",
    TOO_FAR: "the log does not go back that far; ask for less, or without strict for what there is",
}
"""What a strict subscriber is told, by the reason for which it would get less than it asked for."""


@dataclass(frozen=True, slots=True)
class Begin:
    """Where a subscription begins.

    Attributes:
        after: The offset after which events are sent; None for those from now on.
        reason: Why that is less than was asked for; None when it is not.
        missed_after: The offset after which events were asked for that will not come; None when none is known of.
        snapshot: The state at `after`, which comes first: its pages, and the frame of the first.
    """

    after: int | None
    reason: str | None = None
    missed_after: int | None = None
    snapshot: tuple[StatePages, bytes] | None = None

    def refusal(self, command: Subscribe) -> CommandError | None:
        """Why a strict subscriber does not begin here; None when it does."""
        if self.reason is None or not command.is_strict:
            return None
        return CommandError(self.reason, _REFUSALS[self.reason], command.id)


LIVE: Final = Begin(None)


async def find_begin(command: Subscribe, head: LogHead, event_log: EventLog, filling: Filling) -> Begin:
    """Where the subscription begins in a log that stands at `head`.

    Raises:
        StorageError: the log cannot be read.
        ExpiredError: the log was shortened beyond the snapshot while that was read.
    """
    is_cut = head.oldest > 1
    match command.start:
        case None:
            return LIVE
        case Snapshot():
            at = Cursor(head.epoch, head.offset)
            return Begin(head.offset, snapshot=await filling.begin(command, at))
        case Since(cursor) if cursor.epoch != head.epoch:
            return Begin(None, "epoch_changed", missed_after=0)
        case Since(cursor) if cursor.offset > head.offset:
            return Begin(None, "future_cursor")
        case Since(cursor) if cursor.offset < head.oldest - 1:
            return Begin(None, "expired", missed_after=cursor.offset)
        case Since(cursor):
            return Begin(cursor.offset)
        case Last(count):
            found = await event_log.last_matching(count, command.wanted)
            return Begin(found.after, TOO_FAR if is_cut and found.count < count else None)
        case FromTime(time):
            after = await event_log.offset_before(time)
            return Begin(after, TOO_FAR if is_cut and after < head.oldest else None)

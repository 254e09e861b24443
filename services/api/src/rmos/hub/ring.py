"""In-memory ring of the newest events, encoded and framed, ready for every socket.

Rule 1: one writer (the tailer), many readers; all on the event loop, so nothing is locked.
Rule 2: an event is encoded once; every subscriber is sent the same bytes.
Rule 3: offsets in the ring are dense. Bounded by events and by bytes; what falls out is read from the log instead.
Rule 4: what the groups were not yet given is never dropped; the tailer stops reading before it would have to be.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from rmos.domain.events import Event
from rmos.domain.filters import BIT, EVERYTHING, EventFilter
from rmos.protocol.frames import text_frame
from rmos.protocol.messages import event_frame

BLOCK_EVENTS: Final = 128
"""Most events in one write: about 50 KiB of usual ones, below the 64 KiB at which a transport counts as full."""
BLOCK_BYTES: Final = 256 * 1024
"""Most bytes in one write, unless a single event is larger; bounds what a stalled client can hold."""
RING_BYTES: Final = 64 * 1024 * 1024
"""Most bytes the ring keeps, whatever the number of events."""
_REMEMBERED_BLOCKS: Final = 64


class Entry(NamedTuple):
    """One event in the ring: its frame, the bit of its category, and where it is heard."""

    frame: bytes
    bit: int
    category: str
    channels: Sequence[str]


def make_entry(event: Event, epoch: str) -> Entry:
    """Encode and frame an event."""
    category = event.category.value
    return Entry(text_frame(event_frame(event, epoch)), BIT[category], category, event.channels)


def join_matching(entries: Sequence[Entry], wanted: EventFilter) -> bytes:
    """The frames that the filter lets through, as one buffer."""
    if wanted.channels is not None:
        return b"".join([entry.frame for entry in entries if wanted.matches(entry.category, entry.channels)])
    if wanted.mask == EVERYTHING:
        return b"".join([entry.frame for entry in entries])
    mask = wanted.mask
    return b"".join([entry.frame for entry in entries if entry.bit & mask])


class Ring:
    """The events with offsets `oldest` to `head`.

    Attributes:
        sent: Everything up to this offset was given to every group; moved by the hub.
    """

    def __init__(self, *, capacity: int, head: int) -> None:
        self._entries: list[Entry | None] = [None] * capacity
        self._capacity = capacity
        self._bytes = 0
        self._blocks: dict[tuple[int, EventFilter], tuple[bytes, int]] = {}
        self.head = self.sent = head
        self.oldest = head + 1

    @property
    def capacity(self) -> int:
        """Most events it can hold."""
        return self._capacity

    @property
    def unsent(self) -> int:
        """Number of events that the groups were not yet given."""
        return self.head - self.sent

    @property
    def is_over_bytes(self) -> bool:
        """Whether it holds more bytes than it should, because too much is unsent."""
        return self._bytes > RING_BYTES

    def append(self, entry: Entry) -> None:
        """Add the event with offset `head + 1`, and drop the oldest ones over the bounds."""
        self.head += 1
        if self.head - self.oldest >= self._capacity:
            self._drop_oldest()
        self._entries[self.head % self._capacity] = entry
        self._bytes += len(entry.frame)
        while self._bytes > RING_BYTES and self.oldest <= self.sent:
            self._drop_oldest()

    def restart(self, head: int) -> None:
        """Forget everything; the next event is the one after `head`."""
        self._entries = [None] * self._capacity
        self._blocks.clear()
        self._bytes = 0
        self.head = self.sent = head
        self.oldest = head + 1

    def holds_after(self, cursor: int) -> bool:
        """Whether every event after `cursor` is still in the ring."""
        return cursor >= self.oldest - 1

    def entries(self, after: int, upto: int) -> list[Entry]:
        """The events with `after` < offset <= `upto`, which the ring must hold."""
        start, stop = (after + 1) % self._capacity, (upto + 1) % self._capacity
        if after >= upto:
            return []
        found = self._entries[start:stop] if start < stop else self._entries[start:] + self._entries[:stop]
        return found  # type: ignore[return-value]  # between oldest and head no place is empty

    def block_end(self, after: int, upto: int) -> int:
        """The last offset of the next write after `after`, at most `upto`.

        Blocks end at multiples of `BLOCK_EVENTS`, so that subscribers catching up from different places soon
        share the same blocks.
        """
        stop = min(after - after % BLOCK_EVENTS + BLOCK_EVENTS, upto)
        size = 0
        for offset, entry in enumerate(self.entries(after, stop), start=after + 1):
            size += len(entry.frame)
            if size > BLOCK_BYTES and offset > after + 1:
                return offset - 1
        return stop

    def block(self, after: int, upto: int, wanted: EventFilter) -> tuple[bytes, int]:
        """The next write for a filter, and the offset up to which it goes.

        Blocks that nothing can still be added to are remembered: a crowd that fell behind together shares one
        buffer instead of building, and holding, one each.
        """
        key = (after, wanted)
        remembered = self._blocks.get(key)
        if remembered is not None and remembered[1] <= upto:
            return remembered
        stop = self.block_end(after, upto)
        block = (join_matching(self.entries(after, stop), wanted), stop)
        if stop < upto:
            if len(self._blocks) >= _REMEMBERED_BLOCKS:
                del self._blocks[next(iter(self._blocks))]
            self._blocks[key] = block
        return block

    def _drop_oldest(self) -> None:
        place = self.oldest % self._capacity
        entry = self._entries[place]
        if entry is not None:
            self._bytes -= len(entry.frame)
        self._entries[place] = None
        self.oldest += 1

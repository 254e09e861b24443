"""In-memory ring of the newest events, encoded and framed, ready for every socket.

Rule 1: one writer (the tailer), many readers; all on the event loop, so nothing is locked.
Rule 2: an event is encoded once, and once more for each further form that somebody listens in; all who listen in a
        form are sent the same bytes.
Rule 3: offsets in the ring are dense. Bounded by events and by bytes, those of every form together; what falls out is
        read from the log instead.
Rule 4: what the groups were not yet given is never dropped; the tailer stops reading before it would have to be.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from rmos.domain.events import Event
from rmos.domain.filters import EVERYTHING, EventFilter, bit_of
from rmos.hub.conflation import conflated
from rmos.protocol.commands import Mode
from rmos.protocol.forms import TEXT_FRAMES, Form
from rmos.protocol.frames import payloads
from rmos.protocol.messages import conflated_frame, event_frame

BLOCK_EVENTS: Final = 128
"""Most events in one write: about 50 KiB of usual ones, below the 64 KiB at which a transport counts as full."""
BLOCK_BYTES: Final = 256 * 1024
"""Most bytes in one write, unless a single event is larger; bounds what a stalled client can hold."""
LATEST_EVENTS: Final = (4096, 1024, 256)
"""Numbers of events that are conflated together, the largest of which the rest fits into `BLOCK_BYTES` is taken."""
RING_BYTES: Final = 64 * 1024 * 1024
"""Most bytes the ring keeps, whatever the number of events."""
_REMEMBERED_BLOCKS: Final = 64


class Entry:
    """One event in the ring.

    Attributes:
        frame: Its text frame, the form of nearly everybody.
        bit: The bit of its category.
        type: Its type.
        channels: Where it is heard.
        key: What it tells of, if anything.
        version: That of the entity it carries; None when it carries none.
        size: Bytes of all its forms together.
    """

    __slots__ = ("_others", "bit", "channels", "frame", "key", "size", "type", "version")

    def __init__(self, event: Event, frame: bytes) -> None:
        self.frame = frame
        self.bit = bit_of(event.type)
        self.type = event.type
        self.channels = event.channels
        self.key = event.key
        self.version = event.version
        self.size = len(frame)
        self._others: dict[Form, bytes] | None = None

    def encoded(self, form: Form) -> bytes:
        """The event in this form, made when it is asked for the first time."""
        if form is TEXT_FRAMES:
            return self.frame
        if self._others is None:
            self._others = {}
        encoded = self._others.get(form)
        if encoded is None:
            (payload,) = payloads(self.frame)
            encoded = self._others[form] = form.encode(payload)
            self.size += len(encoded)
        return encoded


def make_entry(event: Event, epoch: str) -> Entry:
    """Encode and frame an event."""
    return Entry(event, TEXT_FRAMES.encode(event_frame(event, epoch)))


def join_matching(entries: Sequence[Entry], wanted: EventFilter, form: Form) -> bytes:
    """The events that the filter lets through, in this form, as one buffer."""
    if form is not TEXT_FRAMES:
        return b"".join([entry.encoded(form) for entry in entries if wanted.matches(entry.type, entry.channels)])
    if not wanted.is_plain:
        return b"".join([entry.frame for entry in entries if wanted.matches(entry.type, entry.channels)])
    if wanted.mask == EVERYTHING:
        return b"".join([entry.frame for entry in entries])
    mask = wanted.mask
    return b"".join([entry.frame for entry in entries if entry.bit & mask])


class Order(NamedTuple):
    """What is written to a subscriber: which events, in which form, and whether each one or of many states the newest.

    Everybody with the same order shares one buffer.
    """

    wanted: EventFilter
    form: Form
    mode: Mode = Mode.STREAM


def write_for(order: Order, entries: Sequence[Entry], *, after: int) -> bytes:
    """The next write for this order out of all events that follow `after`.

    What is left out is said before them: a client that is cut off within the write was told in any case.
    """
    wanted, form, mode = order
    if mode is Mode.STREAM:
        return join_matching(entries, wanted, form)
    kept, left_out = conflated(entries, wanted)
    data = join_matching(kept, wanted, form)
    return form.encode(conflated_frame(after, after + len(entries), left_out)) + data if left_out else data


class Ring:
    """The events with offsets `oldest` to `head`.

    Attributes:
        sent: Everything up to this offset was given to every group; moved by `mark_sent`.
    """

    def __init__(self, *, capacity: int, head: int) -> None:
        self._entries: list[Entry | None] = [None] * capacity
        self._capacity = capacity
        self._bytes = 0
        self._blocks: dict[tuple[int, Order], tuple[bytes, int]] = {}
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
        self._bytes += entry.size
        self._shrink()

    def mark_sent(self, upto: int) -> None:
        """Every group was given the events up to this offset."""
        self.sent = upto
        self._shrink()

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

    def write_for(self, order: Order, entries: Sequence[Entry], *, after: int) -> bytes:
        """As the function, for events of this ring: it keeps what is encoded on the way."""
        if order.form is TEXT_FRAMES:
            return write_for(order, entries, after=after)
        before = sum(entry.size for entry in entries)
        data = write_for(order, entries, after=after)
        self._bytes += sum(entry.size for entry in entries) - before
        self._shrink()
        return data

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

    def block(self, after: int, upto: int, order: Order) -> tuple[bytes, int]:
        """The next write for an order, and the offset up to which it goes.

        Blocks that nothing can still be added to are remembered: a crowd that fell behind together shares one
        buffer instead of building, and holding, one each.
        """
        key = (after, order)
        remembered = self._blocks.get(key)
        if remembered is not None and remembered[1] <= upto:
            return remembered
        stop = self._latest_end(after, upto, order.wanted) if order.mode is Mode.LATEST else self.block_end(after, upto)
        block = (self.write_for(order, self.entries(after, stop), after=after), stop)
        if stop < upto:
            if len(self._blocks) >= _REMEMBERED_BLOCKS:
                del self._blocks[next(iter(self._blocks))]
            self._blocks[key] = block
        return block

    def _latest_end(self, after: int, upto: int, wanted: EventFilter) -> int:
        """As `block_end` for mode `latest`: the more events are looked at together, the less is left of them."""
        for width in LATEST_EVENTS:
            stop = min(after - after % width + width, upto)
            kept, _ = conflated(self.entries(after, stop), wanted)
            if sum(len(entry.frame) for entry in kept) <= BLOCK_BYTES:
                return stop
        return self.block_end(after, upto)

    def _shrink(self) -> None:
        """Drop the oldest events over the bound of bytes, as far as they were sent."""
        while self._bytes > RING_BYTES and self.oldest <= self.sent:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        place = self.oldest % self._capacity
        entry = self._entries[place]
        if entry is not None:
            self._bytes -= entry.size
        self._entries[place] = None
        self.oldest += 1

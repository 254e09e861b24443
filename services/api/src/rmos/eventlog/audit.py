"""Verifying the chain of the log, page by page and without I/O.

A `Walk` is fed the pages of a log, or the events of a bundle, from the oldest on. It stops at the first event that is
not what the chain says, and tells which and why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from rmos.clock import Timestamp
from rmos.domain.events import Event
from rmos.eventlog.chain import link

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Epoch:
    """One life of the log.

    Attributes:
        name: The part of a cursor before the colon.
        start: Its first offset.
        reason: What began it: `created`, `replaced: …`, `restored: …`.
    """

    name: str
    start: int
    reason: str
    time: Timestamp


@dataclass(frozen=True, slots=True)
class Ends:
    """What the log says of itself: its epoch, both of its ends, and the hash before the one and at the other."""

    epoch: str
    oldest: int
    anchor: bytes
    head: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Link:
    """An event and its stored hash."""

    event: Event
    hash: bytes

    @property
    def offset(self) -> int:
        """Where it stands."""
        return self.event.offset


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A row that no event of RMOS could have left, e.g. with a text in the place of a number."""

    offset: int
    reason: str


@dataclass(frozen=True, slots=True)
class AuditPage:
    """The next rows of the log in order, and its ends at that very moment. `is_last`: no row follows on them."""

    ends: Ends
    rows: Sequence[Link | Unreadable]
    is_last: bool


@dataclass(frozen=True, slots=True)
class Fault:
    """The first event that is not what the chain says, and why not."""

    offset: int
    reason: str


class AuditLog(Protocol):
    """The log for auditors: rows as they are, with their hashes. May be called concurrently from the event loop."""

    async def read(self, after: int | None, work: Callable[[AuditPage], T]) -> T:
        """Run `work` on the next page, on a reader's thread, and return its result.

        Args:
            after: Offset before the page; None begins with the first row there is, wherever the log says it begins.
            work: Must not wait for anything; it holds the interpreter for a few milliseconds a page.
        """
        ...

    async def ends(self) -> Ends:
        """Where the log begins and ends now."""
        ...

    async def epochs(self) -> list[Epoch]:
        """Every life of the log, oldest first."""
        ...

    async def offset_at(self, time: Timestamp) -> int:
        """The first kept offset written at `time` or later, `head + 1` when there is none.

        Found by halving, so where the clock was set back while the shop ran, it is one of several that would do.
        """
        ...


class Walk:
    """One run along the chain. `fault` is the result once `feed` or `finish` has returned True; None is a sound chain.

    Args:
        known: Offsets and hashes noted elsewhere, in order; the chain must have them too.
    """

    def __init__(self, known: Iterable[tuple[int, bytes]] = ()) -> None:
        self.fault: Fault | None = None
        self.checked = 0
        self.compared = 0
        """How many of the known hashes lay within the log and were found in it."""
        self.ends: Ends | None = None
        """Of the newest page."""
        self._known: Iterator[tuple[int, bytes]] = iter(known)
        self._next_known = next(self._known, None)
        self._expected = 0
        self._hash = b""
        self._suspect: tuple[Link, bytes] | None = None
        """An event that does not have the hash it should have. The one after it tells which of the two was changed."""

    @property
    def after(self) -> int | None:
        """The offset after which the next page is to begin; None at the beginning."""
        if self.ends is None:
            return None
        return self._expected - 1 if self._suspect is None else self._suspect[0].offset

    def feed(self, page: AuditPage) -> bool:
        """Check the next page. Whether the walk is over."""
        ends = page.ends
        if self.ends is None or (ends.oldest > self._expected and self._suspect is None):
            self._begin(ends.oldest, ends.anchor)  # at the beginning, and where retention has overtaken the walk
        self.ends = ends
        for row in page.rows:
            if self.fault is None:
                self._check(row, ends)
        if self.fault is None and page.is_last:
            self._finish(ends)
            return True
        return self.fault is not None

    def _begin(self, oldest: int, anchor: bytes) -> None:
        self._expected, self._hash = oldest, anchor
        while self._next_known is not None and self._next_known[0] < oldest - 1:
            self._next_known = next(self._known, None)
        self._compare(oldest - 1, anchor)

    def _check(self, row: Link | Unreadable, ends: Ends) -> None:
        if self._suspect is not None:
            self._settle(row)
        elif row.offset < self._expected:
            self.fault = Fault(row.offset, f"the log says that it begins at event {self._expected}")
        elif row.offset > self._expected:
            self.fault = Fault(self._expected, "it is missing")
        elif row.offset > ends.head:
            self.fault = Fault(row.offset, f"the log says that it ends at event {ends.head}")
        elif isinstance(row, Unreadable):
            self.fault = Fault(row.offset, row.reason)
        else:
            computed = link(self._hash, row.event, row.offset)
            if computed != row.hash:
                self._suspect = row, computed
            else:
                self._accept(row.offset, computed)

    def _accept(self, offset: int, event_hash: bytes) -> None:
        self._hash = event_hash
        self._expected = offset + 1
        self.checked += 1
        self._compare(offset, event_hash)

    def _compare(self, offset: int, event_hash: bytes) -> None:
        if self._next_known is not None and self._next_known[0] == offset:
            if self._next_known[1] != event_hash:
                self.fault = Fault(offset, "it is another event than the one whose hash was noted")
            self.compared += 1
            self._next_known = next(self._known, None)

    def _settle(self, after: Link | Unreadable | None) -> None:
        """Say what is wrong with the suspect, from the row after it or, at the end of the log, from the head."""
        assert self._suspect is not None  # noqa: S101  # the callers have looked
        suspect, computed = self._suspect
        if isinstance(after, Link) and after.offset == suspect.offset + 1:
            only_its_hash = link(computed, after.event, after.offset) == after.hash
        else:
            only_its_hash = after is None and self.ends is not None and self.ends.hash == computed
        if only_its_hash:
            reason = "its hash was changed"
        elif self.checked == 0:
            reason = "its content was changed, or the hash that the log begins with"
        else:
            reason = "its content was changed"
        self.fault = Fault(suspect.offset, reason)

    def _finish(self, ends: Ends) -> None:
        if self._suspect is not None:
            self._settle(None)
        elif self._expected <= ends.head:
            self.fault = Fault(self._expected, "it is missing")
        elif ends.head < ends.oldest - 1:
            self.fault = Fault(ends.head + 1, f"the log says that it ends at event {ends.head}, before it begins")
        elif ends.hash != self._hash:
            self.fault = Fault(ends.head, "the log keeps another hash of its newest event")
        elif self._next_known is not None:
            self.fault = Fault(ends.head + 1, f"the log ends at {ends.head}, and event {self._next_known[0]} was noted")

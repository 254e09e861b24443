"""Bundles: a range of the log in a file that proves itself, without the database. One JSON object a line.

    {"format":"rmos-audit-bundle","version":1,"epoch":…,"epochs":[…],"from":5,"anchor":"<hash of 4>","head":{…},…}
    {"actor":…,"cause":…,"channels":[…],…,"version":2,"hash":"<hash of 5>","data":{…}}        one for each event
    {"end":true,"count":2,"to":6,"hash":"<hash of 6>"}

The line of an event is its canonical header with two more members, and `data` are the very bytes that were hashed.
docs/reference/audit.md states it for others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from rmos.clock import Timestamp
from rmos.domain.events import Event
from rmos.errors import CorruptError, InvalidError, UnavailableError
from rmos.eventlog.audit import AuditPage, Ends, Epoch, Fault, Link
from rmos.eventlog.chain import HASH_BYTES, header_of, link

FORMAT: Final = "rmos-audit-bundle"
VERSION: Final = 1
MAX_LINE_BYTES: Final = 1024 * 1024
"""Four times the largest event. Longer lines are not those of a bundle and are not read to their end."""


class BundleWriter:
    """The lines of one bundle, page by page.

    Args:
        first: Offset of its first event.
        last: Offset of its last event; below `first` for an empty bundle.
    """

    def __init__(self, first: int, last: int, *, epochs: Sequence[Epoch], now: Timestamp) -> None:
        self._first = first
        self._last = last
        self._epochs = epochs
        self._now = now
        self._next = first
        self._hash: bytes | None = None

    @property
    def after(self) -> int:
        """The offset after which the next page is to begin. The first page brings the event before for its hash."""
        return self._next - 1 if self._hash is not None else self._first - 2

    @property
    def is_complete(self) -> bool:
        """Whether every event has been written, and `end` is what is missing."""
        return self._hash is not None and self._next > self._last

    def lines(self, page: AuditPage) -> bytes:
        """The lines of the page.

        Raises:
            UnavailableError: retention has meanwhile removed an event of the range.
            CorruptError: a row is missing or cannot be read; `rmos verify` says more.
        """
        parts = []
        rows = iter(page.rows)
        if self._hash is None:
            before = next(rows, None) if page.ends.oldest < self._first else None
            self._hash = self._anchor(page.ends, before if isinstance(before, Link) else None)
            parts.append(self._header(page.ends, self._hash))
        for row in rows:
            if self._next > self._last:
                break
            if not isinstance(row, Link) or row.offset != self._next:
                raise self._gap(page.ends)
            parts.append(event_line(row))
            self._hash = row.hash
            self._next += 1
        if page.is_last and self._next <= self._last:
            raise self._gap(page.ends)
        return b"".join(parts)

    def end(self) -> bytes:
        """The last line."""
        assert self._hash is not None  # noqa: S101  # is_complete
        count = self._last - self._first + 1
        return _line({"end": True, "count": count, "to": self._last, "hash": self._hash.hex()})

    def _anchor(self, ends: Ends, before: Link | None) -> bytes:
        if ends.oldest == self._first:
            return ends.anchor
        if before is None or before.offset != self._first - 1:
            raise self._gap(ends)
        return before.hash

    def _header(self, ends: Ends, anchor: bytes) -> bytes:
        return _line(
            {
                "format": FORMAT,
                "version": VERSION,
                "created_at": self._now,
                "epoch": ends.epoch,
                "epochs": [
                    {"epoch": epoch.name, "from": epoch.start, "reason": epoch.reason, "time": epoch.time}
                    for epoch in self._epochs
                ],
                "from": self._first,
                "to": self._last,
                "anchor": anchor.hex(),
                "head": {"offset": ends.head, "hash": ends.hash.hex()},
            }
        )

    def _gap(self, ends: Ends) -> Exception:
        if ends.oldest > self._next:
            return UnavailableError(f"event {self._next} has left the log while it was exported; ask again")
        return CorruptError(f"event {self._next} is missing or cannot be read; see `rmos verify`")


def event_line(row: Link) -> bytes:
    """The line of one event."""
    return _prefix(row.event, row.offset, row.hash) + row.event.data + b"}\n"


def _prefix(event: Event, offset: int, event_hash: bytes) -> bytes:
    return header_of(event, offset)[:-1] + b',"hash":"%b","data":' % event_hash.hex().encode()


def _line(value: object) -> bytes:
    return orjson.dumps(value) + b"\n"


@dataclass(frozen=True, slots=True)
class BundleHeader:
    """What the first line says."""

    epoch: str
    first: int
    last: int
    anchor: bytes
    head: int
    head_hash: bytes


class BundleCheck:
    """Reads a bundle once and checks it on the way, with one line in memory.

    Iterating gives (offset, hash) of the anchor and of each sound event; it ends at the first fault or at the end.

    Raises:
        InvalidError: the first line is not that of a bundle (when it is made).
    """

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._lines = iter(lines)
        self.header = _read_header(next(self._lines, b""))
        self.fault: Fault | None = None
        self.checked = 0
        self.hash = self.header.anchor

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        expected = self.header.first
        yield expected - 1, self.hash
        for line in self._lines:
            if line.startswith(b'{"end":'):
                self.fault = self._end_fault(line, expected)
                return
            self.fault = self._event_fault(line, expected)
            if self.fault is not None:
                return
            self.checked += 1
            yield expected, self.hash
            expected += 1
        self.fault = Fault(expected, "the file ends before its last line")

    def _event_fault(self, line: bytes, expected: int) -> Fault | None:
        event = _read_event(line, expected)
        if isinstance(event, Fault):
            return event
        computed = link(self.hash, event.event, event.offset)
        if event.offset != expected:
            return Fault(expected, f"event {event.offset} is in its place")
        if computed != event.hash:
            return Fault(expected, "it does not have the hash that follows from its content and the event before")
        if expected > self.header.last:
            return Fault(expected, f"the first line says that the bundle ends at event {self.header.last}")
        self.hash = computed
        return None

    def _end_fault(self, line: bytes, expected: int) -> Fault | None:
        due = {"end": True, "count": self.checked, "to": self.header.last, "hash": self.hash.hex()}
        if expected <= self.header.last:
            return Fault(expected, "it is missing")
        if line.rstrip(b"\n") != orjson.dumps(due):
            return Fault(self.header.last, "the last line says something else than the events")
        if self.header.head == self.header.last and self.header.head_hash != self.hash:
            return Fault(self.header.last, "the first line keeps another hash of it")
        if next(self._lines, b""):
            return Fault(expected, "lines follow on the last one")
        return None


def _read_header(line: bytes) -> BundleHeader:
    try:
        found = orjson.loads(line)
        if found["format"] != FORMAT:
            raise ValueError(found["format"])
        if found["version"] != VERSION:
            raise InvalidError(f"the bundle has version {found['version']}, this RMOS knows {VERSION}; update RMOS")
        return BundleHeader(
            epoch=str(found["epoch"]),
            first=int(found["from"]),
            last=int(found["to"]),
            anchor=_hash(found["anchor"]),
            head=int(found["head"]["offset"]),
            head_hash=_hash(found["head"]["hash"]),
        )
    except (ValueError, KeyError, TypeError):
        raise InvalidError("this is not an audit bundle of RMOS: the first line does not say so") from None


def _read_event(line: bytes, expected: int) -> Link | Fault:
    try:
        found: dict[str, Any] = orjson.loads(line)  # Any: whatever the file holds
        event_hash = _hash(found.pop("hash"))
        del found["data"]
        event = Event(**{**found, "data": b"", "channels": tuple(found["channels"])})
        prefix = _prefix(event, event.offset, event_hash)
    except (ValueError, KeyError, TypeError):
        return Fault(expected, "its line is not that of an event")
    if not line.startswith(prefix) or not line.endswith(b"}\n"):
        return Fault(expected, "its line is not in the canonical form")
    event = Event(**{**found, "data": line[len(prefix) : -2], "channels": event.channels})
    return Link(event, event_hash)


def _hash(text: str) -> bytes:
    found = bytes.fromhex(text)
    if len(found) != HASH_BYTES:
        raise ValueError(f"{len(found)} bytes are no hash")
    return found

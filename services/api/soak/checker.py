"""What must be true after a fault: the invariants I1 to I10.

Checked against the database, the writers and the listeners. Reads the tables itself and shares no code with the server.

    I1   every acknowledged write is in the state and has exactly one event
    I2   every event belongs to a write that was not refused; a row is what its newest event says
    I3   one event for an entity's version, one for a write; versions are 1, 2, 3, …
    I4   offsets are dense; all readers of an offset saw the same bytes; the epoch is the one expected
    I5   who kept its cursor heard exactly its filter of the log, in order
    I6   who did not was told so
    I7   what a listener built from events alone is what is stored
    I8   nobody heard what it has no right to
    I9   SQLite finds the file whole, references lead somewhere, and the server starts in less than 5 s (of the
         processor, so that a busy machine is not held against it)
    I10  memory came back to within 20 % of what it was
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from soak.journal import Heard, Outcome, Stretch, Write, mark_of

START_LIMIT_S: Final = 5.0
MEMORY_RATIO: Final = 1.2

_TABLES: Final = {"pattern": "patterns", "job": "joblogs", "material": "strip_families"}


class Violation(NamedTuple):
    """An invariant that does not hold, and what shows it."""

    invariant: str
    evidence: str


class Memory(NamedTuple):
    """Resident bytes of the server: before a load, at most during it, and after it."""

    before: int
    most: int
    after: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is known after a run.

    Attributes:
        epoch: The one that the log must have; None when it may be any.
        writes: All writes there ever were; None when others wrote too.
        surprises: Refusals for which there was no reason, a sentence each.
        starts_s: Processor time of each start of the server.
        memory_bound: Bytes that the server may take at most; None when that is not looked at.
    """

    database: Path
    epoch: str | None = None
    writes: Iterable[Write] | None = None
    surprises: Sequence[str] = ()
    listeners: Sequence[Heard] = ()
    starts_s: Sequence[float] = ()
    memory: Memory | None = None
    memory_bound: int | None = None


class _Logged(NamedTuple):
    offset: int
    type: str
    key: str | None
    version: int | None
    channels: tuple[str, ...]
    data: bytes

    @property
    def category(self) -> str:
        return self.type.partition(":")[0]

    @property
    def is_deletion(self) -> bool:
        return self.type.endswith(":deleted")


@dataclass(frozen=True, slots=True)
class _Found:
    """The database, in one read transaction."""

    epoch: str
    head: int
    oldest: int
    rows: Mapping[str, tuple[int, bytes]]
    log: Sequence[_Logged]
    complaints: Sequence[str]


def epoch_of(database: Path) -> str:
    """The epoch in the database."""
    with closing(sqlite3.connect(database)) as connection:
        return str(connection.execute("SELECT epoch FROM log_head").fetchone()[0])


def violations(evidence: Evidence) -> list[Violation]:
    """Every invariant that does not hold, with its evidence."""
    found = _read(evidence.database)
    return [
        *_of_log(found, evidence.epoch),
        *_of_rows(found),
        *(_of_writes(found, list(evidence.writes)) if evidence.writes is not None else ()),
        *(Violation("I1", surprise) for surprise in evidence.surprises),
        *_of_readers(evidence.listeners),
        *(violation for heard in evidence.listeners for violation in _of_listener(heard, found)),
        *_of_process(evidence, found),
    ]


def _read(database: Path) -> _Found:
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        ((epoch, head, oldest),) = connection.execute("SELECT epoch, head, oldest FROM log_head").fetchall()
        rows = {
            f"{category}/{entity_id}": (version, bytes(body))
            for category, table in _TABLES.items()
            for entity_id, version, body in connection.execute(f"SELECT id, version, body FROM {table}")  # noqa: S608  # our names
        }
        log = [
            _Logged(offset, name, key, version, tuple(json.loads(channels or "[]")), bytes(data))
            for offset, name, key, version, channels, data in connection.execute(
                'SELECT "offset", type, key, version, channels, data FROM events ORDER BY "offset"'
            )
        ]
        complaints = [
            *(f"integrity_check: {line}" for (line,) in connection.execute("PRAGMA integrity_check") if line != "ok"),
            *(
                f"row {row} of {table} refers to nothing in {parent}"
                for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check")
            ),
        ]
        return _Found(epoch, head, oldest, rows, log, complaints)


def _of_log(found: _Found, epoch: str | None) -> Iterator[Violation]:
    if epoch is not None and found.epoch != epoch:
        yield Violation("I4", f"the epoch is {found.epoch}; it was {epoch}")
    offsets = [event.offset for event in found.log]
    if offsets != list(range(found.oldest, found.head + 1)):
        yield Violation("I4", f"{len(offsets)} offsets are not dense from {found.oldest} to {found.head}")
    versions: dict[str, list[int]] = defaultdict(list)
    for event in found.log:
        if event.key is not None and event.version is not None:
            versions[event.key].append(event.version)
    for key, numbers in versions.items():
        first = numbers[0] if found.oldest > 1 else 1
        if numbers != list(range(first, first + len(numbers))):
            yield Violation("I3", f"{key} has events of the versions {numbers}")


def _of_rows(found: _Found) -> Iterator[Violation]:
    newest = {event.key: event for event in found.log if event.version is not None}
    for key, (version, body) in found.rows.items():
        event = newest.get(key)
        if event is None:
            if found.oldest == 1:
                yield Violation("I1", f"{key} is stored and has no event")
        elif (event.version, event.data) != (version, body) or event.is_deletion:
            said = f"its newest event is {event.type} of version {event.version}"
            yield Violation("I2", f"{key} is stored as version {version}; {said}")
    for event in newest.values():
        if event.key not in found.rows and not event.is_deletion:
            yield Violation("I2", f"{event.key} has the event {event.type} of {event.version} and is not stored")


def _of_writes(found: _Found, writes: Sequence[Write]) -> Iterator[Violation]:
    events: dict[str, list[_Logged]] = defaultdict(list)
    for event in found.log:
        events[mark_of(event.type, event.key or "", json.loads(event.data))].append(event)
    for write in writes:
        of_it = events.pop(write.mark, [])
        if len(of_it) > 1:
            yield Violation("I3", f"{write.mark!r} happened {len(of_it)} times, as {[e.offset for e in of_it]}")
        if write.outcome is Outcome.REFUSED and of_it:
            yield Violation("I2", f"{write.mark!r} was refused and has event {of_it[0].offset}")
        if write.outcome is Outcome.ACKED:
            if not of_it and found.oldest == 1:
                yield Violation("I1", f"{write.mark!r}, version {write.version} of {write.key}, has no event")
            for event in of_it:
                if (event.key, event.version) != (write.key, write.version):
                    said = f"its event says {event.version} of {event.key}"
                    yield Violation(
                        "I1", f"{write.mark!r} was answered as version {write.version} of {write.key}; {said}"
                    )
    for mark, of_it in events.items():
        yield Violation("I2", f"event {of_it[0].offset} ({of_it[0].type}, {mark!r}) belongs to no write")


def _of_readers(listeners: Sequence[Heard]) -> Iterator[Violation]:
    """Whoever saw an offset of an epoch saw the same bytes."""
    seen: dict[tuple[str, int], tuple[int, str]] = {}
    for heard in listeners:
        for stretch in heard.stretches:
            for offset, checksum in zip(stretch.offsets, stretch.sums, strict=True):
                first, reader = seen.setdefault((stretch.epoch, offset), (checksum, heard.name))
                if first != checksum:
                    yield Violation("I4", f"{heard.name} and {reader} saw different events at {stretch.epoch}:{offset}")


def _of_listener(heard: Heard, found: _Found) -> Iterator[Violation]:
    for sentence in heard.broken:
        yield Violation("I6", f"{heard.name}: {sentence}")
    for number, stretch in enumerate(heard.stretches):
        if number and not stretch.because:
            yield Violation(
                "I6", f"{heard.name} lost its place at {stretch.epoch}:{stretch.after} and was not told why"
            )
        yield from _of_order(heard, stretch)
        if stretch.epoch == found.epoch:
            yield from _of_stretch(heard, stretch, found)
    if heard.state is not None and heard.stretches and heard.stretches[-1].epoch == found.epoch:
        yield from _of_state(heard, heard.state, found)


def _of_order(heard: Heard, stretch: Stretch) -> Iterator[Violation]:
    before = stretch.after
    for offset in stretch.offsets:
        if offset <= before:
            yield Violation("I5", f"{heard.name} heard {stretch.epoch}:{offset} after {before}")
            return
        before = offset


def _of_stretch(heard: Heard, stretch: Stretch, found: _Found) -> Iterator[Violation]:
    """Against the log, as far back as it is kept."""
    if stretch.upto > found.head:
        yield Violation("I4", f"{heard.name} was told of {stretch.epoch}:{stretch.upto}; the log ends at {found.head}")
    first = max(stretch.after + 1, found.oldest)
    kept = found.log[first - found.oldest : max(0, stretch.upto - found.oldest + 1)]
    wanted = [event.offset for event in kept if heard.wants(event.category, event.channels)]
    got = [offset for offset in stretch.offsets if offset >= first]
    if wanted == got:
        return
    missing, extra = sorted(set(wanted) - set(got)), sorted(set(got) - set(wanted))
    where = f"of {stretch.epoch}:{first} to {stretch.upto}"
    if missing:
        yield Violation("I5", f"{heard.name} did not hear {len(missing)} events {where}: {_some(missing)}")
    by_offset = {event.offset: event for event in kept}
    foreign = [offset for offset in extra if heard.allowed is not None and offset in by_offset]
    if foreign:
        yield Violation("I8", f"{heard.name} heard what it has no right to {where}: {_some(foreign)}")
    if rest := sorted(set(extra) - set(foreign)):
        yield Violation("I5", f"{heard.name} heard what it had not asked for {where}: {_some(rest)}")
    if not missing and not extra:
        yield Violation("I5", f"{heard.name} heard events twice or out of order {where}")


def _of_state(heard: Heard, state: Mapping[str, Any], found: _Found) -> Iterator[Violation]:  # Any: fields of entities
    stored = {
        key: json.loads(body)
        for key, (_, body) in found.rows.items()
        if heard.filters == ("all",) or key.partition("/")[0] in heard.filters
    }
    for key in stored.keys() | state.keys():
        if stored.get(key) != state.get(key):
            yield Violation("I7", f"{heard.name} has {state.get(key)} for {key}; stored is {stored.get(key)}")


def _of_process(evidence: Evidence, found: _Found) -> Iterator[Violation]:
    for complaint in found.complaints:
        yield Violation("I9", complaint)
    for start_s in evidence.starts_s:
        if start_s >= START_LIMIT_S:
            yield Violation("I9", f"a start took {start_s:.1f} s")
    memory = evidence.memory
    if memory is None:
        return
    if memory.after > memory.before * MEMORY_RATIO:
        yield Violation("I10", f"{memory.after:,} bytes are held after the load; {memory.before:,} were before it")
    if evidence.memory_bound is not None and memory.most > evidence.memory_bound:
        yield Violation("I10", f"{memory.most:,} bytes were held during the load; {evidence.memory_bound:,} may be")


def count_by_invariant(found: Iterable[Violation]) -> Counter[str]:
    """How many violations there are of each."""
    return Counter(violation.invariant for violation in found)


def _some(offsets: Sequence[int]) -> str:
    shown = ", ".join(map(str, offsets[:5]))
    return shown + (", …" if len(offsets) > 5 else "")

"""The changes of a group commit while they are still in memory.

A `Unit` is the transaction one work sees: its own changes, over those of the works before it in the same group, over
the committed database. Only when every work of the group has run do its changes go to the database, many rows in a
statement; a work that raised is dropped by forgetting its changes, without a savepoint.

Knows no database: what is committed comes through `Committed`, and the engine writes a finished `Changes`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

from rmos.domain import access
from rmos.domain.access import AccessBook, AccessRecord
from rmos.domain.entities import KINDS, JsonValue, Kind, Revision
from rmos.domain.events import NewEvent
from rmos.stores.base import Reference, RememberedAnswer
from rmos.stores.schema import REFERENCES, ROW_FORMAT, Scalar

Address: TypeAlias = "tuple[str, str]"
"""Name of the kind and id."""

_KIND: Final[Mapping[str, Kind]] = {kind.name: kind for kind in KINDS}
_ROW_OVERHEAD_BYTES: Final = 400
"""What a row costs beside its body: searchable columns and index entries."""


class Committed(Protocol):
    """The database as the last commit left it."""

    def get(self, kind: Kind, entity_id: str) -> Revision | None:
        """The committed revision, or None."""
        ...

    def referrers(self, kind: Kind, entity_id: str) -> Iterable[Reference]:
        """Every committed reference to the entity."""
        ...

    def recall(self, scope: str) -> RememberedAnswer | None:
        """The committed answer, or None."""
        ...

    def access(self) -> AccessBook:
        """Everybody who may come in, as committed."""
        ...


@dataclass(frozen=True, slots=True)
class Row:
    """The newest revision of an entity and every column of its row."""

    revision: Revision
    columns: Mapping[str, Scalar | bytes]


class Changes:
    """What a work, or a group of works, has changed: the final state of each row touched, and what was appended."""

    __slots__ = ("access", "answers", "events", "referrers", "rows", "size_bytes")

    def __init__(self) -> None:
        self.rows: dict[Address, Row | None] = {}
        """None for a deleted one."""
        self.events: list[NewEvent] = []
        self.answers: dict[str, RememberedAnswer] = {}
        self.access: dict[access.Address, AccessRecord | None] = {}
        """None for a removed one."""
        self.referrers: dict[Address, dict[Address, None]] = {}
        """By entity: who was changed to point to it, and may have been changed again since. In order, each once."""
        self.size_bytes = 0

    def __bool__(self) -> bool:
        return bool(self.rows or self.events or self.answers or self.access)

    def absorb(self, later: Changes) -> None:
        """Take over what a later work changed."""
        self.rows.update(later.rows)
        self.events += later.events
        self.answers.update(later.answers)
        self.access.update(later.access)
        for target, who in later.referrers.items():
            self.referrers.setdefault(target, {}).update(who)
        self.size_bytes += later.size_bytes


class Unit:
    """One work's transaction (`stores.base.Transaction`). Used by one thread, for the time of the work only."""

    __slots__ = ("_committed", "_earlier", "changes")

    def __init__(self, committed: Committed, earlier: Changes) -> None:
        self._committed = committed
        self._earlier = earlier
        self.changes = Changes()

    def get(self, kind: Kind, entity_id: str) -> Revision | None:
        """The entity as this transaction sees it."""
        address = (kind.name, entity_id)
        for changes in (self.changes, self._earlier):
            if address in changes.rows:
                row = changes.rows[address]
                return row.revision if row else None
        return self._committed.get(kind, entity_id)

    def put(self, revision: Revision, columns: Mapping[str, JsonValue]) -> None:
        """Insert or replace the entity."""
        kind = revision.kind.name
        address = (kind, revision.id)
        row = ROW_FORMAT[kind].row(revision, columns)
        self.changes.rows[address] = Row(revision, row)
        for field, parent in REFERENCES[kind].items():
            if isinstance(target := row[field], str):
                self.changes.referrers.setdefault((parent.name, target), {})[address] = None
        self.changes.size_bytes += len(revision.body) + _ROW_OVERHEAD_BYTES

    def delete(self, kind: Kind, entity_id: str) -> None:
        """Remove the entity."""
        self.changes.rows[kind.name, entity_id] = None
        self.changes.size_bytes += _ROW_OVERHEAD_BYTES

    def referrers(self, kind: Kind, entity_id: str) -> list[Reference]:
        """Every entity that points to this one, as this transaction sees it."""
        target = (kind.name, entity_id)
        found = {
            (reference.kind.name, reference.id, reference.field): reference
            for reference in self._committed.referrers(kind, entity_id)
            if not self._touched((reference.kind.name, reference.id))
        }
        for changes in (self._earlier, self.changes):
            for referrer in changes.referrers.get(target, ()):
                name, referrer_id = referrer
                row = self.changes.rows.get(referrer) if referrer in self.changes.rows else self._earlier.rows[referrer]
                for field, parent in REFERENCES[name].items():
                    if row is not None and parent == kind and row.columns[field] == entity_id:
                        found[name, referrer_id, field] = Reference(_KIND[name], referrer_id, field)
        return list(found.values())

    def append(self, event: NewEvent) -> None:
        """Write the event to the log when the group is committed."""
        self.changes.events.append(event)
        self.changes.size_bytes += len(event.data) + _ROW_OVERHEAD_BYTES

    def recall(self, scope: str) -> RememberedAnswer | None:
        """The remembered answer as this transaction sees it."""
        for changes in (self.changes, self._earlier):
            if scope in changes.answers:
                return changes.answers[scope]
        return self._committed.recall(scope)

    def remember(self, answer: RememberedAnswer) -> None:
        """Keep the answer."""
        self.changes.answers[answer.scope] = answer
        self.changes.size_bytes += len(answer.body) + _ROW_OVERHEAD_BYTES

    def access(self) -> AccessBook:
        """Everybody who may come in, as this transaction sees it."""
        return self._committed.access().changed({**self._earlier.access, **self.changes.access})

    def put_access(self, record: AccessRecord) -> None:
        """Insert or replace the record."""
        self.changes.access[record.address] = record
        self.changes.size_bytes += _ROW_OVERHEAD_BYTES

    def drop_access(self, record: AccessRecord) -> None:
        """Remove the record."""
        self.changes.access[record.address] = None
        self.changes.size_bytes += _ROW_OVERHEAD_BYTES

    def _touched(self, address: Address) -> bool:
        return address in self.changes.rows or address in self._earlier.rows

"""Reads and writes of rows, on the writer's connection: what is committed, and how a group's changes get there.

Every step of a statement gives the GIL up and has to win it back from a busy event loop, so a group is written in few
statements with many rows each.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Final

import orjson
from sqlalchemy import Insert, Table, bindparam, delete, select, update
from sqlalchemy.dialects.sqlite import insert

from rmos.domain.access import AccessBook
from rmos.domain.entities import KINDS, Kind, Revision
from rmos.domain.events import NewEvent
from rmos.eventlog.chain import link
from rmos.eventlog.schema import events, log_head
from rmos.eventlog.sqlite_statement import Statement
from rmos.stores.base import Reference, RememberedAnswer
from rmos.stores.batch import Address, Changes
from rmos.stores.schema import PARENTS_FIRST, REFERENCES, TABLE, answers
from rmos.stores.sqlite import access

_LADDER: Final = (256, 64, 16, 4, 1)
"""Rows in a statement. Powers of four: any number of rows takes few statements, and few texts are to be compiled."""

CACHE_BYTES: Final = 16 * 1024 * 1024
"""Revisions kept by the writer; 40,000 usual ones."""
_ENTRY_BYTES: Final = 300
"""What an entry costs beside the body: its address and the objects."""


class _ManyRows:
    """An INSERT of one row, as texts for 1, 4, … 256 rows."""

    def __init__(self, statement: Insert) -> None:
        one_row = Statement(statement)
        self.columns = one_row.names
        values = f"({', '.join('?' * len(self.columns))})"
        before, found, after = one_row.text.partition(values)
        assert found, one_row.text  # noqa: S101  # a change in how SQLAlchemy writes an INSERT must not pass unseen
        self._texts = {n: f"{before}{', '.join([values] * n)}{after}" for n in _LADDER}

    def write(self, connection: sqlite3.Connection, rows: Sequence[Sequence[object]]) -> None:
        """Insert the rows; each has its values in the order of `columns`."""
        start = 0
        for size in _LADDER:
            while len(rows) - start >= size:
                connection.execute(self._texts[size], list(chain.from_iterable(rows[start : start + size])))
                start += size


def _upsert(table: Table, key: str) -> _ManyRows:
    given = [column.name for column in table.columns if column.computed is None]
    statement = insert(table).values({name: bindparam(name) for name in given})
    changed = {name: statement.excluded[name] for name in given if name != key}
    return _ManyRows(statement.on_conflict_do_update(index_elements=[key], set_=changed))


_UPSERT: Final = {kind.name: _upsert(TABLE[kind.name], "id") for kind in KINDS}
_REMEMBER: Final = _upsert(answers, "scope")
_APPEND: Final = _ManyRows(insert(events))
_DELETE: Final = {
    kind.name: Statement(delete(TABLE[kind.name]).where(TABLE[kind.name].c.id == bindparam("id"))) for kind in KINDS
}
_TAKE_OFFSETS: Final = Statement(
    update(log_head).values(head=log_head.c.head + bindparam("count")).returning(log_head.c.head, log_head.c.hash)
)
_SET_HASH: Final = Statement(update(log_head).values(hash=bindparam("new_hash")))
_GET: Final = {
    kind.name: Statement(
        select(TABLE[kind.name].c.version, TABLE[kind.name].c.body).where(TABLE[kind.name].c.id == bindparam("id"))
    )
    for kind in KINDS
}
_REFERRERS: Final = {
    parent.name: [
        (kind, field, Statement(select(TABLE[kind.name].c.id).where(TABLE[kind.name].c[field] == bindparam("id"))))
        for kind in KINDS
        for field, target in REFERENCES[kind.name].items()
        if target == parent
    ]
    for parent in KINDS
}
_RECALL: Final = Statement(select(*answers.c).where(answers.c.scope == bindparam("scope")))


def get(connection: sqlite3.Connection, kind: Kind, entity_id: str) -> Revision | None:
    """The committed entity, or None."""
    found = _GET[kind.name].run(connection, id=entity_id).fetchall()
    return Revision(kind, entity_id, *found[0]) if found else None


class CommittedRows:
    """The committed database (`stores.batch.Committed`), as seen inside the writer's transaction.

    Keeps what it read and what was written, because a work that reads gives up the GIL and waits for a busy event
    loop, and a running job is changed again and again. Only the writer changes the database, so what is kept stays
    true; should another program have written after all, SQLite says so at `begin`.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._kept: dict[Address, Revision | None] = {}
        self._kept_bytes = 0
        self._data_version = 0

    def begin(self) -> None:
        """To be called first in each transaction."""
        ((data_version,),) = self._connection.execute("PRAGMA data_version").fetchall()
        if data_version != self._data_version or self._kept_bytes > CACHE_BYTES:
            self._kept.clear()
            self._kept_bytes = 0
            self._data_version = data_version

    def note_commit(self, changes: Changes) -> None:
        """The transaction has been committed with these changes."""
        for address, row in changes.rows.items():
            self._keep(address, row.revision if row else None)

    def get(self, kind: Kind, entity_id: str) -> Revision | None:
        """The committed revision, or None."""
        address = (kind.name, entity_id)
        if address not in self._kept:
            self._keep(address, get(self._connection, kind, entity_id))
        return self._kept[address]

    def _keep(self, address: Address, revision: Revision | None) -> None:
        """Replaced revisions go on counting until all are dropped; that errs to the safe side."""
        self._kept[address] = revision
        self._kept_bytes += _ENTRY_BYTES + (len(revision.body) if revision else 0)

    def referrers(self, kind: Kind, entity_id: str) -> Iterator[Reference]:
        """Every committed reference to the entity."""
        for referring, field, statement in _REFERRERS[kind.name]:
            for (referrer_id,) in statement.run(self._connection, id=entity_id).fetchall():
                yield Reference(referring, referrer_id, field)

    def recall(self, scope: str) -> RememberedAnswer | None:
        """The committed answer, or None."""
        found = _RECALL.run(self._connection, scope=scope).fetchall()
        if not found:
            return None
        _, fingerprint, status, headers, body, created_at = found[0]
        pairs = tuple((name, value) for name, value in orjson.loads(headers))
        return RememberedAnswer(scope, fingerprint, status, pairs, body, created_at)

    def access(self) -> AccessBook:
        """Everybody who may come in. Seldom changed, so nothing is kept of it."""
        return access.read_book(self._connection)


def flush(connection: sqlite3.Connection, changes: Changes) -> None:
    """Write the changes. Parents go in before and out after what refers to them.

    Raises:
        sqlite3.Error: nothing of it counts; the caller rolls back.
    """
    _append(connection, changes.events)
    for kind in PARENTS_FIRST:
        upsert = _UPSERT[kind.name]
        rows = [
            [row.columns[column] for column in upsert.columns]
            for (name, _), row in changes.rows.items()
            if row is not None and name == kind.name
        ]
        upsert.write(connection, rows)
    for kind in reversed(PARENTS_FIRST):
        for (name, entity_id), row in changes.rows.items():
            if row is None and name == kind.name:
                _DELETE[name].run(connection, id=entity_id)
    _REMEMBER.write(connection, [_answer_row(answer) for answer in changes.answers.values()])
    access.write(connection, changes.access)


def _append(connection: sqlite3.Connection, new: Sequence[NewEvent]) -> None:
    if not new:
        return
    ((head, previous),) = _TAKE_OFFSETS.run(connection, count=len(new)).fetchall()
    rows = []
    for offset, event in enumerate(new, head - len(new) + 1):
        previous = link(previous, event, offset)
        rows.append(_event_row(offset, event, previous))
    _APPEND.write(connection, rows)
    _SET_HASH.run(connection, new_hash=previous)


def _event_row(offset: int, event: NewEvent, event_hash: bytes) -> tuple[object, ...]:
    """In the order of the columns of `events`."""
    return (
        offset,
        event.type,
        event.category,
        event.key,
        event.version,
        orjson.dumps(event.channels).decode() if event.channels else None,
        event.actor,
        event.request_id,
        event.cause,
        event.timestamp,
        event.data,
        event_hash,
    )


def _answer_row(answer: RememberedAnswer) -> tuple[object, ...]:
    """In the order of the columns of `answers`."""
    return (
        answer.scope,
        answer.fingerprint,
        answer.status,
        orjson.dumps(answer.headers).decode(),
        answer.body,
        answer.created_at,
    )

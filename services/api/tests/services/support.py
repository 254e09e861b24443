"""A shop on a real database, and the check every action has to pass."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, TypeVar

import orjson

from rmos.domain.entities import JOBLOG, KINDS, PATTERN, STRIP_FAMILY, JsonObject, JsonValue, Kind, Revision
from rmos.domain.events import Event
from rmos.services import entities
from rmos.services.context import Context
from rmos.stores.base import ListQuery, Transaction
from rmos.stores.sqlite import SqliteStores, open_sqlite

T = TypeVar("T")
Snapshot = dict[str, bytes]
"""Encoded document by key."""

NOW: Final = "2026-11-24T10:00:00.000Z"
LATER: Final = "2026-11-24T10:10:00.000Z"


class Shop:
    """The services on a database of their own."""

    def __init__(self, stores: SqliteStores) -> None:
        self.stores = stores
        self.now = NOW

    @property
    def context(self) -> Context:
        return Context(actor="tester", request_id="r1", now=self.now)

    async def act(self, action: Callable[[Transaction, Context], T]) -> T:
        """Run the action, and hold its events against what it did: the old snapshot and the events give the new one."""
        before, head = await self.snapshot(), await self.stores.log.head()
        try:
            return await self.stores.write(lambda tx: action(tx, self.context))
        finally:
            events = await self.stores.log.read(head.offset, max_bytes=2**30)
            assert applied(before, events) == await self.snapshot()
            assert all((e.actor, e.request_id, e.timestamp) == ("tester", "r1", self.now) for e in events)

    async def events_of(self, action: Callable[[Transaction, Context], object]) -> list[Event]:
        """The events that the action appended."""
        head = await self.stores.log.head()
        await self.act(action)
        return await self.stores.log.read(head.offset)

    async def create(self, kind: Kind, **fields: JsonValue) -> Revision:
        return await self.act(lambda tx, context: entities.create(tx, kind, fields, context))

    async def update(self, kind: Kind, entity_id: str, **changes: JsonValue) -> Revision:
        return await self.act(lambda tx, context: entities.update(tx, kind, entity_id, changes, context))

    async def make_pattern(self, **fields: JsonValue) -> Revision:
        return await self.create(PATTERN, **({"name": "Rope", "ring_count": 3} | fields))

    async def make_job(self, **fields: JsonValue) -> Revision:
        return await self.create(JOBLOG, **({"job_type": "slice"} | fields))

    async def make_family(self, **fields: JsonValue) -> Revision:
        required = {"name": "Maple", "strip_width_mm": 6, "strip_thickness_mm": 0.6, "material_type": "maple"}
        return await self.create(STRIP_FAMILY, **(required | fields))

    async def document(self, kind: Kind, entity_id: str) -> JsonObject:
        revision = await self.stores.get(kind, entity_id)
        assert revision is not None
        return document_of(revision)

    async def snapshot(self) -> Snapshot:
        """Every entity as it is stored."""
        found: Snapshot = {}
        for kind in KINDS:
            page = await self.stores.page(kind, ListQuery(where={}, limit=1000))
            assert page.next is None
            found |= {kind.key(orjson.loads(body)["id"]): body for body in page.items}
        return found


def applied(before: Snapshot, events: list[Event]) -> Snapshot:
    """What a screen shows that had the snapshot and saw the events."""
    after = dict(before)
    for event in events:
        document = orjson.loads(event.data)
        assert event.key is not None
        assert event.key.partition("/")[2] == document["id"]
        last = orjson.loads(after[event.key])["version"] if event.key in after else 0
        assert event.version == last + 1
        name = event.type.partition(":")[2]
        assert (name == "created") == (event.key not in after)
        if name == "deleted":
            assert event.data == after.pop(event.key)
        else:
            assert event.version == document["version"]
            after[event.key] = event.data
    return after


def document_of(revision: Revision) -> JsonObject:
    document: JsonObject = orjson.loads(revision.body)
    return document


@asynccontextmanager
async def open_shop(folder: Path) -> AsyncIterator[Shop]:
    stores = await open_sqlite(folder / "rmos.db", on_commit=lambda: None)
    try:
        yield Shop(stores)
    finally:
        await stores.close()

"""Databases from before the audit trail get their chain at the next start, all or nothing."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import orjson
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from rmos.domain.entities import PATTERN
from rmos.domain.events import NewEvent
from rmos.errors import StartupError
from rmos.eventlog.chain import GENESIS, link
from rmos.stores import migrations
from rmos.stores.sqlite import open_sqlite
from tests.contract.builders import NOW, document, making

PATTERN_ROW = "INSERT INTO patterns VALUES (?, 'rope', 'rope', 3, 'rosette', NULL, ?, ?, ?, '', ?)"
EVENT_ROW = "INSERT INTO events VALUES (?, ?, 'pattern', ?, ?, ?, 'local', ?, ?, ?)"


def nobody() -> None:
    """Nobody listens to commits."""


def event(offset: int) -> NewEvent:
    """The event that stands at this offset: a custom one, or the creation of a pattern."""
    if offset == 4:
        return NewEvent("pattern:sighted", b'{"id":"p1"}', NOW, "pattern/p1", None, ("project:a",))
    body = orjson.dumps(document(PATTERN, id=f"p{offset}"))
    return NewEvent("pattern:created", body, NOW, f"pattern/p{offset}", 1, request_id=f"r{offset}")


def make_database_of_0001(path: Path, *, oldest: int, head: int) -> None:
    """Patterns p1, p2, … with their events, of which those before `oldest` are gone."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    engine.dispose()
    database = sqlite3.connect(path)
    database.execute("INSERT INTO log_head VALUES (1, 'before', ?, ?)", (head, oldest))
    for offset in range(1, head + 1):
        new = event(offset)
        if new.version is not None:
            database.execute(PATTERN_ROW, (f"p{offset}", 1, NOW, NOW, new.data))
        if offset >= oldest:
            channels = orjson.dumps(new.channels).decode() if new.channels else None
            database.execute(
                EVENT_ROW, (offset, new.type, new.key, new.version, channels, new.request_id, NOW, new.data)
            )
    database.commit()
    database.close()


def rows(path: Path, sql: str) -> list[tuple[object, ...]]:
    database = sqlite3.connect(path)
    try:
        return database.execute(sql).fetchall()
    finally:
        database.close()


async def test_events_are_chained_and_the_log_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "rmos.db"
    make_database_of_0001(path, oldest=1, head=5)

    stores = await open_sqlite(path, on_commit=nobody)
    head = await stores.log.head()
    kept = await stores.log.read(0)
    await stores.write(making(PATTERN, id="new"))
    await stores.close()

    hashes = [GENESIS]
    for offset in range(1, 6):
        hashes.append(link(hashes[-1], event(offset), offset))
    stored = [found for (found,) in rows(path, "SELECT hash FROM events ORDER BY 1 * offset")]
    assert (head.epoch, head.offset, head.oldest) == ("before", 5, 1)
    assert [(e.type, e.data, e.channels, e.cause) for e in kept] == [
        (e.type, e.data, e.channels, None) for e in map(event, range(1, 6))
    ]
    assert stored[:5] == hashes[1:]
    assert rows(path, "SELECT head, anchor, hash FROM log_head") == [(6, GENESIS, stored[5])]
    assert rows(path, "SELECT epoch, from_offset, reason FROM epochs") == [
        ("before", 1, "present when the audit trail began")
    ]


async def test_entities_whose_events_are_gone_are_kept_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "rmos.db"
    make_database_of_0001(path, oldest=3, head=5)

    await (await open_sqlite(path, on_commit=nobody)).close()

    bodies = {name: body for name, body in rows(path, "SELECT id, body FROM patterns")}
    assert rows(path, "SELECT key, offset, type, version, timestamp, data FROM retired ORDER BY key") == [
        (f"pattern/{name}", 2, "pattern:updated", 1, NOW, bodies[name]) for name in ("p1", "p2")
    ]


async def test_an_interrupted_migration_changes_nothing_and_begins_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "rmos.db"
    make_database_of_0001(path, oldest=1, head=5)
    before = rows(path, "SELECT name, sql FROM sqlite_master ORDER BY name")

    with monkeypatch.context() as patch:
        patch.setattr("rmos.eventlog.chain.sha256", _failing_after(3))
        with pytest.raises(StartupError, match="disk"):
            await open_sqlite(path, on_commit=nobody)
    assert rows(path, "SELECT name, sql FROM sqlite_master ORDER BY name") == before
    assert rows(path, "SELECT count(*) FROM events") == [(5,)]

    await (await open_sqlite(path, on_commit=nobody)).close()
    assert rows(path, "SELECT count(*) FROM events WHERE length(hash) = 32") == [(5,)]


def _failing_after(calls: int) -> object:
    """A digest that ends the start in the middle of the chain."""
    from hashlib import sha256

    left = iter(range(calls))

    def digest(text: bytes = b"") -> object:
        if next(left, None) is None:
            raise OSError("the disk has gone")
        return sha256(text)

    return digest

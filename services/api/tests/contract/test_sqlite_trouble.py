"""What SQLite may run into while the server runs: other programs, a full disk, readers that never pause."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest

from rmos.domain.entities import PATTERN
from rmos.errors import ConflictError, StorageFullError, UnavailableError
from rmos.stores.base import Transaction
from rmos.stores.sqlite import SqliteStores, open_sqlite
from tests.contract.builders import custom, document, making, saving
from tests.contract.locker import locked_by_another_program

PATIENCE_S = 0.3
"""Busy timeout of the tests that wait for it to pass."""


def nobody() -> None:
    """Nobody listens to commits."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rmos.db"


@pytest.fixture
async def stores(path: Path) -> AsyncIterator[SqliteStores]:
    """With the default busy timeout of 5 s."""
    opened = await open_sqlite(path, on_commit=nobody)
    yield opened
    await opened.close()


async def test_the_loop_runs_on_while_another_program_holds_the_lock_for_two_seconds(
    stores: SqliteStores, path: Path
) -> None:
    await stores.write(making(PATTERN, id="before"))

    with locked_by_another_program(path):
        write = asyncio.ensure_future(stores.write(making(PATTERN, id="waiting")))
        for _ in range(100):  # 2 s of heartbeats
            await asyncio.sleep(0.02)
            assert await stores.get(PATTERN, "before") is not None
            assert not write.done()

    assert await asyncio.wait_for(write, 10) == "waiting"


async def test_a_lock_held_longer_than_the_timeout_refuses_who_waits_and_nobody_after(path: Path) -> None:
    stores = await open_sqlite(path, on_commit=nobody, busy_timeout_s=PATIENCE_S)
    with locked_by_another_program(path):
        refused = await asyncio.gather(*(stores.write(making(PATTERN)) for _ in range(20)), return_exceptions=True)
        assert [e.offset for e in await stores.log.read(0)] == []

    await stores.write(making(PATTERN, id="after"))
    head = await stores.log.head()
    await stores.close()

    assert all(isinstance(error, UnavailableError) and error.retry_after_s >= 1 for error in refused)
    assert head.offset == 1


async def test_close_does_not_hang_on_a_lock(path: Path) -> None:
    stores = await open_sqlite(path, on_commit=nobody, busy_timeout_s=PATIENCE_S)
    with locked_by_another_program(path):
        write = asyncio.ensure_future(stores.write(making(PATTERN)))
        await asyncio.sleep(0)
        await asyncio.wait_for(stores.close(), 20)

    with pytest.raises(UnavailableError):
        await write


def limit_size(stores: SqliteStores, *, spare_pages: int) -> None:
    """Let the database grow by so many pages only. SQLite then answers as it does on a full disk."""
    connection = stores._opened.connection  # the limit is one of the connection, and no test can fill the disk
    ((pages,),) = connection.execute("PRAGMA page_count").fetchall()
    connection.execute(f"PRAGMA max_page_count = {pages + spare_pages}").fetchall()


async def test_a_full_disk_refuses_writes_and_recovers_without_a_restart(stores: SqliteStores) -> None:
    await stores.write(making(PATTERN, id="before"))
    limit_size(stores, spare_pages=2)

    results = await asyncio.gather(
        *(stores.write(making(PATTERN, id=f"p{i}", note="x" * 50_000)) for i in range(8)), return_exceptions=True
    )
    seen = await stores.get(PATTERN, "before"), (await stores.log.head()).offset
    limit_size(stores, spare_pages=1000)
    after = await stores.write(making(PATTERN, id="after", note="x" * 50_000))

    assert all(isinstance(r, StorageFullError) for r in results)
    assert seen[0] is not None
    assert seen[1] == 1
    assert after == "after"
    assert [e.offset for e in await stores.log.read(0)] == [1, 2]


async def test_lasting_trouble_is_logged_once_and_so_is_its_end(
    stores: SqliteStores, caplog: pytest.LogCaptureFixture
) -> None:
    limit_size(stores, spare_pages=0)
    for _ in range(5):
        with pytest.raises(StorageFullError):
            await stores.write(making(PATTERN, note="x" * 50_000))
    limit_size(stores, spare_pages=1000)
    for _ in range(5):
        await stores.write(making(PATTERN))

    assert [r.levelname for r in caplog.records if r.name == "rmos.stores.sqlite.writer"] == ["ERROR", "WARNING"]


async def test_nothing_is_written_when_the_transaction_is_gone(stores: SqliteStores) -> None:
    """As after an error of the disk while a work reads: each statement would then be committed by itself."""

    def work(tx: Transaction) -> None:
        stores._opened.connection.execute("ROLLBACK")
        making(PATTERN, id="p")(tx)

    with pytest.raises(UnavailableError):
        await stores.write(work)

    assert await stores.get(PATTERN, "p") is None
    assert (await stores.log.head()).offset == 0


async def test_an_error_about_a_change_that_was_lost_is_not_told_as_such(stores: SqliteStores) -> None:
    """Who is refused because of what an earlier work of the group did must not be, when that work was lost."""

    def conflicting(tx: Transaction) -> None:
        raise ConflictError("taken" if tx.get(PATTERN, "p") else "free")

    limit_size(stores, spare_pages=0)
    results = await asyncio.gather(
        stores.write(making(PATTERN, id="p", note="x" * 50_000)), stores.write(conflicting), return_exceptions=True
    )

    assert isinstance(results[0], StorageFullError)
    assert isinstance(results[1], StorageFullError) or str(results[1]) == "free"


async def test_what_another_program_wrote_is_seen_by_the_next_work(stores: SqliteStores, path: Path) -> None:
    fields = document(PATTERN, id="p", name="ours")
    await stores.write(saving(PATTERN, fields))
    other = sqlite3.connect(path)
    with other:
        other.execute("UPDATE patterns SET body = ?", (orjson.dumps(fields | {"name": "theirs"}),))
    other.close()

    found = await stores.write(lambda tx: tx.get(PATTERN, "p"))

    assert found is not None
    assert orjson.loads(found.body)["name"] == "theirs"


async def test_the_wal_is_cut_back_when_a_reader_lets_go(
    stores: SqliteStores, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A snapshot that is held keeps every page since; afterwards the file must not stay large."""
    wal = path.with_name("rmos.db-wal")
    monkeypatch.setattr("rmos.stores.sqlite.housekeeping.WAL_BYTES", 100_000)
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM patterns").fetchall()
    for _ in range(100):
        await stores.write(making(PATTERN, note="x" * 10_000))
    grown = wal.stat().st_size

    reader.close()
    async with asyncio.timeout(20):
        while wal.stat().st_size > 200_000:
            await stores.write(custom("x"))
            await asyncio.sleep(0.05)

    assert grown > 1_000_000

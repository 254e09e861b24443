"""A database that does not do what it must: a clear answer, and a server that goes on serving."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rmos.errors import CorruptError, StorageFullError

from .shops import PATTERNS, Shop, is_problem, make_pattern, open_shop


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Another program holds the write lock."""
    other = sqlite3.connect(database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


async def test_a_locked_database_blocks_only_writes(shop: Shop) -> None:
    pattern = await shop.make(PATTERNS, make_pattern())

    with locked(shop.database):
        writing = asyncio.create_task(shop.client.post(PATTERNS, json=make_pattern()))
        for _ in range(20):
            assert (await shop.client.get("/healthz")).status_code == 200
            assert (await shop.client.get(f"{PATTERNS}/{pattern['id']}")).status_code == 200
        assert not writing.done()
        assert "rmos_writes_waiting 1.0" in (await shop.client.get("/metrics")).text

    assert (await writing).status_code == 201
    assert await shop.counts() == [2, 0, 0, 2]
    assert "rmos_writes_waiting 0.0" in (await shop.client.get("/metrics")).text


async def test_a_database_that_stays_locked_gets_503_with_retry_after(tmp_path: Path) -> None:
    async with open_shop(tmp_path, busy_timeout_s=0.2) as shop:
        with locked(shop.database):
            answer = await shop.client.post(PATTERNS, json=make_pattern())

        assert is_problem(answer, 503, "unavailable")
        assert int(answer.headers["retry-after"]) >= 1
        assert await shop.counts() == [0, 0, 0, 0]
        assert (await shop.client.post(PATTERNS, json=make_pattern())).status_code == 201


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (StorageFullError("the disk is full"), 507, "storage_full"),
        (CorruptError("the log has a gap"), 500, "integrity"),
    ],
)
async def test_faults_of_storage_are_problems_and_are_logged(
    shop: Shop,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    status: int,
    code: str,
) -> None:
    async def fail(*_: object) -> None:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(type(shop.app.state.runtime.stores), "write", fail)
        answer = await shop.client.post(PATTERNS, json=make_pattern())

    assert is_problem(answer, status, code)
    assert [record.__dict__["request_id"] for record in caplog.records if record.exc_info] == [
        answer.headers["x-request-id"]
    ]
    assert (await shop.client.post(PATTERNS, json=make_pattern())).status_code == 201


async def test_writes_wait_for_room_in_the_fan_out(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    has_room = asyncio.Event()
    is_waiting = asyncio.Event()

    async def room() -> None:
        is_waiting.set()
        await has_room.wait()

    monkeypatch.setattr(shop.app.state.runtime.hub, "room", room)

    writing = asyncio.create_task(shop.client.post(PATTERNS, json=make_pattern()))
    await asyncio.wait_for(is_waiting.wait(), 5)
    assert await shop.counts() == [0, 0, 0, 0]
    has_room.set()

    assert (await writing).status_code == 201

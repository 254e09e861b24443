"""Idempotency: the answer is kept in the transaction of the write it answers."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from rmos.clock import to_timestamp
from rmos.domain.entities import PATTERN
from rmos.errors import ConflictError
from rmos.stores.base import ListQuery, RememberedAnswer, Stores, Transaction
from tests.contract.builders import making
from tests.contract.engines import Engine


def answer(scope: str, *, age_days: float = 0) -> RememberedAnswer:
    created_at = to_timestamp(datetime.now(UTC) - timedelta(days=age_days))
    headers = (("etag", '"1"'), ("location", "/ä"))
    return RememberedAnswer(scope, b"\x00\xff" * 16, 201, headers, b'{"a":1}', created_at)


async def test_an_answer_comes_back_as_it_was_given(engine: Engine) -> None:
    given = answer("POST /x local k1")
    async with engine.open() as stores:
        assert await stores.write(lambda tx: tx.recall(given.scope)) is None
        await stores.write(lambda tx: tx.remember(given))

    async with engine.open() as stores:
        assert await stores.write(lambda tx: tx.recall(given.scope)) == given
        assert await stores.write(lambda tx: tx.recall("POST /x local k2")) is None


async def test_an_answer_is_seen_within_its_transaction(stores: Stores) -> None:
    given = answer("k")

    def work(tx: Transaction) -> RememberedAnswer | None:
        tx.remember(given)
        return tx.recall("k")

    assert await stores.write(work) == given


async def test_no_answer_is_kept_of_a_write_that_failed(stores: Stores) -> None:
    def work(tx: Transaction) -> None:
        tx.remember(answer("k"))
        raise ConflictError("no")

    with pytest.raises(ConflictError):
        await stores.write(work)

    assert await stores.write(lambda tx: tx.recall("k")) is None


async def test_the_same_key_at_the_same_time_writes_once(stores: Stores) -> None:
    def once(tx: Transaction) -> bool:
        if tx.recall("k") is not None:
            return False
        making(PATTERN)(tx)
        tx.remember(answer("k"))
        return True

    wrote = await asyncio.gather(*(stores.write(once) for _ in range(32)))

    assert wrote.count(True) == 1
    assert (await stores.page(PATTERN, ListQuery({}))).total == 1


async def test_answers_are_forgotten_after_seven_days(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rmos.stores.sqlite.housekeeping.PRUNE_ROWS", 2)
    async with engine.open() as stores:
        for number in range(5):
            await stores.write(lambda tx, number=number: tx.remember(answer(f"old{number}", age_days=7.01)))  # type: ignore[misc]
        await stores.write(lambda tx: tx.remember(answer("young", age_days=6.99)))

        async with asyncio.timeout(20):
            while any(await stores.write(lambda tx: [tx.recall(f"old{n}") for n in range(5)])):  # pruning tells nobody
                await asyncio.sleep(0.02)
        assert await stores.write(lambda tx: tx.recall("young")) is not None

"""The same request sent twice does its work once."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import AbstractContextManager

import pytest

from rmos.web.idempotency import RunningKeys

from .shops import JOBS, PATTERNS, STORES, TIMEOUT_S, Shop, is_problem, make_job, make_pattern

KEY = {"Idempotency-Key": "0198c2f0-order-7"}


async def test_a_replay_returns_the_stored_answer_and_emits_nothing(shop: Shop) -> None:
    first = await shop.client.post(PATTERNS, json=make_pattern(), headers=KEY)
    await shop.client.put(first.headers["location"], json={"name": "changed since"})

    again = await shop.client.post(PATTERNS, json=make_pattern(), headers=KEY)

    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["location"] == first.headers["location"]
    assert again.headers["etag"] == '"1"'
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert await shop.event_types() == ["pattern:created", "pattern:updated"]


async def test_every_writing_method_can_be_repeated(shop: Shop) -> None:
    created = await shop.client.post(JOBS, json=make_job())
    member = created.headers["location"]

    for method, body in (("PUT", {"status": "running"}), ("PATCH", {"metadata": {"a": 1}}), ("DELETE", None)):
        first = await shop.client.request(method, member, json=body, headers=KEY)
        again = await shop.client.request(method, member, json=body, headers=KEY)
        assert first.status_code == 200
        assert (again.status_code, again.content) == (200, first.content)
        assert again.headers.get("etag") == first.headers.get("etag")

    operations = {"operations": [{"op": "create", "entity": "joblog", "data": make_job()}]}
    bulk = [await shop.client.post(f"{STORES}/bulk", json=operations, headers=KEY) for _ in range(2)]
    assert bulk[0].content == bulk[1].content
    assert await shop.event_types() == ["job:created", "job:updated", "job:updated", "job:deleted", "job:created"]


async def test_the_same_key_for_another_request_is_refused(shop: Shop) -> None:
    created = await shop.client.post(PATTERNS, json=make_pattern(), headers=KEY)

    assert is_problem(await shop.client.post(PATTERNS, json=make_pattern(name="x"), headers=KEY), 422, "invalid")
    # Another path or method is another scope.
    assert (await shop.client.post(JOBS, json=make_job(), headers=KEY)).status_code == 201
    assert (await shop.client.delete(created.headers["location"], headers=KEY)).status_code == 200
    # What the URL asks for belongs to the request as well.
    forced = await shop.client.delete(created.headers["location"], params={"force": "true"}, headers=KEY)
    assert is_problem(forced, 422, "invalid")


async def test_a_refused_request_is_judged_anew(shop: Shop) -> None:
    body = make_job(pattern_id="p1")
    assert (await shop.client.post(JOBS, json=body, headers=KEY)).status_code == 422
    await shop.make(PATTERNS, make_pattern(id="p1"))

    assert (await shop.client.post(JOBS, json=body, headers=KEY)).status_code == 201


async def test_at_once_only_one_does_the_work(shop: Shop) -> None:
    answers = await asyncio.gather(*(shop.client.post(PATTERNS, json=make_pattern(), headers=KEY) for _ in range(20)))

    statuses = {answer.status_code for answer in answers}
    assert 201 in statuses
    assert statuses <= {201, 409}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    assert await shop.counts() == [1, 0, 0, 1]


async def test_a_key_that_is_still_running_gets_409(shop: Shop) -> None:
    is_claimed = asyncio.Event()

    class Observed(RunningKeys):
        def claim(self, scope: str) -> AbstractContextManager[None]:
            is_claimed.set()
            return super().claim(scope)

    shop.app.state.running_keys = Observed()
    locker = sqlite3.connect(shop.database, isolation_level=None)
    locker.execute("BEGIN IMMEDIATE")
    try:
        first = asyncio.create_task(shop.client.post(PATTERNS, json=make_pattern(), headers=KEY))
        await asyncio.wait_for(is_claimed.wait(), TIMEOUT_S)

        second = await shop.client.post(PATTERNS, json=make_pattern(), headers=KEY)
    finally:
        locker.execute("ROLLBACK")
        locker.close()

    assert is_problem(second, 409, "conflict")
    assert (await first).status_code == 201
    assert await shop.counts() == [1, 0, 0, 1]


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "schlüssel".encode()])
async def test_bad_keys_are_refused(shop: Shop, key: str | bytes) -> None:
    answer = await shop.client.post(PATTERNS, json=make_pattern(), headers={"Idempotency-Key": key})

    assert is_problem(answer, 400, "bad_request")
    assert await shop.counts() == [0, 0, 0, 0]

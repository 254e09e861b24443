"""The audit trail over HTTP."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from typing import Any

import pytest

from rmos.eventlog.bundle import BundleCheck

from .shops import PATTERNS, Shop, is_problem, make_pattern, open_shop, pointers

VERIFY, EXPORT = "/api/rmos/audit/verify", "/api/rmos/audit/export"


async def verification(shop: Shop, **params: Any) -> dict[str, Any]:
    answer = await shop.client.get(VERIFY, params=params)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["verification"]
    return found


def tamper(shop: Shop, sql: str) -> None:
    with closing(sqlite3.connect(shop.database)) as database:
        assert database.execute(sql).rowcount
        database.commit()


async def bundle(shop: Shop, **params: Any) -> BundleCheck:
    answer = await shop.client.get(EXPORT, params=params)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/jsonl"
    check = BundleCheck(answer.content.splitlines(keepends=True))
    list(check)
    return check


async def test_an_empty_log_is_sound(shop: Shop) -> None:
    found = await verification(shop)

    assert found["ok"] is True
    assert (found["checked"], found["oldest"], found["head"]) == (0, 1, 0)
    assert found["hash"] == found["anchor"] == "0" * 64
    assert [(epoch["epoch"], epoch["from"], epoch["reason"]) for epoch in found["epochs"]] == [
        (found["epoch"], 1, "created")
    ]


async def test_a_log_is_verified_while_it_grows(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rmos.eventlog.sqlite_audit.PAGE_EVENTS", 3)
    for _ in range(10):
        await shop.make(PATTERNS, make_pattern())

    async with asyncio.TaskGroup() as tasks:
        growing = [tasks.create_task(shop.make(PATTERNS, make_pattern())) for _ in range(20)]
        found = [await verification(shop) for _ in range(5)]
        await asyncio.gather(*growing)

    assert all(one["ok"] and one["checked"] == one["head"] >= 10 for one in found)
    assert (await verification(shop))["checked"] == 30


async def test_a_changed_event_is_named(shop: Shop) -> None:
    for _ in range(3):
        await shop.make(PATTERNS, make_pattern())
    before = await verification(shop)
    tamper(shop, "UPDATE events SET actor = 'nobody' WHERE \"offset\" = 2")

    found = await verification(shop, head=before["noted"])

    assert before["ok"] is True
    assert found["ok"] is False
    assert found["fault"] == {"offset": 2, "reason": "its content was changed"}
    assert found["checked"] == 1


async def test_a_noted_head_is_compared(shop: Shop) -> None:
    await shop.make(PATTERNS, make_pattern())
    noted = (await verification(shop))["noted"]
    await shop.make(PATTERNS, make_pattern())

    same = await verification(shop, head=noted)
    other = await verification(shop, head=f"1:{'5' * 64}")

    assert (same["ok"], same["compared"]) == (True, 1)
    assert (other["ok"], other["fault"]["offset"]) == (False, 1)


@pytest.mark.parametrize("head", ["", "1", "1:ab", f"-1:{'0' * 64}", f"x:{'0' * 64}", f"1:{'g' * 64}"])
async def test_a_malformed_head_is_refused(shop: Shop, head: str) -> None:
    answer = await shop.client.get(VERIFY, params={"head": head})

    assert is_problem(answer, 422, "invalid")
    assert pointers(answer) == ["/head"]


async def test_a_bundle_holds_what_was_asked_for(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rmos.eventlog.sqlite_audit.PAGE_EVENTS", 2)
    for _ in range(7):
        await shop.make(PATTERNS, make_pattern())
        await asyncio.sleep(0.003)  # so that each has a time of its own
    times = [event["timestamp"] for event in await shop.events()]

    def held(check: BundleCheck) -> tuple[int, int]:
        assert check.fault is None
        assert check.checked == check.header.last - check.header.first + 1
        return check.header.first, check.header.last

    assert held(await bundle(shop)) == (1, 7)
    assert held(await bundle(shop, **{"from": 3, "to": 5})) == (3, 5)
    assert held(await bundle(shop, **{"from": times[2], "to": times[4]})) == (3, 5)
    assert held(await bundle(shop, **{"from": "2000-01-01T00:00:00+01:00", "to": "2000-01-02T00:00:00Z"})) == (1, 0)
    assert held(await bundle(shop, **{"from": "2999-01-01T00:00:00Z"})) == (8, 7)


@pytest.mark.parametrize(
    ("params", "status", "code"),
    [
        ({"from": "yesterday"}, 422, "invalid"),
        ({"to": "2026-11-24T10:00:00"}, 422, "invalid"),
        ({"from": "2", "to": "0"}, 422, "invalid"),
        ({"from": "9"}, 409, "conflict"),
        ({"to": "9"}, 409, "conflict"),
        ({"from": "0"}, 409, "conflict"),
        ({"until": "1"}, 422, "invalid"),
    ],
)
async def test_a_range_that_there_is_not_is_refused(shop: Shop, params: dict[str, str], status: int, code: str) -> None:
    for _ in range(2):
        await shop.make(PATTERNS, make_pattern())

    assert is_problem(await shop.client.get(EXPORT, params=params), status, code)


async def test_a_damaged_log_is_not_exported_as_if_it_were_whole(shop: Shop) -> None:
    for _ in range(3):
        await shop.make(PATTERNS, make_pattern())
    tamper(shop, 'DELETE FROM events WHERE "offset" = 2')

    assert is_problem(await shop.client.get(EXPORT), 500, "integrity")


async def test_a_shortened_log_is_exported_from_its_anchor(tmp_path: Any) -> None:
    async with open_shop(tmp_path, log_keep_events=2) as shop:
        for _ in range(6):
            await shop.make(PATTERNS, make_pattern())
        async with asyncio.timeout(20):
            while (await verification(shop))["oldest"] < 5:
                await asyncio.sleep(0.05)

        found = await verification(shop)
        check = await bundle(shop)

    assert found["ok"] is True
    assert check.fault is None
    assert (check.header.first, check.header.last) == (5, 6)
    assert check.header.anchor.hex() == found["anchor"]

"""Looking back in time over HTTP."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from .shops import FAMILIES, JOBS, PATTERNS, Shop, is_problem, make_family, make_job, make_pattern, open_shop, pointers

STATE = "/api/rmos/monitor/state"
KINDS = ("patterns", "joblogs", "strip_families")


async def state(shop: Shop, **params: Any) -> dict[str, Any]:
    answer = await shop.client.get(STATE, params=params)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    assert list(body) == ["success", "at", *KINDS, "next"]
    return body


async def cursor(shop: Shop, offset: int) -> str:
    return (await state(shop))["at"]["cursor"].partition(":")[0] + f":{offset}"


async def test_now_is_what_the_lists_show(shop: Shop) -> None:
    for path, body in ((PATTERNS, make_pattern()), (JOBS, make_job()), (JOBS, make_job()), (FAMILIES, make_family())):
        await shop.make(path, body)

    answer = await shop.client.get(STATE)

    for path, name in zip((PATTERNS, JOBS, FAMILIES), KINDS, strict=True):
        listed = (await shop.client.get(path, params={"sort": "id"})).content
        start = listed.index(b"[")
        assert listed[start : listed.rindex(b"]") + 1] in answer.content, name
    body = answer.json()
    assert body["at"]["offset"] == 4
    assert body["at"]["time"] == body["strip_families"][0]["created_at"]
    assert body["next"] is None


async def test_a_cursor_and_a_time_show_the_shop_of_then(shop: Shop) -> None:
    pattern = await shop.make(PATTERNS, make_pattern())
    job = await shop.make(JOBS, make_job())
    path = f"{JOBS}/{job['id']}"
    changed = (await shop.client.put(path, json={"status": "running"})).json()["joblog"]
    await shop.client.delete(path)
    events = await shop.events()

    states = [await state(shop, at=await cursor(shop, offset)) for offset in range(5)]

    assert [one["patterns"] for one in states] == [[], *[[pattern]] * 4]
    assert [one["joblogs"] for one in states] == [[], [], [job], [changed], []]
    assert [one["at"]["offset"] for one in states] == [0, 1, 2, 3, 4]
    assert states[0]["at"]["time"] is None
    assert [one["at"]["time"] for one in states[1:]] == [event["timestamp"] for event in events]
    assert [one["at"]["cursor"] for one in states[1:]] == [event["id"] for event in events]
    last = await state(shop, at=events[-1]["timestamp"])
    assert last == states[4]
    assert (await state(shop, at="2001-01-01T00:00:00Z"))["at"]["offset"] == 0


async def test_filters_and_channels_narrow_by_what_the_entity_was_then(shop: Shop) -> None:
    await shop.make(PATTERNS, make_pattern())
    job = await shop.make(JOBS, make_job(project_id="p1"))
    await shop.make(JOBS, make_job(machine_id="cnc1"))
    await shop.client.put(f"{JOBS}/{job['id']}", json={"project_id": "p2"})

    async def counts(**params: Any) -> list[int]:
        body = await state(shop, **params)
        return [len(body[name]) for name in KINDS]

    assert await counts(filters="job") == [0, 2, 0]
    assert await counts(filters="pattern,material") == [1, 0, 0]
    assert await counts(filters="") == [0, 0, 0]
    assert await counts(channels="project:p1") == [0, 0, 0]
    assert await counts(channels="project:p2") == [0, 1, 0]
    assert await counts(channels="project:p1", at=await cursor(shop, 3)) == [0, 1, 0]
    assert await counts(channels="project:*,machine:cnc1") == [0, 2, 0]


async def test_pages_stay_at_their_place_while_others_write(shop: Shop) -> None:
    made = [await shop.make(JOBS, make_job()) for _ in range(5)]

    body = await state(shop, limit=2)
    jobs = body["joblogs"]
    while body["next"]:
        await shop.make(JOBS, make_job())
        await shop.client.put(f"{JOBS}/{made[-1]['id']}", json={"status": "failed"})
        body = await state(shop, limit=2, after=body["next"])
        assert body["at"]["offset"] == 5
        jobs += body["joblogs"]

    assert jobs == sorted(made, key=lambda job: job["id"])


async def test_the_link_leads_to_the_next_page(shop: Shop) -> None:
    made = [await shop.make(JOBS, make_job()) for _ in range(3)]

    answer = await shop.client.get(STATE, params={"limit": 2, "filters": "job"})
    link = answer.links["next"]["url"]

    assert (await shop.client.get(link)).json()["joblogs"] == [max(made, key=lambda job: job["id"])]


async def test_bad_parameters_are_refused(shop: Shop) -> None:
    for params, pointer in (
        ({"at": "yesterday"}, "/at"),
        ({"at": "2026-13-24T10:00:00Z"}, "/at"),
        ({"at": "x:-1"}, "/at"),
        ({"at": "2999-01-01T00:00:00Z"}, "/at"),
        ({"at": await cursor(shop, 1)}, "/at"),
        ({"after": "zzz"}, "/after"),
        ({"after": "WyJhOjEiXQ"}, "/after"),
        ({"after": "é"}, "/after"),
        ({"filters": "jobs"}, "/filters"),
        ({"channels": "p7"}, "/channels"),
        ({"types": "job:created"}, "/types"),
        ({"limit": "1001"}, "/limit"),
    ):
        answer = await shop.client.get(STATE, params=params)
        assert is_problem(answer, 422, "invalid"), params
        assert pointers(answer) == [pointer]


async def test_another_log_is_a_conflict(shop: Shop) -> None:
    assert is_problem(await shop.client.get(STATE, params={"at": "other1:0"}), 409, "conflict")


async def test_before_what_is_kept_is_gone_and_the_oldest_place_is_told(tmp_path: Path) -> None:
    async with open_shop(tmp_path) as shop:
        jobs = [await shop.make(JOBS, make_job()) for _ in range(6)]
    async with open_shop(tmp_path, log_keep_events=2) as shop:
        while len(await shop.events()) > 2:
            await asyncio.sleep(0.05)
        oldest = await cursor(shop, 4)

        for at in (await cursor(shop, 3), "2001-01-01T00:00:00Z"):
            answer = await shop.client.get(STATE, params={"at": at})
            assert is_problem(answer, 410, "expired")
            assert oldest in answer.json()["detail"]
        body = await state(shop, at=oldest)

    assert sorted(job["id"] for job in body["joblogs"]) == sorted(job["id"] for job in jobs[:4])
    assert body["at"] == {"offset": 4, "cursor": oldest, "time": None}

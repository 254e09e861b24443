"""Many writes in one request."""

from __future__ import annotations

from typing import Any

from .shops import JOBS, PATTERNS, STORES, Shop, is_problem, make_job, make_pattern, pointers

BULK = f"{STORES}/bulk"


def create(data: dict[str, Any], entity: str = "pattern") -> dict[str, Any]:
    return {"op": "create", "entity": entity, "data": data}


async def test_operations_see_what_those_before_them_did(shop: Shop) -> None:
    operations = [
        create(make_pattern(id="p1")),
        create(make_job(id="j1", pattern_id="p1"), "joblog"),
        {"op": "update", "entity": "joblog", "id": "j1", "version": 1, "data": {"status": "completed"}},
        {"op": "update", "entity": "pattern", "id": "p1", "data": {"name": "Torres diamond"}},
        {"op": "delete", "entity": "joblog", "id": "j1"},
    ]

    answer = await shop.client.post(BULK, json={"operations": operations})

    assert answer.status_code == 200
    assert answer.json() == {
        "success": True,
        "results": [
            {"index": 0, "status": 201, "id": "p1", "version": 1},
            {"index": 1, "status": 201, "id": "j1", "version": 1},
            {"index": 2, "status": 200, "id": "j1", "version": 2},
            {"index": 3, "status": 200, "id": "p1", "version": 1},
            {"index": 4, "status": 200, "id": "j1", "version": None},
        ],
    }
    assert await shop.event_types() == ["pattern:created", "job:created", "job:completed", "job:deleted"]


async def test_one_fault_refuses_all_and_every_fault_is_named(shop: Shop) -> None:
    operations = [create(make_pattern()), create(make_pattern(name=7)), create(make_job(status="done"), "joblog")]

    answer = await shop.client.post(BULK, json={"operations": operations})

    assert is_problem(answer, 422, "invalid")
    assert pointers(answer) == ["/operations/1/data/name", "/operations/2/data/status"]
    assert await shop.counts() == [0, 0, 0, 0]


async def test_partial_keeps_what_succeeds(shop: Shop) -> None:
    operations = [
        create(make_pattern(id="p1")),
        create(make_pattern(name=None)),
        {"op": "update", "entity": "pattern", "id": "nope", "data": {}},
        {"op": "update", "entity": "pattern", "id": "p1", "version": 9, "data": {"name": "x"}},
    ]

    answer = await shop.client.post(BULK, params={"partial": "true"}, json={"operations": operations})

    assert answer.status_code == 200
    results = answer.json()["results"]
    assert [result["status"] for result in results] == [201, 422, 404, 412]
    assert "error" not in results[0]
    assert results[1]["error"]["errors"][0]["pointer"] == "/operations/1/data/name"
    assert results[2]["error"]["code"] == "not_found"
    assert await shop.counts() == [1, 0, 0, 1]


async def test_malformed_bulk_requests_are_refused(shop: Shop) -> None:
    for body, pointer in (
        ([], ""),
        ({}, "/operations"),
        ({"operations": {}}, "/operations"),
        ({"operations": [], "atomic": True}, "/atomic"),
        ({"operations": [7]}, "/operations/0"),
        ({"operations": [{"op": "upsert", "entity": "pattern", "data": {}}]}, "/operations/0/op"),
        ({"operations": [{"op": "create", "entity": "guitar", "data": {}}]}, "/operations/0/entity"),
        ({"operations": [{"op": "delete", "entity": "pattern"}]}, "/operations/0/id"),
    ):
        answer = await shop.client.post(BULK, json=body)
        assert is_problem(answer, 422, "invalid")
        assert pointer in pointers(answer)
    assert await shop.counts() == [0, 0, 0, 0]


async def test_no_operations_are_fine(shop: Shop) -> None:
    answer = await shop.client.post(BULK, json={"operations": []})

    assert answer.json() == {"success": True, "results": []}


async def test_a_thousand_entities_in_one_request(shop: Shop) -> None:
    answer = await shop.client.post(BULK, json={"operations": [create(make_job(), "joblog")] * 1000})

    assert answer.status_code == 200
    assert (await shop.client.get(JOBS, params={"limit": 1})).json()["total"] == 1000
    assert (await shop.client.get(PATTERNS)).json()["total"] == 0

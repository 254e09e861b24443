"""Create, read, change and delete one entity."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .shops import FAMILIES, JOBS, PATTERNS, Shop, is_problem, make_family, make_job, make_pattern, pointers

KINDS = [
    pytest.param(PATTERNS, "pattern", "Pattern", make_pattern(), id="pattern"),
    pytest.param(JOBS, "joblog", "JobLog", make_job(), id="joblog"),
    pytest.param(FAMILIES, "strip_family", "Strip family", make_family(), id="strip_family"),
]
CATEGORY = {"pattern": "pattern", "joblog": "job", "strip_family": "material"}


@pytest.mark.parametrize(("path", "name", "label", "body"), KINDS)
async def test_life_of_an_entity(shop: Shop, path: str, name: str, label: str, body: dict[str, Any]) -> None:
    created = await shop.client.post(path, json=body)
    assert created.status_code == 201
    assert list(created.json()) == ["success", name]
    document = created.json()[name]
    member = f"{path}/{document['id']}"
    assert created.headers["location"] == member
    assert created.headers["etag"] == '"1"'
    assert document["version"] == 1
    assert document["created_at"] == document["updated_at"]

    read = await shop.client.get(member)
    assert read.status_code == 200
    assert read.content == created.content
    assert read.headers["etag"] == '"1"'

    changed = await shop.client.put(member, json={"metadata": {"shelf": "B"}})
    assert changed.status_code == 200
    assert changed.headers["etag"] == '"2"'
    assert changed.json()[name] == {
        **document,
        "metadata": {"shelf": "B"},
        "version": 2,
        "updated_at": changed.json()[name]["updated_at"],
    }

    deleted = await shop.client.delete(member)
    assert deleted.status_code == 200
    assert deleted.json() == {"success": True, "message": f"{label} deleted: {document['id']}"}

    for answer in (
        await shop.client.get(member),
        await shop.client.delete(member),
        await shop.client.put(member, json={}),
    ):
        assert is_problem(answer, 404, "not_found")
        assert answer.json()["detail"] == f"{label} not found: {document['id']}"
    category = CATEGORY[name]
    assert await shop.event_types() == [f"{category}:created", f"{category}:updated", f"{category}:deleted"]


async def test_event_data_are_the_bytes_of_get(shop: Shop) -> None:
    odd = {
        "text": '日本 \\ " \u2028 <b>',
        "numbers": [1, 1.0, 1e-7, 0.1, -0.0, 12345678901234567],
        "deep": {"a": [None, True]},
    }
    created = await shop.client.post(PATTERNS, json=make_pattern(metadata=odd))
    first = created.content
    member = created.headers["location"]
    second = (await shop.client.patch(member, json={"metadata": {"more": "é"}})).content

    log = (await shop.client.get("/api/rmos/monitor/events")).content

    for answer in (first, second):
        document = answer.removeprefix(b'{"success":true,"pattern":').removesuffix(b"}")
        assert b'"data":%b,' % document in log
    assert (await shop.client.get(member)).content == second


async def test_put_replaces_fields_whole_and_patch_merges(shop: Shop) -> None:
    pattern = await shop.make(PATTERNS, make_pattern(metadata={"a": 1, "b": {"c": 2}}))
    member = f"{PATTERNS}/{pattern['id']}"

    put = await shop.client.put(member, json={"metadata": {"b": {"d": 3}}})
    assert put.json()["pattern"]["metadata"] == {"b": {"d": 3}}

    patch = await shop.client.patch(
        member,
        content=json.dumps({"metadata": {"b": {"e": 4, "d": None}}}),
        headers={"Content-Type": "application/merge-patch+json"},
    )
    assert patch.json()["pattern"]["metadata"] == {"b": {"e": 4}}

    cleared = await shop.client.put(member, json={"metadata": None})
    assert cleared.json()["pattern"]["metadata"] is None


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_a_write_that_changes_nothing_emits_nothing(shop: Shop, method: str) -> None:
    created = await shop.client.post(JOBS, json=make_job(status="running"))
    member = created.headers["location"]

    for body in ({}, {"status": "running"}, created.json()["joblog"]):
        answer = await shop.client.request(method, member, json=body)
        assert answer.status_code == 200
        assert answer.content == created.content
        assert answer.headers["etag"] == '"1"'

    assert await shop.event_types() == ["job:created"]


async def test_job_events_follow_the_status(shop: Shop) -> None:
    job = await shop.make(JOBS, make_job(status="pending"))
    member = f"{JOBS}/{job['id']}"

    await shop.client.put(member, json={"status": "running"})
    await shop.client.put(member, json={"status": "completed", "duration_seconds": 45.3})
    await shop.client.put(member, json={"status": "completed"})
    await shop.client.put(member, json={"status": "completed", "note": "fine"})
    refused = await shop.client.put(member, json={"status": "running"})
    await shop.client.put(member, json={"status": "error", "reopen": True})

    assert is_problem(refused, 409, "conflict")
    assert "reopen" in refused.json()["detail"]
    assert await shop.event_types() == ["job:created", "job:updated", "job:completed", "job:updated", "job:failed"]


async def test_if_match_refuses_another_version(shop: Shop) -> None:
    pattern = await shop.make(PATTERNS, make_pattern())
    member = f"{PATTERNS}/{pattern['id']}"

    for method, body in (("PUT", {"name": "x"}), ("PATCH", {"name": "x"}), ("DELETE", None)):
        for tag in ('"2"', 'W/"1"'):
            answer = await shop.client.request(method, member, json=body, headers={"If-Match": tag})
            assert is_problem(answer, 412, "precondition_failed")
        for tag in ("1", '"x"', '"1", "2"', '""', '"-1"'):
            answer = await shop.client.request(method, member, json=body, headers={"If-Match": tag})
            assert is_problem(answer, 400, "bad_request")
    assert await shop.event_types() == ["pattern:created"]

    assert (await shop.client.put(member, json={"name": "x"}, headers={"If-Match": '"1"'})).status_code == 200
    assert (await shop.client.put(member, json={"name": "y"}, headers={"If-Match": "*"})).status_code == 200
    assert (await shop.client.delete(member, headers={"If-Match": '"3"'})).status_code == 200


async def test_if_none_match_answers_304(shop: Shop) -> None:
    pattern = await shop.make(PATTERNS, make_pattern())
    member = f"{PATTERNS}/{pattern['id']}"

    for tag in ('"1"', 'W/"1"', '"7", "1"', "*"):
        answer = await shop.client.get(member, headers={"If-None-Match": tag})
        assert answer.status_code == 304
        assert answer.content == b""
        assert answer.headers["etag"] == '"1"'
    assert (await shop.client.get(member, headers={"If-None-Match": '"2"'})).status_code == 200


async def test_a_client_may_choose_the_id_once(shop: Shop) -> None:
    body = make_pattern(id="rope-ü 1".replace(" ", "_"))
    created = await shop.client.post(PATTERNS, json=body)
    assert created.status_code == 201
    assert (await shop.client.get(created.headers["location"])).content == created.content

    again = await shop.client.post(PATTERNS, json=body)

    assert is_problem(again, 409, "conflict")
    assert await shop.counts() == [1, 0, 0, 1]


async def test_unknown_foreign_keys_are_refused_with_a_pointer(shop: Shop) -> None:
    for path, body, pointer in (
        (JOBS, make_job(pattern_id="nope"), "/pattern_id"),
        (JOBS, make_job(strip_family_id="nope"), "/strip_family_id"),
        (PATTERNS, make_pattern(strip_family_id="nope"), "/strip_family_id"),
    ):
        answer = await shop.client.post(path, json=body)
        assert is_problem(answer, 422, "invalid")
        assert pointers(answer) == [pointer]
    assert await shop.counts() == [0, 0, 0, 0]


async def test_what_is_referenced_is_deleted_only_by_force(shop: Shop) -> None:
    family = await shop.make(FAMILIES, make_family())
    pattern = await shop.make(PATTERNS, make_pattern(strip_family_id=family["id"]))
    job = await shop.make(JOBS, make_job(strip_family_id=family["id"], pattern_id=pattern["id"]))
    member = f"{FAMILIES}/{family['id']}"

    refused = await shop.client.delete(member)
    assert is_problem(refused, 409, "conflict")
    assert pattern["id"] in refused.json()["detail"]
    assert job["id"] in refused.json()["detail"]
    assert is_problem(await shop.client.delete(member, params={"force": "yes"}), 422, "invalid")
    assert len(await shop.events()) == 3

    assert (await shop.client.delete(member, params={"force": "true"})).status_code == 200

    assert sorted((await shop.event_types())[3:5]) == ["job:updated", "pattern:updated"]
    assert (await shop.event_types())[5:] == ["material:deleted"]
    assert (await shop.client.get(f"{JOBS}/{job['id']}")).json()["joblog"]["strip_family_id"] is None


async def test_history_tells_who_changed_what(shop: Shop) -> None:
    job = await shop.make(JOBS, make_job(project_id="p7"))
    member = f"{JOBS}/{job['id']}"
    await shop.client.put(member, json={"operator": "Ana"})
    await shop.client.delete(member)

    answer = await shop.client.get(f"{member}/history")

    history = answer.json()["history"]
    assert [entry["event"] for entry in history] == ["job:created", "job:updated", "job:deleted"]
    assert [entry["version"] for entry in history] == [1, 2, 3]
    assert {entry["actor"] for entry in history} == {"local"}
    assert history[1]["diff"] == [{"path": "/operator", "from": None, "to": "Ana"}]
    missing = await shop.client.get(f"{JOBS}/nope/history")
    assert is_problem(missing, 404, "not_found")
    assert missing.json()["detail"] == "JobLog not found: nope"


async def test_events_carry_actor_channels_and_request(shop: Shop) -> None:
    await shop.client.post(JOBS, json=make_job(project_id="p7", machine_id="cnc1"))

    (event,) = await shop.events()

    assert event["actor"] == "local"
    assert event["channels"] == ["project:p7", "machine:cnc1"]
    assert event["version"] == 1
    assert event["key"] == f"job/{event['data']['id']}"

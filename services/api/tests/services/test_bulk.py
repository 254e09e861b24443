"""Many writes at once: whole or not at all, or each on its own when asked for."""

from __future__ import annotations

import pytest

from rmos.domain.entities import JOBLOG, MAX_ENTITY_BYTES, PATTERN, STRIP_FAMILY, JsonObject, JsonValue
from rmos.errors import (
    BadRequestError,
    ClientError,
    ConflictError,
    InvalidError,
    NotFoundError,
    PreconditionFailedError,
)
from rmos.services.bulk import BulkResult, run_bulk
from tests.services.support import Shop


def creation(**data: JsonValue) -> JsonObject:
    return {"op": "create", "entity": "pattern", "data": {"name": "Rope", "ring_count": 3} | data}


async def bulk(shop: Shop, *operations: JsonValue, partial: bool = False) -> list[BulkResult]:
    return await shop.act(lambda tx, context: run_bulk(tx, list(operations), context, partial=partial))


async def refused(shop: Shop, *operations: JsonValue) -> ClientError:
    """The error of an atomic run, of which nothing was kept."""
    before, head = await shop.snapshot(), await shop.stores.log.head()
    with pytest.raises(ClientError) as caught:
        await bulk(shop, *operations)
    assert await shop.snapshot() == before
    assert await shop.stores.log.head() == head
    return caught.value


async def test_operations_run_in_order_and_see_each_other(shop: Shop):
    results = await bulk(
        shop,
        {"op": "create", "entity": "pattern", "id": "p", "data": {"name": "Rope", "ring_count": 1}},
        {"op": "create", "entity": "joblog", "data": {"id": "j", "job_type": "slice", "pattern_id": "p"}},
        {"op": "update", "entity": "joblog", "id": "j", "version": 1, "data": {"status": "completed"}},
        {"op": "update", "entity": "pattern", "id": "p", "data": {"name": "Rope"}},
        {"op": "delete", "entity": "joblog", "id": "j", "version": 2},
        creation(),
    )

    assert [(r.index, r.status, r.id, r.version, r.error) for r in results[:5]] == [
        (0, 201, "p", 1, None),
        (1, 201, "j", 1, None),
        (2, 200, "j", 2, None),
        (3, 200, "p", 1, None),
        (4, 200, "j", None, None),
    ]
    assert len(str(results[5].id)) == 36
    types = [event.type for event in await shop.stores.log.read(0)]
    assert types == ["pattern:created", "job:created", "job:completed", "job:deleted", "pattern:created"]


async def test_no_operations_are_fine(shop: Shop):
    assert await bulk(shop) == []


async def test_one_fault_undoes_all_and_every_fault_is_told(shop: Shop):
    error = await refused(
        shop,
        creation(id="a"),
        creation(name="", ring_count=0),
        {"op": "create", "entity": "joblog", "data": {"job_type": "slice", "pattern_id": "ghost"}},
        {"op": "update", "entity": "pattern", "id": "ghost", "data": {}},
        creation(ring_count="x"),
    )

    assert isinstance(error, InvalidError)
    assert [fault.pointer for fault in error.errors] == [
        "/operations/1/data/name",
        "/operations/1/data/ring_count",
        "/operations/2/data/pattern_id",
        "/operations/4/data/ring_count",
    ]


@pytest.mark.parametrize(
    ("operation", "error"),
    [
        ({"op": "update", "entity": "pattern", "id": "ghost", "data": {}}, NotFoundError),
        ({"op": "create", "entity": "pattern", "data": {"id": "p", "name": "x", "ring_count": 1}}, ConflictError),
        ({"op": "update", "entity": "pattern", "id": "p", "version": 2, "data": {}}, PreconditionFailedError),
        ({"op": "delete", "entity": "pattern", "id": "p", "version": 9}, PreconditionFailedError),
    ],
)
async def test_a_refusal_of_another_kind_keeps_its_kind_and_names_the_operation(
    shop: Shop, operation: JsonObject, error: type[ClientError]
):
    await shop.make_pattern(id="p")

    raised = await refused(shop, creation(), operation)

    assert type(raised) is error
    assert raised.message.startswith("operations/1: ")


@pytest.mark.parametrize(
    ("operation", "pointer"),
    [
        (7, ""),
        ([], ""),
        ({}, "/op"),
        ({"op": "upsert", "entity": "pattern", "data": {}}, "/op"),
        ({"op": "create", "entity": "patterns", "data": {}}, "/entity"),
        ({"op": "create", "entity": "pattern"}, "/data"),
        ({"op": "create", "entity": "pattern", "data": []}, "/data"),
        ({"op": "create", "entity": "pattern", "data": {}, "force": True}, "/force"),
        ({"op": "create", "entity": "pattern", "data": {}, "version": 1}, "/version"),
        ({"op": "create", "entity": "pattern", "id": "a b", "data": {}}, "/id"),
        ({"op": "create", "entity": "pattern", "id": "a", "data": {"id": "b"}}, "/data/id"),
        ({"op": "update", "entity": "pattern", "data": {}}, "/id"),
        ({"op": "update", "entity": "pattern", "id": "p", "version": 0, "data": {}}, "/version"),
        ({"op": "update", "entity": "pattern", "id": "p", "version": 10**400, "data": {}}, "/version"),
        ({"op": "delete", "entity": "pattern"}, "/id"),
        ({"op": "delete", "entity": "pattern", "id": "p", "data": {}}, "/data"),
    ],
)
async def test_a_malformed_operation_is_told_with_its_place(shop: Shop, operation: JsonValue, pointer: str):
    error = await refused(shop, creation(), operation)

    assert isinstance(error, InvalidError)
    assert error.errors[0].pointer == f"/operations/1{pointer}"


async def test_a_hopeless_run_ends_early(shop: Shop):
    error = await refused(shop, *[creation(name="") for _ in range(5000)])

    assert isinstance(error, InvalidError)
    assert len(error.errors) == 100


async def test_a_partial_run_keeps_what_succeeds_and_nothing_of_what_fails(shop: Shop):
    family = await shop.make_family()
    pattern = await shop.make_pattern(strip_family_id=family.id)

    results = await bulk(
        shop,
        creation(id="a"),
        {"op": "create", "entity": "pattern", "data": {"id": "b", "name": "", "ring_count": 1}},
        creation(id="c", metadata={"x": "x" * MAX_ENTITY_BYTES}),
        {"op": "create", "entity": "joblog", "data": {"id": "j", "job_type": "slice", "pattern_id": "b"}},
        {"op": "delete", "entity": "strip_family", "id": family.id},
        {"op": "update", "entity": "pattern", "id": pattern.id, "data": {"strip_family_id": None}},
        {"op": "delete", "entity": "strip_family", "id": family.id},
        "nonsense",
        partial=True,
    )

    assert [(r.status, r.id) for r in results] == [
        (201, "a"),
        (422, None),
        (413, None),
        (422, None),
        (409, family.id),
        (200, pattern.id),
        (200, family.id),
        (422, None),
    ]
    assert [r.index for r in results] == list(range(8))
    assert results[1].error is not None
    assert "operations/1/data/name" in results[1].error.message
    assert set(await shop.snapshot()) == {PATTERN.key("a"), PATTERN.key(pattern.id)}
    assert await shop.stores.get(JOBLOG, "j") is None
    assert await shop.stores.get(STRIP_FAMILY, family.id) is None


def test_client_errors_can_be_told_again_with_their_place():
    """`type(error)(message)` must work for every client error; this fails when one gets another constructor."""
    for kind in ClientError.__subclasses__():
        assert kind("x").message == "x"
    assert BadRequestError in ClientError.__subclasses__()

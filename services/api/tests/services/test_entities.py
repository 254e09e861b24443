"""Create, change and delete, each with exactly its events. `Shop.act` holds every action against its events."""

from __future__ import annotations

import re

import pytest

from rmos.domain.entities import JOBLOG, KINDS, MAX_ENTITY_BYTES, PATTERN, STRIP_FAMILY, JsonObject, Kind
from rmos.errors import ConflictError, InvalidError, NotFoundError, PreconditionFailedError, TooLargeError
from rmos.services import entities
from tests.services.support import LATER, NOW, Shop, document_of

REQUIRED: dict[str, JsonObject] = {
    PATTERN.name: {"name": "Rope", "ring_count": 3},
    JOBLOG.name: {"job_type": "slice"},
    STRIP_FAMILY.name: {"name": "Maple", "strip_width_mm": 6, "strip_thickness_mm": 0.6, "material_type": "maple"},
}
every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


# Create


@every_kind
async def test_a_creation_is_version_1_with_one_event_of_the_same_bytes(shop: Shop, kind: Kind):
    events = await shop.events_of(lambda tx, context: entities.create(tx, kind, REQUIRED[kind.name], context))

    [event] = events
    assert event.type == f"{kind.category}:created"
    stored = await shop.stores.get(kind, str(event.key).partition("/")[2])
    assert stored is not None
    assert (stored.version, stored.body) == (1, event.data)


async def test_a_job_that_is_created_as_ended_is_only_created(shop: Shop):
    events = await shop.events_of(
        lambda tx, context: entities.create(tx, JOBLOG, {"job_type": "slice", "status": "completed"}, context)
    )

    assert [event.type for event in events] == ["job:created"]


@every_kind
async def test_ids_are_made_in_order_of_time_unless_given(shop: Shop, kind: Kind):
    own = await shop.create(kind, id="my-own", **REQUIRED[kind.name])
    first = await shop.create(kind, **REQUIRED[kind.name])
    second = await shop.create(kind, id=None, **REQUIRED[kind.name])

    assert own.id == "my-own"
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", first.id)
    assert first.id[:13] <= second.id[:13]


@every_kind
async def test_an_id_that_is_taken_is_a_conflict(shop: Shop, kind: Kind):
    await shop.create(kind, id="x", **REQUIRED[kind.name])

    with pytest.raises(ConflictError, match=f"{kind.label} already exists: x"):
        await shop.create(kind, id="x", **REQUIRED[kind.name])


async def test_the_same_id_may_be_used_by_different_kinds(shop: Shop):
    for kind in KINDS:
        await shop.create(kind, id="x", **REQUIRED[kind.name])


async def test_an_id_may_be_used_again_after_a_deletion(shop: Shop):
    await shop.make_pattern(id="x")
    await shop.act(lambda tx, context: entities.delete(tx, PATTERN, "x", context))

    assert (await shop.make_pattern(id="x")).version == 1


@pytest.mark.parametrize("field", ["pattern_id", "strip_family_id"])
async def test_an_unknown_reference_is_refused_with_its_place(shop: Shop, field: str):
    with pytest.raises(InvalidError) as caught:
        await shop.make_job(**{field: "ghost"})

    assert [fault.pointer for fault in caught.value.errors] == [f"/{field}"]
    assert "not found: ghost" in caught.value.message


async def test_what_was_created_earlier_in_the_transaction_can_be_referenced(shop: Shop):
    def work(tx, context):
        family = entities.create(tx, STRIP_FAMILY, REQUIRED[STRIP_FAMILY.name], context)
        pattern = entities.create(tx, PATTERN, REQUIRED[PATTERN.name] | {"strip_family_id": family.id}, context)
        return entities.create(tx, JOBLOG, {"job_type": "slice", "pattern_id": pattern.id}, context)

    job = await shop.act(work)

    assert document_of(job)["pattern_id"] is not None


async def test_an_entity_over_the_limit_is_refused_and_one_below_kept(shop: Shop):
    room = MAX_ENTITY_BYTES - len((await shop.make_pattern(metadata={"x": ""})).body)

    with pytest.raises(TooLargeError):
        await shop.make_pattern(metadata={"x": "x" * (room + 1)})
    kept = await shop.make_pattern(metadata={"x": "x" * room})

    assert len(kept.body) == MAX_ENTITY_BYTES


# Update


@pytest.mark.parametrize("merge", [False, True])
async def test_a_change_is_the_next_version_with_one_event(shop: Shop, merge: bool):
    pattern = await shop.make_pattern()
    shop.now = LATER

    events = await shop.events_of(
        lambda tx, context: entities.update(tx, PATTERN, pattern.id, {"name": "Wave"}, context, merge=merge)
    )

    [event] = events
    assert (event.type, event.version, event.key) == ("pattern:updated", 2, f"pattern/{pattern.id}")
    document = await shop.document(PATTERN, pattern.id)
    assert (document["name"], document["created_at"], document["updated_at"]) == ("Wave", NOW, LATER)


async def test_put_replaces_a_field_whole_and_patch_merges_it(shop: Shop):
    pattern = await shop.make_pattern(metadata={"a": 1, "b": {"c": 2, "d": 3}})

    def patch(tx, context):
        changes = {"metadata": {"b": {"c": None, "e": 4}}}
        return entities.update(tx, PATTERN, pattern.id, changes, context, merge=True)

    assert document_of(await shop.act(patch))["metadata"] == {"a": 1, "b": {"d": 3, "e": 4}}
    replaced = await shop.update(PATTERN, pattern.id, metadata={"b": {"c": None}})
    assert document_of(replaced)["metadata"] == {"b": {"c": None}}


@pytest.mark.parametrize("merge", [False, True])
@pytest.mark.parametrize(
    "changes", [{}, {"status": "running"}, {"parameters": {"b": 2, "a": 1.0}}, {"operator": None}, {"version": 7}]
)
async def test_a_change_that_changes_nothing_writes_nothing(shop: Shop, changes: JsonObject, merge: bool):
    job = await shop.make_job(status="running", parameters={"a": 1, "b": 2})
    shop.now = LATER

    events = await shop.events_of(
        lambda tx, context: entities.update(tx, JOBLOG, job.id, changes, context, merge=merge)
    )

    assert events == []
    assert await shop.stores.get(JOBLOG, job.id) == job


@pytest.mark.parametrize(
    ("status", "type_"),
    [
        ("completed", "job:completed"),
        ("failed", "job:failed"),
        ("error", "job:failed"),
        ("held", "job:updated"),
        ("cancelled", "job:updated"),
    ],
)
async def test_the_end_of_a_job_has_an_event_of_its_own_once(shop: Shop, status: str, type_: str):
    job = await shop.make_job(status="running")

    def report(**more):
        return lambda tx, context: entities.update(tx, JOBLOG, job.id, {"status": status} | more, context)

    assert [event.type for event in await shop.events_of(report())] == [type_]
    assert await shop.events_of(report()) == []
    assert [event.type for event in await shop.events_of(report(note="again"))] == ["job:updated"]


async def test_a_change_is_heard_where_the_job_was_and_where_it_is(shop: Shop):
    created = await shop.events_of(
        lambda tx, context: entities.create(
            tx, JOBLOG, {"id": "j", "job_type": "slice", "project_id": "p7", "machine_id": "cnc1"}, context
        )
    )
    moved = await shop.events_of(
        lambda tx, context: entities.update(tx, JOBLOG, "j", {"machine_id": "cnc2", "project_id": None}, context)
    )
    deleted = await shop.events_of(lambda tx, context: entities.delete(tx, JOBLOG, "j", context))

    assert created[0].channels == ("project:p7", "machine:cnc1")
    assert moved[0].channels == ("project:p7", "machine:cnc1", "machine:cnc2")
    assert deleted[0].channels == ("machine:cnc2",)


async def test_patterns_and_families_are_heard_on_no_channel(shop: Shop):
    events = await shop.events_of(
        lambda tx, context: entities.create(
            tx, PATTERN, {"name": "x", "ring_count": 1, "metadata": {"project_id": "p7"}}, context
        )
    )

    assert events[0].channels == ()


@pytest.mark.parametrize("merge", [False, True])
async def test_a_refused_change_leaves_everything_as_it_was(shop: Shop, merge: bool):
    job = await shop.make_job(status="completed")
    refused: list[tuple[JsonObject, type[Exception]]] = [
        ({"status": "running"}, ConflictError),
        ({"progress": 2}, InvalidError),
        ({"pattern_id": "ghost"}, InvalidError),
        ({"id": "other"}, InvalidError),
        ({"nonsense": 1}, InvalidError),
        ({"results": {"x": "x" * MAX_ENTITY_BYTES}}, TooLargeError),
        ({"results": {"x": float("nan")}}, InvalidError),
    ]

    for changes, error in refused:
        with pytest.raises(error):
            await shop.act(
                lambda tx, context, changes=changes: entities.update(tx, JOBLOG, job.id, changes, context, merge=merge)
            )

    assert await shop.stores.get(JOBLOG, job.id) == job
    assert (await shop.stores.log.head()).offset == 1


async def test_a_patch_nested_without_end_is_refused(shop: Shop):
    pattern = await shop.make_pattern()
    bottomless: JsonObject = {}
    for _ in range(5000):
        bottomless = {"x": bottomless}

    with pytest.raises(InvalidError, match="nested deeper"):
        await shop.act(
            lambda tx, context: entities.update(tx, PATTERN, pattern.id, {"metadata": bottomless}, context, merge=True)
        )


@every_kind
async def test_if_match_takes_only_the_stored_version(shop: Shop, kind: Kind):
    entity = await shop.create(kind, **REQUIRED[kind.name])

    for version in (0, 2):
        with pytest.raises(PreconditionFailedError, match=f"has version 1 now, not {version}"):
            await shop.act(
                lambda tx, context, version=version: entities.update(
                    tx, kind, entity.id, {"metadata": {"a": 1}}, context, if_match=version
                )
            )
        with pytest.raises(PreconditionFailedError):
            await shop.act(
                lambda tx, context, version=version: entities.delete(tx, kind, entity.id, context, if_match=version)
            )
    after = await shop.act(
        lambda tx, context: entities.update(tx, kind, entity.id, {"metadata": {"a": 1}}, context, if_match=1)
    )
    await shop.act(lambda tx, context: entities.delete(tx, kind, entity.id, context, if_match=2))

    assert after.version == 2
    assert await shop.stores.get(kind, entity.id) is None


@every_kind
async def test_what_does_not_exist_is_not_found(shop: Shop, kind: Kind):
    for action in (
        lambda tx, context: entities.update(tx, kind, "ghost", {}, context),
        lambda tx, context: entities.delete(tx, kind, "ghost", context),
        lambda tx, context: entities.update(tx, kind, "ghost", {"nonsense": 1}, context, if_match=3),
    ):
        with pytest.raises(NotFoundError, match=f"^{kind.label} not found: ghost$"):
            await shop.act(action)


# Delete


@every_kind
async def test_a_deletion_tells_the_last_document_under_the_next_version(shop: Shop, kind: Kind):
    entity = await shop.create(kind, **REQUIRED[kind.name])
    last = await shop.update(kind, entity.id, metadata={"a": 1})

    [event] = await shop.events_of(lambda tx, context: entities.delete(tx, kind, entity.id, context))

    assert (event.type, event.version, event.data) == (f"{kind.category}:deleted", 3, last.body)


async def test_what_is_used_is_not_deleted_and_its_users_are_named(shop: Shop):
    family = await shop.make_family()
    pattern = await shop.make_pattern(strip_family_id=family.id)
    job = await shop.make_job(strip_family_id=family.id)

    with pytest.raises(ConflictError) as caught:
        await shop.act(lambda tx, context: entities.delete(tx, STRIP_FAMILY, family.id, context))

    assert f"Pattern {pattern.id}" in caught.value.message
    assert f"JobLog {job.id}" in caught.value.message
    assert await shop.stores.get(STRIP_FAMILY, family.id) == family


async def test_only_the_first_of_many_users_are_named(shop: Shop):
    pattern = await shop.make_pattern()
    for _ in range(13):
        await shop.make_job(pattern_id=pattern.id)

    with pytest.raises(ConflictError, match=r" and 3 more; "):
        await shop.act(lambda tx, context: entities.delete(tx, PATTERN, pattern.id, context))


async def test_force_unlinks_every_user_with_an_event_each(shop: Shop):
    pattern = await shop.make_pattern()
    running = await shop.make_job(pattern_id=pattern.id, status="running", machine_id="cnc1")
    ended = await shop.make_job(pattern_id=pattern.id, status="completed")
    other = await shop.make_job()

    events = await shop.events_of(lambda tx, context: entities.delete(tx, PATTERN, pattern.id, context, force=True))

    assert sorted((event.type, event.key) for event in events[:-1]) == sorted(
        ("job:updated", f"job/{job.id}") for job in (running, ended)
    )
    assert (events[-1].type, events[-1].key) == ("pattern:deleted", f"pattern/{pattern.id}")
    assert [event.cause for event in events] == [f"delete pattern/{pattern.id}"] * 2 + [None]
    for job in (running, ended):
        document = await shop.document(JOBLOG, job.id)
        assert document == document_of(job) | {"pattern_id": None, "version": 2, "updated_at": NOW}
    assert await shop.stores.get(JOBLOG, other.id) == other

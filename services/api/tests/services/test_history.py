"""Versions with actor, time and what changed."""

from __future__ import annotations

from rmos.domain.entities import JOBLOG, PATTERN, STRIP_FAMILY
from rmos.domain.events import Category
from rmos.services import entities
from rmos.services.custom import append_custom
from rmos.services.history import history_of
from tests.services.support import LATER, NOW, Shop

BY = {"request_id": "r1", "cause": None}


async def test_every_version_is_told_with_what_changed(shop: Shop):
    job = await shop.make_job(status="running", parameters={"speed": 3})
    shop.now = LATER
    await shop.update(JOBLOG, job.id, status="completed", parameters={"speed": 3, "feed": 2})
    await shop.act(lambda tx, context: entities.delete(tx, JOBLOG, job.id, context))

    history = history_of(await shop.stores.history(JOBLOG.key(job.id)))

    assert history == [
        {"version": 1, "time": NOW, "actor": "tester", **BY, "event": "job:created", "diff": []},
        {
            "version": 2,
            "time": LATER,
            "actor": "tester",
            **BY,
            "event": "job:completed",
            "diff": [
                {"path": "/status", "from": "running", "to": "completed"},
                {"path": "/end_time", "from": None, "to": LATER},
                {"path": "/duration_seconds", "from": None, "to": 600.0},
                {"path": "/parameters/feed", "from": None, "to": 2},
            ],
        },
        {"version": 3, "time": LATER, "actor": "tester", **BY, "event": "job:deleted", "diff": []},
    ]


async def test_an_unlinked_user_tells_so(shop: Shop):
    family = await shop.make_family()
    pattern = await shop.make_pattern(strip_family_id=family.id)
    await shop.act(lambda tx, context: entities.delete(tx, STRIP_FAMILY, family.id, context, force=True))

    history = history_of(await shop.stores.history(PATTERN.key(pattern.id)))

    assert history[-1]["diff"] == [{"path": "/strip_family_id", "from": family.id, "to": None}]
    assert history[-1]["cause"] == f"delete material/{family.id}"


async def test_a_second_life_is_not_compared_with_the_first(shop: Shop):
    await shop.make_pattern(id="x", name="first")
    await shop.act(lambda tx, context: entities.delete(tx, PATTERN, "x", context))
    await shop.make_pattern(id="x", name="second")

    history = history_of(await shop.stores.history(PATTERN.key("x")))

    assert [(entry["event"], entry["version"], entry["diff"]) for entry in history] == [
        ("pattern:created", 1, []),
        ("pattern:deleted", 2, []),
        ("pattern:created", 1, []),
    ]


async def test_events_that_programs_made_are_no_versions(shop: Shop):
    await shop.make_pattern(id="x")
    await shop.stores.write(lambda tx: append_custom(tx, Category.PATTERN, "admired", {"id": "x"}, shop.context))
    await shop.update(PATTERN, "x", name="Wave")

    history = history_of(await shop.stores.history(PATTERN.key("x")))

    assert [entry["event"] for entry in history] == ["pattern:created", "pattern:updated"]
    assert history[1]["diff"] == [{"path": "/name", "from": "Rope", "to": "Wave"}]


async def test_a_history_cut_by_retention_begins_without_a_diff(shop: Shop):
    pattern = await shop.make_pattern()
    await shop.update(PATTERN, pattern.id, name="Wave")
    await shop.update(PATTERN, pattern.id, name="Ladder")

    kept = (await shop.stores.history(PATTERN.key(pattern.id)))[1:]

    assert [(entry["version"], entry["diff"]) for entry in history_of(kept)] == [
        (2, []),
        (3, [{"path": "/name", "from": "Wave", "to": "Ladder"}]),
    ]

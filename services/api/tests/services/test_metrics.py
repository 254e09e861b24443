"""The figures of the shop at one moment."""

from __future__ import annotations

import orjson

from rmos.domain.jobs import STATUSES
from rmos.services.metrics import metrics_snapshot
from tests.services.support import LATER, NOW, Shop


async def test_an_empty_shop_has_zeros(shop: Shop):
    assert metrics_snapshot(await shop.stores.overview(), NOW) == {
        "jobs": {"by_status": dict.fromkeys(STATUSES, 0), "wip": 0, "running": []},
        "entities": {"patterns": 0, "joblogs": 0, "strip_families": 0},
        "offset": 0,
    }


async def test_begun_and_unfinished_jobs_are_the_work_in_progress(shop: Shop):
    for status in STATUSES:
        await shop.make_job(status=status)

    snapshot = metrics_snapshot(await shop.stores.overview(), NOW)

    assert snapshot["jobs"]["by_status"] == dict.fromkeys(STATUSES, 1)
    assert snapshot["jobs"]["wip"] == 4
    assert snapshot["offset"] == len(STATUSES)


async def test_running_jobs_are_told_with_how_long_they_run(shop: Shop):
    pattern = await shop.make_pattern()
    job = await shop.make_job(
        status="running", pattern_id=pattern.id, machine_id="cnc1", project_id="p7", progress=0.25, operator="Ana"
    )
    await shop.make_job(status="running", start_time="2026-11-24T12:00:00Z")

    snapshot = metrics_snapshot(await shop.stores.overview(), LATER)

    first, fast_clock = snapshot["jobs"]["running"]
    assert first == {
        "id": job.id,
        "job_type": "slice",
        "pattern_id": pattern.id,
        "machine_id": "cnc1",
        "project_id": "p7",
        "progress": 0.25,
        "start_time": NOW,
        "elapsed_s": 600,
    }
    assert fast_clock["elapsed_s"] == 0
    assert orjson.dumps(snapshot)

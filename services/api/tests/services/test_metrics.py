"""The figures of the shop at one moment."""

from __future__ import annotations

import orjson
import pytest

from rmos.domain.jobs import STATUSES
from rmos.services.metrics import metrics_snapshot
from rmos.stores.sqlite import figures as figures_file
from tests.services.support import LATER, NOW, Shop


async def test_an_empty_shop_has_zeros_and_no_rates(shop: Shop):
    assert await metrics_snapshot(shop.stores, NOW) == {
        "jobs": {"by_status": dict.fromkeys(STATUSES, 0), "wip": 0, "running": []},
        "entities": {"patterns": 0, "joblogs": 0, "strip_families": 0},
        "throughput": {
            "today": {"since": "2026-11-24", "days": 1, "completed": 0, "failed": 0, "good_qty": 0},
            "last_7_days": {"since": "2026-11-18", "days": 7, "completed": 0, "failed": 0, "good_qty": 0},
        },
        "rates": {"days": 7, "success": {"percent": None, "n": 0}, "scrap": {"percent": None, "n": 0}},
        "stock": {"below_minimum": [], "count": 0, "watched": 0},
        "machines": [],
        "anomalies": {"hours": 24, "count": 0, "newest": []},
        "counting": False,
        "offset": 0,
    }


async def test_begun_and_unfinished_jobs_are_the_work_in_progress(shop: Shop):
    for status in STATUSES:
        await shop.make_job(status=status)

    snapshot = await metrics_snapshot(shop.stores, NOW)

    assert snapshot["jobs"]["by_status"] == dict.fromkeys(STATUSES, 1)
    assert snapshot["jobs"]["wip"] == 4
    assert snapshot["offset"] == len(STATUSES)


async def test_running_jobs_are_told_with_how_long_they_run_and_when_they_will_be_done(shop: Shop):
    pattern = await shop.make_pattern()
    for _ in range(9):
        await shop.make_job(status="completed", pattern_id=pattern.id, duration_seconds=900)
    job = await shop.make_job(
        status="running", pattern_id=pattern.id, machine_id="cnc1", project_id="p7", operator="Ana"
    )
    await shop.make_job(status="running", start_time="2026-11-24T12:00:00Z", job_type="contour")

    snapshot = await metrics_snapshot(shop.stores, LATER)

    first, fast_clock = snapshot["jobs"]["running"]
    assert first == {
        "id": job.id,
        "job_type": "slice",
        "pattern_id": pattern.id,
        "machine_id": "cnc1",
        "project_id": "p7",
        "progress": None,
        "start_time": NOW,
        "elapsed_s": 600,
        "eta": {
            "expected_end": "2026-11-24T10:15:00.000Z",
            "interval": ["2026-11-24T10:15:00.000Z", "2026-11-24T10:15:00.000Z"],
            "basis": "pattern",
            "n": 9,
            "overrun_s": 0,
            "too_few": False,
        },
    }
    assert fast_clock["elapsed_s"] == 0
    assert fast_clock["eta"]["too_few"] is True
    assert orjson.dumps(snapshot)


async def test_ended_jobs_are_told_with_their_window_and_number(shop: Shop):
    for end, status, good, scrap in (
        ("2026-11-24T08:00:00Z", "completed", 9, 1),
        ("2026-11-20T08:00:00Z", "failed", 0, 2),
        ("2026-11-17T23:59:59Z", "completed", 5, 5),
    ):
        await shop.make_job(status=status, end_time=end, good_qty=good, scrap_qty=scrap)

    snapshot = await metrics_snapshot(shop.stores, NOW)

    assert snapshot["throughput"]["today"]["completed"] == 1
    assert snapshot["throughput"]["last_7_days"] == {
        "since": "2026-11-18",
        "days": 7,
        "completed": 1,
        "failed": 1,
        "good_qty": 9,
    }
    assert snapshot["rates"] == {"days": 7, "success": {"percent": 50, "n": 2}, "scrap": {"percent": 25, "n": 12}}


async def test_stock_below_its_minimum_and_machines_are_named(shop: Shop):
    await shop.make_family(name="Ebony", min_stock_mm=1000, strips=[{"id": "s1", "length_mm": 400}])
    await shop.make_family(name="Maple", min_stock_mm=1000, strips=[{"id": "s1", "length_mm": 4000}])
    for machine, status in (("cnc1", "running"), ("cnc2", "held"), ("cnc3", "completed")):
        await shop.make_job(status=status, machine_id=machine)

    snapshot = await metrics_snapshot(shop.stores, LATER)

    stock = snapshot["stock"]
    assert (stock["count"], stock["watched"], [low["name"] for low in stock["below_minimum"]]) == (1, 2, ["Ebony"])
    assert [(m["machine_id"], m["state"]) for m in snapshot["machines"]] == [
        ("cnc1", "running"),
        ("cnc2", "stopped"),
        ("cnc3", "idle"),
    ]
    assert {m["last_seen"] for m in snapshot["machines"]} == {NOW}


async def test_while_all_is_counted_anew_the_rest_is_unknown(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    await shop.make_job(status="running")
    monkeypatch.setattr(figures_file, "PATIENCE_S", -1.0)

    snapshot = await metrics_snapshot(shop.stores, NOW)

    assert snapshot["counting"] is True
    assert snapshot["jobs"]["by_status"]["running"] == 1
    assert snapshot["jobs"]["running"][0]["eta"] is None
    assert (snapshot["throughput"], snapshot["rates"], snapshot["stock"], snapshot["machines"]) == (None,) * 4

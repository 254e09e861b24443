"""Figures of the shop: by HTTP, and with a clock of their own where stops have a length."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rmos.analytics.calendar import day_after
from rmos.analytics.shifts import every_day
from rmos.domain.entities import JOBLOG
from rmos.services import entities
from rmos.services.analytics.shop import losses, shop, shop_flow
from rmos.services.context import Context
from rmos.stores.sqlite import open_sqlite
from tests.analytics.support import ANALYTICS, ask, days_ago
from tests.analytics.test_advanced import make_jobs
from tests.web.shops import Shop, is_problem, pointers

EIGHT_HOURS = every_day(frozenset({1, 2, 3, 4, 5}), 8)
NOW = "2026-11-24T18:00:00.000Z"
"""A Tuesday."""


class Floor:
    """Stores in which jobs happen at given times of one day."""

    def __init__(self, stores: Any) -> None:
        self.stores = stores

    async def make(self, clock: str, job_id: str, **fields: Any) -> None:
        body = {"id": job_id, "job_type": "slice", "machine_id": "cnc1", **fields}
        await self.stores.write(lambda tx: entities.create(tx, JOBLOG, body, self._at(clock)))

    async def set(self, clock: str, job_id: str, **fields: Any) -> None:
        await self.stores.write(lambda tx: entities.update(tx, JOBLOG, job_id, fields, self._at(clock)))

    def _at(self, clock: str) -> Context:
        return Context("tester", None, f"2026-11-24T{clock}:00.000Z")


@pytest.fixture
async def floor(tmp_path: Path) -> Any:
    stores = await open_sqlite(tmp_path / "rmos.db", on_commit=lambda: None)
    yield Floor(stores)
    await stores.close()


async def test_oee_of_a_machine_from_its_elements(floor: Floor) -> None:
    await floor.make("08:00", "a", status="running", parameters={"planned_seconds_per_piece": 300})
    await floor.set("10:00", "a", status="completed", good_qty=18, scrap_qty=2, rework_qty=3)
    await floor.make("10:00", "b", status="running")
    await floor.set("11:00", "b", status="failed", scrap_qty=5, reason="MACHINE_FAILURE")
    await floor.make("11:00", "c", machine_id=None, status="completed", good_qty=1, duration_seconds=60)

    found = await floor.stores.figures(lambda f: shop(f, by="machine", days=1, shifts=EIGHT_HOURS, now=NOW))

    cnc1, nowhere = found["groups"]
    assert cnc1["machine"] == "cnc1"
    assert cnc1["elements"]["pbt_s"] == 8 * 3600
    assert cnc1["availability"] == pytest.approx(3 / 8)
    assert cnc1["effectiveness"] == pytest.approx(300 * 20 / 7200)
    assert cnc1["quality"] == pytest.approx(18 / 25)
    assert cnc1["oee"] == pytest.approx(3 / 8 * 6000 / 7200 * 18 / 25)
    assert (cnc1["scrap_ratio"], cnc1["rework_ratio"], cnc1["first_pass_yield"]) == (7 / 25, 3 / 25, 15 / 25)
    assert (cnc1["mtbf_s"], cnc1["elements"]["failures"], cnc1["mttr_s"]) == (3 * 3600, 1, None)
    assert (nowhere["machine"], nowhere["oee"], nowhere["elements"]["pbt_s"]) == (None, None, 0)
    assert found["total"]["elements"]["apt_s"] == 3 * 3600 + 60


async def test_repairs_take_as_long_as_the_job_was_held(floor: Floor) -> None:
    await floor.make("08:00", "a", status="running")
    await floor.set("08:30", "a", status="held", reason="MACHINE_FAILURE")
    await floor.set("08:40", "a", note="waiting for the spare part")
    await floor.set("09:00", "a", status="running", reason=None)
    await floor.set("09:30", "a", status="held", reason="GLUE_DRY")
    await floor.set("10:30", "a", status="running", reason=None)
    await floor.set("11:00", "a", status="held", reason="MACHINE_FAILURE")

    found = await floor.stores.figures(lambda f: shop(f, by="machine", days=1, shifts=EIGHT_HOURS, now=NOW))
    lost = await floor.stores.figures(lambda f: losses(f, by="machine", days=1, now=NOW))

    elements = found["total"]["elements"]
    assert (elements["failures"], elements["repairs"], found["total"]["mttr_s"]) == (2, 1, 1800)
    assert lost["downtime_by_reason_s"] == [
        {"reason": "MACHINE_FAILURE", "amount": 1800, "percentage": 100, "cumulative": 100}
    ]
    assert lost["downtime_s"][0]["machine"] == "cnc1"
    assert (lost["stops"], lost["open_stops"], lost["waiting_s"]) == (2, 1, 3600)


async def test_a_job_that_fails_for_what_it_was_held_for_is_one_failure(floor: Floor) -> None:
    await floor.make("08:00", "a", status="running")
    await floor.set("08:30", "a", status="held", reason="MACHINE_FAILURE")
    await floor.set("09:00", "a", status="failed")

    found = await floor.stores.figures(lambda f: shop(f, by="machine", days=1, shifts=EIGHT_HOURS, now=NOW))

    assert (found["total"]["elements"]["failures"], found["total"]["mttr_s"]) == (1, 1800)


async def test_no_time_is_planned_on_days_off(floor: Floor) -> None:
    await floor.make("08:00", "a", status="completed", duration_seconds=60)

    found = await floor.stores.figures(
        lambda f: shop(f, by="machine", days=1, shifts=every_day(frozenset({6, 7}), 8), now=NOW)
    )
    week = await floor.stores.figures(lambda f: shop(f, by="machine", days=7, shifts=EIGHT_HOURS, now=NOW))

    assert (found["working_days"], found["total"]["availability"]) == (0, None)
    assert (week["working_days"], week["total"]["elements"]["pbt_s"]) == (5, 5 * 8 * 3600)


async def test_flow_counts_every_moment_of_a_job_in_the_window(floor: Floor) -> None:
    await floor.make(
        "01:00", "a", status="completed", start_time="2026-11-23T20:00:00.000Z", end_time="2026-11-24T04:00:00.000Z"
    )
    await floor.make("06:00", "b", status="running")
    await floor.set("09:00", "b", status="completed")
    await floor.make("12:00", "c", status="running")
    await floor.make("12:00", "d", status="cancelled")

    found = await floor.stores.figures(lambda f: shop_flow(f, days=1, now=NOW))

    assert (found["wip"], found["exits"], found["untimed_exits"], found["completed_jobs"]) == (1, 2, 1, 2)
    assert found["average_wip"] == pytest.approx((4 + 3 + 6) / 18)
    assert found["cycle_time_s"] == pytest.approx((8 + 3) / 2 * 3600)
    assert found["residual"] == pytest.approx((13 - 11) / 18)


async def test_flow_of_a_window_that_ended_knows_nothing_of_later(floor: Floor) -> None:
    day = "2026-11-23T{}:00.000Z".format
    await floor.make("01:00", "a", status="completed", start_time=day("20:00"), end_time="2026-11-24T04:00:00.000Z")
    await floor.make("01:00", "b", status="completed", start_time="2026-11-22T22:00:00.000Z", end_time=day("02:00"))
    await floor.make("01:00", "c", status="running", start_time=day("23:00"))
    await floor.make("06:00", "d", status="running")
    await floor.make("06:00", "e", status="completed", start_time="2026-11-22T21:00:00.000Z", end_time=day("00:00"))
    await floor.set("07:00", "d", status="completed")

    then = "2026-11-23T23:59:59.999Z"
    found = await floor.stores.figures(lambda f: shop_flow(f, days=1, now=then))

    assert (found["wip"], found["exits"], found["to"]) == (2, 2, "2026-11-23")
    assert found["average_wip"] == pytest.approx((4 + 2 + 1) / 24, rel=1e-6)
    assert found["cycle_time_s"] == pytest.approx((4 + 3) / 2 * 3600)


async def test_the_whole_is_the_same_whatever_it_is_cut_into(shop: Shop) -> None:
    await make_jobs(
        shop,
        *(
            {
                "job_type": f"type{n % 3}",
                "machine_id": f"m{n % 2}" if n % 5 else None,
                "project_id": f"p{n % 4}",
                "status": "completed" if n % 3 else "failed",
                "duration_seconds": n,
                "good_qty": n % 7,
                "scrap_qty": n % 2,
                "end_time": days_ago(n % 10),
            }
            for n in range(40)
        ),
    )

    found = [await ask(shop, "shop", by=by) for by in ("machine", "project", "pattern", "job_type")]

    for other in found[1:]:
        assert other["total"]["elements"] == {**found[0]["total"]["elements"], "pbt_s": 0}
    assert [len(figures["groups"]) for figures in found] == [3, 4, 1, 3]


async def test_an_empty_shop_has_zeros_and_nulls(shop: Shop) -> None:
    figures = await ask(shop, "shop")
    flow = await ask(shop, "shop/flow")
    lost = await ask(shop, "shop/losses")

    assert (figures["groups"], figures["total"]["oee"], figures["total"]["elements"]["apt_s"]) == ([], None, 0)
    assert (flow["wip"], flow["average_wip"], flow["cycle_time_s"], flow["residual"]) == (0, 0, None, None)
    assert (lost["scrap"], lost["downtime_s"], lost["stops"]) == ([], [], 0)


async def test_scrap_by_pattern_and_reason(shop: Shop) -> None:
    await make_jobs(
        shop,
        {"machine_id": "m1", "status": "failed", "scrap_qty": 3, "reason": "QUALITY_HOLD"},
        {"machine_id": "m2", "status": "completed", "scrap_qty": 1},
    )

    found = await ask(shop, "shop/losses")

    assert [(cause["machine"], cause["amount"], cause["cumulative"]) for cause in found["scrap"]] == [
        ("m1", 3, 75),
        ("m2", 1, 100),
    ]
    assert [cause["reason"] for cause in found["scrap_by_reason"]] == ["QUALITY_HOLD", None]


async def test_a_window_may_end_on_an_earlier_day(shop: Shop) -> None:
    await make_jobs(
        shop,
        {"machine_id": "m1", "status": "failed", "scrap_qty": 3, "end_time": days_ago(5)},
        {"machine_id": "m1", "status": "completed", "scrap_qty": 1, "end_time": days_ago(0)},
    )

    found = await ask(shop, "shop/losses", days=3, until=days_ago(4)[:10])
    figures = await ask(shop, "shop", days=3, until=days_ago(4)[:10])

    assert [(cause["machine"], cause["amount"]) for cause in found["scrap"]] == [("m1", 3)]
    assert figures["total"]["elements"]["scrap"] == 3
    assert (figures["from"], figures["to"]) == (days_ago(6)[:10], days_ago(4)[:10])


async def test_wrong_parameters_are_refused_with_what_is_accepted(shop: Shop) -> None:
    for path, pointer, accepted in (
        ("shop?by=operator", "/by", "machine, project, pattern, job_type"),
        ("shop?days=366", "/days", "1 to 365"),
        ("shop?hours_per_day=25", "/hours_per_day", "0 to 24"),
        ("shop?weekdays=0", "/weekdays", "1 (Monday) to 7"),
        ("shop/flow?by=machine", "/by", "accepted: days"),
        ("shop/losses?by=x", "/by", "machine"),
    ):
        answer = await shop.client.get(f"{ANALYTICS}/{path}")

        assert is_problem(answer, 422, "invalid"), path
        assert pointers(answer) == [pointer]
        assert accepted in answer.json()["detail"]


async def test_as_many_jobs_are_behind_a_figure_as_it_says(shop: Shop) -> None:
    """Also jobs that were logged as ended without their end, and not those that are open or cancelled."""
    ended = {"status": "completed", "machine_id": "cnc1"}
    jobs = [
        ended | {"start_time": days_ago(4), "end_time": days_ago(3)},
        ended | {"start_time": days_ago(3)},
        ended | {"status": "failed", "reason": "MACHINE_FAILURE"},
        ended | {"end_time": days_ago(200)},
        ended | {"status": "cancelled", "end_time": days_ago(3)},
        ended | {"status": "running", "start_time": days_ago(3)},
    ]
    for fields in jobs:
        await shop.make("/api/rmos/stores/joblogs", {"job_type": "slice", **fields})

    async def behind(first: str, last: str, **conditions: str) -> int:
        bounds = {"outcome_at_from": first, "outcome_at_before": day_after(last)}
        answer = await shop.client.get("/api/rmos/stores/joblogs", params=bounds | conditions)
        assert answer.status_code == 200, answer.text
        return int(answer.json()["total"])

    trends = (await ask(shop, "jobs/success-trends", days=30))["trends"]
    first, last = trends[0]["date"], trends[-1]["date"]
    assert {day["date"]: day["total"] for day in trends} == {
        day["date"]: await behind(day["date"], day["date"]) for day in trends
    }
    assert sum(day["total"] for day in trends) == await behind(first, last) == 3
    failures = await ask(shop, "jobs/failures", days=30)
    assert failures["total_failures"] == await behind(first, last, status="failed") == 1
    (machine,) = (await ask(shop, "shop", by="machine", days=30))["groups"]
    assert machine["elements"]["ended_jobs"] == await behind(first, last, machine_id="cnc1") == 3
    throughput = await ask(shop, "jobs/throughput", days=30)
    assert throughput["completed_jobs"] == await behind(first, last, status="completed") == 2

"""The figures of N9.0 over HTTP: known answers, empty shops, half-filled jobs, wrong parameters."""

from __future__ import annotations

from typing import Any

import pytest

from tests.analytics.support import ANALYTICS, SIMPLE_ROUTES, ask, days_ago
from tests.web.shops import FAMILIES, JOBS, PATTERNS, Shop, is_problem, make_family, make_job, make_pattern, pointers

THREE_RINGS = [
    {"radius_mm": 40, "segments": 60},
    {"radius_mm": 45, "segment_count": 72},
    {"radius_mm": 50, "tile_count": 84},
]


def only(items: list[dict[str, Any]], **wanted: Any) -> dict[str, Any]:
    """The one item with these values."""
    (found,) = [item for item in items if wanted.items() <= item.items()]
    return found


async def test_openapi_names_every_published_path(shop: Shop) -> None:
    paths = (await shop.client.get("/openapi.json")).json()["paths"]

    expected = {f"{ANALYTICS}/{route}" for route in (*SIMPLE_ROUTES, "patterns/{pattern_id}/details")}
    assert len(expected) == 19
    assert expected <= {path for path, operations in paths.items() if "get" in operations}


async def test_an_empty_shop_has_zeros_nulls_and_empty_lists(shop: Shop) -> None:
    def is_empty(value: Any, key: str) -> bool:
        if key in ("date", "days", "score_range"):
            return True
        if isinstance(value, dict):
            return all(is_empty(member, name) for name, member in value.items())
        if isinstance(value, list):
            return all(is_empty(item, key) for item in value)
        return value in (None, 0)

    for route in SIMPLE_ROUTES:
        figures = await ask(shop, route)
        assert figures
        assert is_empty(figures, ""), route


async def test_half_filled_jobs_break_nothing(shop: Shop) -> None:
    await shop.make(PATTERNS, make_pattern(id="p1", geometry={"rings": [{"radius": "wide"}, {}]}))
    await shop.make(FAMILIES, make_family(strips=[{}, {"length_mm": 10}], metadata={"supplier": 7}))
    for status in ("pending", "running", "completed", "failed", "held"):
        await shop.make(JOBS, {"job_type": "slice", "status": status})
        await shop.make(
            JOBS,
            make_job(
                status=status,
                pattern_id="p1",
                parameters={"tool_diameter_mm": "thin", "kerf_mm": None},
                results={"waste_percentage": "much", "strip_used_mm": [1], "actual_kerf_mm": {"a": 1}},
            ),
        )

    for route in (*SIMPLE_ROUTES, "patterns/p1/details"):
        await ask(shop, route)


async def test_complexity_of_three_rings_is_medium(shop: Shop) -> None:
    await shop.make(PATTERNS, make_pattern(id="p", name="Three", geometry={"rings": THREE_RINGS}))
    await shop.make(PATTERNS, {"name": "One", "ring_count": 1})

    figures = await ask(shop, "patterns/complexity")

    medium = figures["categories"]["medium"]
    assert medium["patterns"] == [{"id": "p", "name": "Three", "score": pytest.approx(40.8)}]
    assert (medium["count"], medium["percentage"], medium["score_range"]) == (1, 50, [30, 60])
    assert figures["distribution"] == figures["categories"]
    assert list(figures["categories"]) == ["simple", "medium", "complex", "expert"]
    assert figures["total_patterns"] == 2
    assert figures["avg_complexity"] == pytest.approx((40.8 + 10) / 2)


async def test_rings_have_both_spellings(shop: Shop) -> None:
    for count in (2, 4, 4, 7):
        await shop.make(PATTERNS, {"name": "Rope", "ring_count": count})

    figures = await ask(shop, "patterns/rings")

    assert figures == {
        "count": 4,
        "min": 2,
        "max": 7,
        "avg": 4.25,
        "median": 4,
        "min_rings": 2,
        "max_rings": 7,
        "avg_rings": 4.25,
        "distribution": {"2": 1, "4": 2, "7": 1},
        "most_common": 4,
    }


async def test_geometry_derives_segments_from_the_length_of_a_tile(shop: Shop) -> None:
    rings = [{"radius": 40, "tile_length_mm": 2.5}, {"radius_mm": 50, "segments": 60}, {"width_mm": 1}]
    await shop.make(PATTERNS, make_pattern(geometry={"rings": rings}))

    figures = await ask(shop, "patterns/geometry")

    assert figures["radius"] == figures["radius_mm"]
    assert (figures["radius"]["count"], figures["radius"]["avg"]) == (2, 45)
    assert (figures["segments"]["min"], figures["segments"]["max"]) == (60, 100)
    assert figures["ring_density"]["max"] == pytest.approx(100 / (2 * 3.141592653589793 * 40))


async def test_families_popularity_and_details_count_the_uses_of_a_pattern(shop: Shop) -> None:
    await shop.make(FAMILIES, make_family(id="f1", name="Maple"))
    await shop.make(FAMILIES, make_family(id="f2", name="Ebony"))
    for pattern, family in (("p1", "f2"), ("p2", "f2"), ("p3", "f1"), ("p4", None)):
        await shop.make(PATTERNS, {"id": pattern, "name": pattern, "ring_count": 2, "strip_family_id": family})
    for pattern, status, seconds in (("p2", "completed", 60), ("p2", "completed", 180), ("p2", "failed", 999)):
        await shop.make(JOBS, make_job(pattern_id=pattern, status=status, duration_seconds=seconds))
    await shop.make(JOBS, make_job(pattern_id="p1"))

    families = await ask(shop, "patterns/families")
    popular = await ask(shop, "patterns/popularity", limit=1)
    details = await ask(shop, "patterns/p2/details")

    assert families["usage"] == families["families"]
    assert families["most_popular"] == families["usage"][0]
    assert [(use["id"], use["pattern_count"]) for use in families["usage"]] == [("f2", 2), ("f1", 1)]
    assert families["unassigned_patterns"] == 1
    top = {"id": "p2", "name": "p2", "ring_count": 2, "job_count": 3, "complexity_score": 20}
    assert popular == {"top_patterns": [top], "used_patterns": 2}
    assert details["pattern"] == (await shop.client.get(f"{PATTERNS}/p2")).json()["pattern"]
    assert details["analytics"] == {
        "complexity_score": 20,
        "job_count": 3,
        "completed_jobs": 2,
        "failed_jobs": 1,
        "success_rate": pytest.approx(200 / 3),
        "avg_duration_seconds": 120,
        "avg_duration_minutes": 2,
    }


async def test_materials_are_one_whatever_their_case(shop: Shop) -> None:
    for name, material, lengths in (("a", "Maple", [100, 200]), ("b", "maple", [50]), ("c", "Ebony", [])):
        strips = [{"id": "s", "length_mm": length} for length in lengths]
        await shop.make(FAMILIES, make_family(id=name, name=name, material_type=material, strips=strips))

    figures = await ask(shop, "materials/distribution")

    assert figures["distribution"] == {"Ebony": 1, "Maple": 2}
    assert only(figures["materials"], material_type="Maple")["stock_mm"] == 350
    assert (figures["total_families"], figures["unique_materials"]) == (3, 2)


async def test_efficiency_counts_a_reported_zero_and_no_silence(shop: Shop) -> None:
    await shop.make(FAMILIES, make_family(id="f1", material_type="maple"))
    for results in ({"waste_percentage": 0}, {"waste_percentage": 9}, {}, None):
        await shop.make(JOBS, make_job(strip_family_id="f1", status="completed", results=results))
    await shop.make(JOBS, make_job(strip_family_id="f1", status="failed", results={"waste_percentage": 100}))

    figures = await ask(shop, "materials/efficiency")

    assert (figures["avg_waste_percentage"], figures["efficiency_score"]) == (4.5, 95.5)
    assert (figures["sample_size"], figures["completed_jobs"]) == (2, 4)
    assert only(figures["materials"], material_type="maple")["efficiency_score"] == 95.5


async def test_consumption_stands_beside_what_is_held(shop: Shop) -> None:
    await shop.make(FAMILIES, make_family(id="f1", material_type="maple"))
    for family, used in (("f1", 100), ("f1", 50.5), (None, 7)):
        await shop.make(JOBS, make_job(strip_family_id=family, results={"strip_used_mm": used}))

    figures = await ask(shop, "materials/consumption")

    assert figures["total_used_mm"] == 157.5
    assert figures["unassigned_used_mm"] == 7
    assert figures["inventory"] == {"maple": 650}
    maple = only(figures["materials"], material_type="maple")
    assert (maple["used_mm"], maple["reporting_jobs"], maple["inventory_mm"]) == (150.5, 2, 650)


async def test_dimensions_suppliers_and_inventory(shop: Shop) -> None:
    await shop.make(FAMILIES, make_family(id="a", strip_width_mm=2, metadata={"supplier": "Acme"}, min_stock_mm=700))
    await shop.make(FAMILIES, make_family(id="b", strip_width_mm=4, metadata={"supplier": "Acme"}, min_stock_mm=600))
    await shop.make(FAMILIES, make_family(id="c", strip_width_mm=4))

    dimensions = await ask(shop, "materials/dimensions")
    suppliers = await ask(shop, "materials/suppliers")
    inventory = await ask(shop, "materials/inventory")

    assert (dimensions["width_mm"]["min"], dimensions["width_mm"]["median"]) == (2, 4)
    assert dimensions["widths"] == [{"strip_width_mm": 2, "count": 1}, {"strip_width_mm": 4, "count": 2}]
    acme = only(suppliers["suppliers"], supplier="Acme")
    assert (acme["family_count"], acme["stock_mm"]) == (2, 1300)
    assert (suppliers["unique_suppliers"], suppliers["unknown_supplier"]) == (1, 1)
    assert inventory["low_stock"] == ["a"]
    assert (inventory["total_strips"], inventory["total_stock_mm"]) == (3, 1950)
    assert only(inventory["families"], id="a")["volume_cm3"] == pytest.approx(2 * 0.6 * 650 / 1000)


async def test_success_leaves_open_and_cancelled_jobs_out(shop: Shop) -> None:
    for status in ("completed", "completed", "completed", "failed", "pending", "running", "held", "cancelled"):
        await shop.make(JOBS, make_job(status=status))

    status = await ask(shop, "jobs/status")
    types = await ask(shop, "jobs/types")

    assert status["by_status"]["completed"] == {"count": 3, "percentage": 37.5}
    assert (status["total_jobs"], status["wip"], status["success_rate"]) == (8, 2, 75)
    assert only(types["job_types"], job_type="slice")["success_rate"] == 75


async def test_trends_show_every_day_and_pool_the_whole(shop: Shop) -> None:
    for days, status in ((0, "completed"), (0, "completed"), (0, "failed"), (2, "failed"), (9, "failed")):
        await shop.make(JOBS, make_job(status=status, end_time=days_ago(days)))

    figures = await ask(shop, "jobs/success-trends", days=3)

    assert [day["date"] for day in figures["trends"]] == [days_ago(back)[:10] for back in (2, 1, 0)]
    assert [day["success_rate"] for day in figures["trends"]] == [0, None, pytest.approx(200 / 3)]
    assert figures["overall"] == {"total": 4, "completed": 2, "failed": 2, "success_rate": 50}
    assert figures["overall_success_rate"] == 50


async def test_durations_are_those_of_completed_jobs_that_tell_one(shop: Shop) -> None:
    for status, seconds in (
        ("completed", 10),
        ("completed", 20),
        ("completed", 60),
        ("completed", None),
        ("failed", 1),
    ):
        await shop.make(JOBS, make_job(status=status, duration_seconds=seconds))

    figures = await ask(shop, "jobs/duration")

    assert figures["job_types"] == [
        {
            "job_type": "slice",
            "count": 3,
            "min_seconds": 10,
            "max_seconds": 60,
            "avg_seconds": 30,
            "median_seconds": 20,
        }
    ]
    assert (figures["total_count"], figures["avg_seconds"]) == (3, 30)


async def test_throughput_is_over_the_calendar(shop: Shop) -> None:
    for days, status in ((0, "completed"), (3, "completed"), (3, "completed"), (3, "failed"), (12, "completed")):
        await shop.make(JOBS, make_job(status=status, end_time=days_ago(days)))

    figures = await ask(shop, "jobs/throughput", days=10)

    assert (figures["completed_jobs"], figures["per_day"]) == (3, 0.3)
    assert figures["per_week"] == pytest.approx(2.1)
    assert figures["per_month"] == pytest.approx(0.3 * 365.25 / 12)
    assert figures["peak_day"] == {"date": days_ago(3)[:10], "count": 2}
    assert len(figures["daily"]) == 10


async def test_failures_by_what_they_have_in_common(shop: Shop) -> None:
    await shop.make(FAMILIES, make_family(id="f1", material_type="Ebony"))
    await shop.make(PATTERNS, make_pattern(id="p1"))
    for fields in (
        {"status": "failed", "pattern_id": "p1", "strip_family_id": "f1", "reason": "MACHINE_FAILURE"},
        {"status": "error", "pattern_id": "p1"},
        {"status": "completed", "pattern_id": "p1"},
        {"status": "completed", "reason": "OTHER"},
    ):
        await shop.make(JOBS, make_job(**fields))

    figures = await ask(shop, "jobs/failures")

    assert figures["total_failures"] == 2
    assert figures["by_type"] == [{"job_type": "slice", "failed": 2, "completed": 2, "failure_rate": 50}]
    assert figures["by_pattern"] == [
        {"pattern_id": "p1", "failed": 2, "completed": 1, "failure_rate": pytest.approx(200 / 3)}
    ]
    assert figures["by_material"] == [{"material_type": "Ebony", "failed": 1, "completed": 0, "failure_rate": 100}]
    assert figures["by_reason"] == [
        {"reason": "MACHINE_FAILURE", "failed": 1, "percentage": 50},
        {"reason": None, "failed": 1, "percentage": 50},
    ]


async def test_a_window_may_end_on_an_earlier_day(shop: Shop) -> None:
    for days, status in ((0, "completed"), (2, "failed"), (3, "completed"), (9, "failed")):
        await shop.make(JOBS, make_job(status=status, end_time=days_ago(days)))
    until = days_ago(2)[:10]

    trends = await ask(shop, "jobs/success-trends", days=2, until=until)
    throughput = await ask(shop, "jobs/throughput", days=2, until=until)
    failures = await ask(shop, "jobs/failures", days=2, until=until)
    every_failure = await ask(shop, "jobs/failures")

    assert [day["date"] for day in trends["trends"]] == [days_ago(3)[:10], until]
    assert (trends["overall"]["completed"], trends["overall"]["failed"]) == (1, 1)
    assert throughput["completed_jobs"] == 1
    assert failures["total_failures"] == 1
    assert every_failure["total_failures"] == 2


async def test_conditions_together_count_what_each_job_says(shop: Shop) -> None:
    jobs = [
        make_job(
            status="completed" if n % 3 else "failed",
            machine_id=f"m{n % 2}",
            job_type=f"type{n % 5}",
            project_id=f"p{n % 7}",
            end_time=days_ago(n % 4),
        )
        for n in range(140)
    ]
    for job in jobs:
        await shop.make(JOBS, job)
    chosen = {"machine_id": "m1", "job_type": "type2", "project_id": "p3"}

    for names in (("machine_id", "job_type"), ("machine_id", "project_id"), tuple(chosen)):
        conditions = {name: chosen[name] for name in names}
        trends = await ask(shop, "jobs/success-trends", days=3, **conditions)

        within = [
            job
            for job in jobs
            if all(job[name] == value for name, value in conditions.items()) and job["end_time"] >= days_ago(2)[:10]
        ]
        assert within
        assert trends["overall"]["total"] == len(within)
        assert {day["date"]: day["completed"] for day in trends["trends"]} == {
            day["date"]: sum(job["status"] == "completed" and job["end_time"][:10] == day["date"] for job in within)
            for day in trends["trends"]
        }


async def test_trends_of_one_machine_project_type_pattern_or_material(shop: Shop) -> None:
    await shop.make(JOBS, make_job(status="completed", machine_id="cnc1", project_id="g7"))
    await shop.make(JOBS, make_job(status="failed", machine_id="cnc2", job_type="contour"))

    for query, completed, failed in (
        ({"machine_id": "cnc1"}, 1, 0),
        ({"job_type": "contour"}, 0, 1),
        ({"project_id": "g7"}, 1, 0),
        ({"pattern_id": "none"}, 0, 0),
        ({"machine_id": "cnc1", "project_id": "g7"}, 1, 0),
        ({"machine_id": "cnc2", "job_type": "contour"}, 0, 1),
        ({"machine_id": "cnc1", "job_type": "contour"}, 0, 0),
        ({}, 1, 1),
    ):
        trends = await ask(shop, "jobs/success-trends", **query)
        throughput = await ask(shop, "jobs/throughput", **query)

        assert (trends["overall"]["completed"], trends["overall"]["failed"]) == (completed, failed)
        assert throughput["completed_jobs"] == completed


async def test_recent_shows_pending_jobs(shop: Shop) -> None:
    await shop.make(JOBS, make_job(id="j1", status="completed", duration_seconds=90))
    await shop.make(JOBS, make_job(id="j2"))

    figures = await ask(shop, "jobs/recent", limit=5)

    assert [job["id"] for job in figures["jobs"]] == ["j2", "j1"]
    assert [job["duration_minutes"] for job in figures["jobs"]] == [None, 1.5]
    assert figures["count"] == 2


async def test_figures_follow_every_change(shop: Shop) -> None:
    job = await shop.make(JOBS, make_job(status="running"))
    assert (await ask(shop, "jobs/status"))["wip"] == 1

    await shop.client.put(f"{JOBS}/{job['id']}", json={"status": "completed"})
    done = await ask(shop, "jobs/status")
    await shop.client.delete(f"{JOBS}/{job['id']}")

    assert (done["wip"], done["success_rate"]) == (0, 100)
    assert (await ask(shop, "jobs/status"))["total_jobs"] == 0


async def test_a_wrong_parameter_is_refused_with_what_is_accepted(shop: Shop) -> None:
    for path, pointer, accepted in (
        ("jobs/success-trends?days=0", "/days", "1 to 365"),
        ("jobs/success-trends?days=366", "/days", "1 to 365"),
        ("jobs/throughput?days=ten", "/days", "1 to 365"),
        ("jobs/success-trends?until=2026-02-30", "/until", "a day up to today"),
        ("jobs/throughput?until=9999-01-01", "/until", "a day up to today"),
        ("jobs/failures?until=2026-01-01", "/days", "required with until"),
        ("patterns/popularity?limit=101", "/limit", "1 to 100"),
        ("jobs/recent?limit=-1", "/limit", "1 to 100"),
        ("jobs/recent?days=1", "/days", "accepted: limit"),
        ("jobs/status?days=1", "/days", "none is accepted"),
        ("materials/inventory?x=1", "/x", "none is accepted"),
    ):
        answer = await shop.client.get(f"{ANALYTICS}/{path}")

        assert is_problem(answer, 422, "invalid")
        assert pointers(answer) == [pointer]
        assert accepted in answer.json()["detail"]


async def test_details_of_an_unknown_pattern_are_not_found(shop: Shop) -> None:
    answer = await shop.client.get(f"{ANALYTICS}/patterns/nowhere/details")

    assert is_problem(answer, 404, "not_found")
    assert answer.json()["detail"] == "Pattern not found: nowhere"

"""Correlation, anomalies and prediction over HTTP."""

from __future__ import annotations

import pytest

from rmos.analytics.measures import MEASURES
from tests.analytics.support import ANALYTICS, ask, days_ago
from tests.web.shops import FAMILIES, PATTERNS, Shop, is_problem, make_family, make_job, make_pattern, pointers

ADVANCED = "advanced"


def at(minute: int, day: int = 20) -> str:
    """A time of November 2026, for jobs that end on a certain day."""
    return f"2026-11-{day}T{minute // 60:02}:{minute % 60:02}:00.000Z"


async def make_jobs(shop: Shop, *jobs: dict[str, object]) -> None:
    operations = [{"op": "create", "entity": "joblog", "data": make_job(**fields)} for fields in jobs]
    answer = await shop.client.post("/api/rmos/stores/bulk", json={"operations": operations})
    assert answer.status_code == 200, answer.text


async def test_correlation_of_jobs_with_their_patterns(shop: Shop) -> None:
    for rings in (1, 2, 3):
        await shop.make(PATTERNS, {"id": f"p{rings}", "name": "Rope", "ring_count": rings})
    await make_jobs(
        shop,
        {"pattern_id": "p1", "status": "completed", "duration_seconds": 10},
        {"pattern_id": "p2", "status": "completed", "duration_seconds": 25},
        {"pattern_id": "p3", "status": "completed", "duration_seconds": 30},
        {"pattern_id": "p3", "status": "completed"},
        {"status": "completed", "duration_seconds": 99},
    )

    found = await ask(shop, f"{ADVANCED}/correlation", x="pattern.ring_count", y="job.duration_seconds")

    assert (found["unit"], found["considered"], found["n"]) == ("job", 5, 3)
    assert found["r"] == pytest.approx(0.9607689228305227)
    assert (found["mean_x"], found["mean_y"], found["spearman"], found["ci95"]) == (2, pytest.approx(65 / 3), 1, None)
    assert "error" not in found


async def test_correlation_tells_the_newest_pairs_that_are_asked_for(shop: Shop) -> None:
    await make_jobs(
        shop,
        *({"id": f"j{n}", "status": "completed", "duration_seconds": n, "good_qty": n * n} for n in (1, 2, 3, 4)),
        {"status": "completed", "duration_seconds": 9},
    )
    measures = {"x": "job.duration_seconds", "y": "job.good_qty"}

    found = await ask(shop, f"{ADVANCED}/correlation", **measures, points=2)
    without = await ask(shop, f"{ADVANCED}/correlation", **measures)

    assert found["n"] == 4
    assert found["points"] == [{"id": "j3", "x": 3, "y": 9}, {"id": "j4", "x": 4, "y": 16}]
    assert "points" not in without


async def test_correlation_without_jobs_is_over_patterns_or_families(shop: Shop) -> None:
    for number in (1, 2, 3, 4):
        await shop.make(FAMILIES, make_family(id=f"f{number}", strip_width_mm=number, strip_thickness_mm=5 - number))
        await shop.make(PATTERNS, {"name": "Rope", "ring_count": number, "strip_family_id": f"f{number}"})

    patterns = await ask(shop, f"{ADVANCED}/correlation", x="pattern.complexity_score", y="material.strip_width_mm")
    families = await ask(shop, f"{ADVANCED}/correlation", x="material.strip_width_mm", y="material.strip_thickness_mm")

    assert (patterns["unit"], patterns["r"], patterns["t_stat"], patterns["p_value"]) == ("pattern", 1, None, 0)
    assert (families["unit"], families["r"]) == ("material", -1)


async def test_too_few_pairs_have_no_r_and_say_why(shop: Shop) -> None:
    found = await ask(shop, f"{ADVANCED}/correlation", x="job.success", y="job.waste_percentage")

    assert (found["r"], found["n"]) == (None, 0)
    assert "too few" in found["error"]


async def test_every_measure_can_be_correlated_with_every_job(shop: Shop) -> None:
    await shop.make(FAMILIES, make_family(id="f1", min_stock_mm=5))
    await shop.make(PATTERNS, make_pattern(id="p1", geometry={"rings": [{"radius_mm": 45, "segments": 60}, {}]}))
    results = {"waste_percentage": 5, "actual_kerf_mm": 0.32, "strip_used_mm": 4}
    parameters = {"kerf_mm": 0.3, "tool_diameter_mm": 1}
    for qty in (1, 2, 3):
        quantities = {"good_qty": qty, "scrap_qty": qty, "rework_qty": qty, "duration_seconds": qty}
        await make_jobs(
            shop,
            {
                "status": "completed",
                "pattern_id": "p1",
                "strip_family_id": "f1",
                "parameters": parameters,
                "results": results,
                **quantities,
            },
        )

    for key in MEASURES:
        found = await ask(shop, f"{ADVANCED}/correlation", x="job.good_qty", y=key)
        assert found["n"] == 3, key


async def test_the_matrix_is_symmetric_and_ranks_its_pairs(shop: Shop) -> None:
    await make_jobs(
        shop,
        *({"status": "completed", "duration_seconds": n, "good_qty": n, "scrap_qty": n % 2} for n in range(6)),
    )
    keys = ("job.duration_seconds", "job.good_qty", "job.scrap_qty")

    found = await ask(shop, f"{ADVANCED}/correlations", keys=",".join(keys))
    default = await ask(shop, f"{ADVANCED}/correlations")

    assert found["keys"] == list(keys)
    for x in keys:
        assert found["matrix"][x][x] == 1
        for y in keys:
            assert found["matrix"][x][y] == found["matrix"][y][x]
    assert (found["pairs"][0]["x"], found["pairs"][0]["y"], found["pairs"][0]["r"]) == (*keys[:2], 1)
    assert len(default["pairs"]) == len(default["keys"]) * (len(default["keys"]) - 1) / 2


async def test_relations_of_a_window_are_those_of_its_jobs(shop: Shop) -> None:
    for number in (1, 2, 3):
        await shop.make(FAMILIES, make_family(id=f"f{number}", strip_width_mm=number))
    # On the 19th pieces take longer the more they are, on the 20th shorter, and the families change places in waste.
    pieces = {1: (10, 30), 2: (25, 20), 3: (30, 10)}
    for day, column in ((19, 0), (20, 1)):
        await make_jobs(
            shop,
            *(
                {
                    "status": "completed",
                    "end_time": at(good, day),
                    "strip_family_id": f"f{good}",
                    "good_qty": good,
                    "duration_seconds": seconds[column],
                    "results": {"waste_percentage": seconds[column]},
                }
                for good, seconds in pieces.items()
            ),
        )
    measures = {"x": "job.good_qty", "y": "job.duration_seconds"}
    of_families = {"x": "material.strip_width_mm", "y": "material.efficiency_score"}

    rising = await ask(shop, f"{ADVANCED}/correlation", **measures, days=1, until="2026-11-19", points=9)
    falling = await ask(shop, f"{ADVANCED}/correlation", **measures, days=1, until="2026-11-20")
    neither = await ask(shop, f"{ADVANCED}/correlation", **measures, days=365, until="2026-11-18")
    both = await ask(shop, f"{ADVANCED}/correlation", **measures)
    keys = ",".join(measures.values())
    matrix = await ask(shop, f"{ADVANCED}/correlations", keys=keys, days=1, until="2026-11-19")
    wasteful = await ask(shop, f"{ADVANCED}/correlation", **of_families, days=1, until="2026-11-19")
    thrifty = await ask(shop, f"{ADVANCED}/correlation", **of_families, days=1, until="2026-11-20")

    assert (rising["considered"], rising["n"], rising["r"]) == (3, 3, pytest.approx(0.9607689228305227))
    assert [(pair["x"], pair["y"]) for pair in rising["points"]] == [(1, 10), (2, 25), (3, 30)]
    assert (falling["considered"], falling["r"]) == (3, pytest.approx(-1))
    assert (neither["considered"], neither["r"]) == (0, None)
    assert (both["considered"], both["n"]) == (6, 6)
    assert (matrix["considered"], matrix["pairs"][0]["r"]) == (3, rising["r"])
    assert (wasteful["unit"], wasteful["n"], wasteful["r"]) == ("material", 3, pytest.approx(-0.9607689228305227))
    assert thrifty["r"] == pytest.approx(1)


async def test_a_job_that_took_long_is_found_in_its_own_group(shop: Shop) -> None:
    usual = [{"job_type": "slice", "status": "completed", "duration_seconds": 600 + n % 7} for n in range(30)]
    slow = {"job_type": "glue_up", "status": "completed", "duration_seconds": 6000}
    await make_jobs(shop, *usual, *([slow] * 10), {"id": "odd", **usual[0], "duration_seconds": 6000})

    found = await ask(shop, f"{ADVANCED}/anomalies/durations", z=3)

    (anomaly,) = found["anomalies"]
    assert (anomaly["job_id"], anomaly["job_type"], anomaly["severity"]) == ("odd", "slice", "critical")
    assert anomaly["duration_min"] == 100
    assert anomaly["robust_z"] > 100 > anomaly["z_score"] > 3
    assert (found["n"], found["too_few"], found["z"]) == (41, False, 3)
    assert {group["job_type"]: group["n"] for group in found["groups"]} == {"slice": 31, "glue_up": 10}


async def test_unusual_durations_of_a_window_are_held_against_each_other(shop: Shop) -> None:
    def job(number: int, seconds: int, day: int) -> dict[str, object]:
        return {
            "id": f"d{day}-{number}",
            "status": "completed",
            "duration_seconds": seconds,
            "end_time": at(number, day),
        }

    await make_jobs(shop, *(job(n, 600 + n % 7, day=19) for n in range(30)))
    await make_jobs(shop, *(job(n, 6000 + n % 7, day=20) for n in range(8)), job(8, 600, day=20))

    window = await ask(shop, f"{ADVANCED}/anomalies/durations", days=1, until="2026-11-20")
    before = await ask(shop, f"{ADVANCED}/anomalies/durations", days=1, until="2026-11-19")
    every_day = await ask(shop, f"{ADVANCED}/anomalies/durations")

    assert [anomaly["job_id"] for anomaly in window["anomalies"]] == ["d20-8"]
    assert (window["n"], before["n"], every_day["n"]) == (9, 30, 39)
    assert before["anomalies"] == []
    assert {anomaly["job_id"] for anomaly in every_day["anomalies"]} == {f"d20-{n}" for n in range(8)}


async def test_few_jobs_are_said_to_be_few(shop: Shop) -> None:
    await make_jobs(shop, *({"status": "completed", "duration_seconds": n * 100} for n in (1, 1, 9)))

    found = await ask(shop, f"{ADVANCED}/anomalies/durations")

    assert (found["anomalies"], found["too_few"], found["n"]) == ([], True, 3)
    assert found["groups"][0]["classic_can_reach_z"] is False


async def test_a_pattern_with_enough_jobs_is_a_group_of_its_own(shop: Shop) -> None:
    await shop.make(PATTERNS, make_pattern(id="p1"))
    of_pattern = [{"pattern_id": "p1", "status": "completed", "duration_seconds": 100 + n % 5} for n in range(20)]
    others = [{"status": "completed", "duration_seconds": 900 + n % 5} for n in range(20)]
    await make_jobs(shop, *of_pattern, *others)

    found = await ask(shop, f"{ADVANCED}/anomalies/durations")

    assert {(group["pattern_id"], group["n"]) for group in found["groups"]} == {("p1", 20), (None, 20)}
    assert found["anomalies"] == []


async def test_a_bad_week_is_held_against_the_others(shop: Shop) -> None:
    jobs = []
    for week in range(8):
        failed = 40 if week == 2 else 4
        jobs += [{"status": "failed" if n < failed else "completed", "end_time": days_ago(week * 7)} for n in range(60)]
    await make_jobs(shop, *jobs)

    found = await ask(shop, f"{ADVANCED}/anomalies/success", window_days=7, z=3)

    (bad,) = found["anomalies"]
    assert (bad["failed"], bad["completed"], bad["severity"]) == (40, 20, "critical")
    assert bad["expected_rate"] == pytest.approx(56 / 60 * 100)
    assert bad["z_score"] < -8
    assert (len(found["windows"]), found["n"], found["window_days"]) == (52, 480, 7)


async def test_windows_are_as_wide_as_asked_and_say_when_they_have_too_few_jobs(shop: Shop) -> None:
    await make_jobs(shop, {"status": "completed", "end_time": days_ago(1)}, {"status": "failed"})

    found = await ask(shop, f"{ADVANCED}/anomalies/success", window_days=30)

    assert len(found["windows"]) == 12
    last = found["windows"][-1]
    assert (last["end"], last["completed"], last["failed"]) == (days_ago(0)[:10], 1, 1)
    assert found["too_few"] is True


async def test_prediction_rests_on_type_material_and_tool(shop: Shop) -> None:
    await shop.make(FAMILIES, make_family(id="f1", material_type="Ebony"))
    thin = {"job_type": "slice", "strip_family_id": "f1", "parameters": {"tool_diameter_mm": 0.6}}
    await make_jobs(
        shop,
        *([{**thin, "status": "failed"}] * 30),
        *([{**thin, "status": "completed"}] * 5),
        *([{"job_type": "slice", "status": "completed"}] * 60),
    )
    url = f"{ANALYTICS}/advanced/predict"

    risky = (await shop.client.post(url, json={"jobType": "slice", "material": "EBONY", "toolDiameter": 0.8})).json()
    other = (await shop.client.post(url, json={"jobType": "slice", "toolDiameter": 9})).json()

    assert risky["success"] is True
    assert risky["risk_score"] > 0.66
    assert risky["risk_percent"] == risky["risk_score"] * 100
    assert (risky["band"], risky["n"], risky["basis"]) == ("high", 35, "tool")
    assert risky["interval"][0] < risky["risk_score"] < risky["interval"][1]
    assert "30 of 35 failed" in risky["explanation"]
    assert other["risk_score"] < risky["risk_score"]
    assert (other["n"], other["basis"]) == (95, "job type")


async def test_prediction_without_history_says_so(shop: Shop) -> None:
    answer = await shop.client.post(f"{ANALYTICS}/advanced/predict", json={})

    found = answer.json()
    assert (found["n"], found["basis"], found["band"]) == (0, "prior", "low")
    assert "no history" in found["explanation"]
    assert await shop.event_types() == []


async def test_quality_of_predictions(shop: Shop) -> None:
    empty = await ask(shop, f"{ADVANCED}/predict/quality")
    await make_jobs(shop, *({"id": f"j{n:02}", "status": "failed" if n % 4 == 0 else "completed"} for n in range(80)))

    found = await ask(shop, f"{ADVANCED}/predict/quality")

    assert (empty["n"], empty["brier"], empty["too_few"]) == (0, None, True)
    assert (found["n"], found["learned_first"], found["too_few"]) == (40, 40, False)
    assert found["brier"] == pytest.approx(0.1875, abs=0.02)
    assert sum(entry["n"] for entry in found["calibration"]) == 40


async def test_a_missing_measure_is_a_bad_request_that_names_all(shop: Shop) -> None:
    answer = await shop.client.get(f"{ANALYTICS}/advanced/correlation", params={"x": "job.success"})

    assert is_problem(answer, 400, "bad_request")
    assert all(key in answer.json()["detail"] for key in ("'y'", *MEASURES))


async def test_wrong_parameters_are_refused_with_what_is_accepted(shop: Shop) -> None:
    for path, pointer, accepted in (
        ("correlation?x=job.mood&y=job.success", "/x", "job.waste_percentage"),
        ("correlations?keys=job.success", "/keys", "2 to 12"),
        ("correlations?keys=job.success,job.success", "/keys", "different"),
        ("correlations?keys=job.success,x", "/keys", "pattern.ring_count"),
        ("correlation?x=job.success&y=job.good_qty&days=0", "/days", "1 to 365"),
        ("correlations?until=2026-11-20", "/days", "required with until"),
        ("correlations?days=7&until=2026-02-30", "/until", "a day up to today"),
        ("anomalies/durations?z=0", "/z", "0.5 to 10"),
        ("anomalies/durations?z=nan", "/z", "0.5 to 10"),
        ("anomalies/durations?days=366", "/days", "1 to 365"),
        ("anomalies/durations?until=2026-11-20", "/days", "required with until"),
        ("anomalies/durations?days=7&until=yesterday", "/until", "a day up to today"),
        ("anomalies/success?window_days=0", "/window_days", "1 to 90"),
        ("anomalies/success?days=7", "/days", "window_days"),
    ):
        answer = await shop.client.get(f"{ANALYTICS}/advanced/{path}")

        assert is_problem(answer, 422, "invalid"), path
        assert pointers(answer) == [pointer]
        assert accepted in answer.json()["detail"]
    for body, pointer in (({"jobtype": "slice"}, "/jobtype"), ({"toolDiameter": "thin"}, "/toolDiameter")):
        answer = await shop.client.post(f"{ANALYTICS}/advanced/predict", json=body)

        assert is_problem(answer, 422, "invalid")
        assert pointers(answer) == [pointer]

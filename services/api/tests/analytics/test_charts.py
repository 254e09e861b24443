"""Control charts over HTTP: frozen limits, the rule that fired, and what cannot be charted."""

from __future__ import annotations

import math
from typing import Any

import pytest

from rmos.analytics.measures import MEASURES as CORRELATED
from rmos.analytics.rules import RULES
from rmos.services.analytics.charts import MEASURES as CHARTED
from tests.analytics.support import ANALYTICS, ask
from tests.analytics.test_advanced import at, make_jobs
from tests.docs.pages import DOCS
from tests.web.shops import Shop, is_problem, pointers


def timed(values: list[float], **fields: Any) -> list[dict[str, Any]]:
    """Completed jobs with these durations, one a minute."""
    return [
        {"id": f"j{number}", "status": "completed", "duration_seconds": value, "end_time": at(number), **fields}
        for number, value in enumerate(values)
    ]


STEADY = [100.0, 104.0] * 15


async def test_limits_come_from_the_baseline_and_points_after_it_are_judged(shop: Shop) -> None:
    await make_jobs(shop, *timed([*STEADY, 102, 200, 102]))

    found = await ask(shop, "charts/duration", baseline=30)

    assert (found["chart"], found["unit"], found["n"], found["too_few"]) == ("i_mr", "s", 33, False)
    assert found["baseline"] == {"n": 30, "frozen": False}
    assert found["limits"] == {"center": 102, "sigma": pytest.approx(4 / 1.128)}
    assert found["range_limits"]["upper"] == pytest.approx(3.267 * 4)
    assert [point["phase"] for point in found["points"]].count("judged") == 3
    odd = found["points"][31]
    assert (odd["job_ids"], odd["value"]) == (["j31"], 200)
    assert odd["signals"] == ["nelson_1", "range_beyond_limits"]
    assert found["points"][32]["signals"] == ["range_beyond_limits"]
    assert (found["signals"], found["in_control"]) == (3, False)
    assert odd["upper"] == pytest.approx(102 + 3 * 4 / 1.128)


async def test_a_window_charts_its_newest_jobs_with_limits_of_its_own(shop: Shop) -> None:
    before = [{**job, "id": f"b{n}", "end_time": at(n, day=19)} for n, job in enumerate(timed([300.0, 310] * 12))]
    after = [{**job, "id": f"a{n}", "end_time": at(n, day=21)} for n, job in enumerate(timed([500.0, 510] * 12))]
    await make_jobs(shop, *before, *timed([*STEADY, 102, 200]), *after)

    one_day = await ask(shop, "charts/duration", days=1, until="2026-11-20", baseline=30)
    newest = await ask(shop, "charts/duration", days=1, until="2026-11-20", points=20)
    two_days = await ask(shop, "charts/duration", days=2, until="2026-11-20")
    every_day = await ask(shop, "charts/duration")

    assert [point["job_ids"] for point in one_day["points"]] == [[f"j{n}"] for n in range(32)]
    assert (one_day["limits"]["center"], one_day["points"][31]["signals"][0]) == (102, "nelson_1")
    assert [point["job_ids"] for point in newest["points"]] == [[f"j{n}"] for n in range(12, 32)]
    assert [two_days["points"][0]["job_ids"], two_days["points"][-1]["job_ids"]] == [["b0"], ["j31"]]
    assert (every_day["n"], every_day["points"][-1]["job_ids"]) == (80, ["a23"])


async def test_a_window_judges_by_limits_that_were_kept(shop: Shop) -> None:
    later = [{**job, "id": f"a{n}", "end_time": at(n, day=21)} for n, job in enumerate(timed([102.0, 130]))]
    await make_jobs(shop, *timed(STEADY), *later)

    kept = {"center": 102, "sigma": 4}
    found = await ask(shop, "charts/duration", days=1, until="2026-11-21", **kept)

    assert (found["limits"], found["baseline"]) == (kept, {"n": 0, "frozen": True})
    assert [point["job_ids"] for point in found["points"]] == [["a0"], ["a1"]]
    assert found["points"][1]["signals"][0] == "nelson_1"


async def test_a_window_that_ends_before_the_first_job_has_no_points(shop: Shop) -> None:
    await make_jobs(shop, *timed(STEADY))

    found = await ask(shop, "charts/duration", days=365, until="2026-11-19")

    assert (found["n"], found["points"], found["limits"], found["too_few"]) == (0, [], None, True)


async def test_an_outlier_in_the_baseline_is_not_judged(shop: Shop) -> None:
    await make_jobs(shop, *timed([*STEADY[:10], 900, *STEADY[10:], 102]))

    found = await ask(shop, "charts/duration", baseline=31)

    assert [point["signals"] for point in found["points"]] == [[]] * 32
    assert found["in_control"] is True


async def test_the_rule_that_fired_is_named_and_can_be_chosen(shop: Shop) -> None:
    await make_jobs(shop, *timed([*STEADY, *[103.0] * 9]))

    default = await ask(shop, "charts/duration", baseline=30)
    western = await ask(shop, "charts/duration", baseline=30, rules="western_electric_4")

    assert [point["signals"] for point in default["points"][-2:]] == [[], ["nelson_2"]]
    assert default["rules"]["nelson_2"] == "9 points on one side of the centre"
    assert [point["signals"] for point in western["points"][-2:]] == [["western_electric_4"]] * 2


async def test_kept_limits_judge_every_point(shop: Shop) -> None:
    await make_jobs(shop, *timed([102, 102, 130]))

    found = await ask(shop, "charts/duration", center=102, sigma=4)

    assert found["baseline"] == {"n": 0, "frozen": True}
    assert [point["phase"] for point in found["points"]] == ["judged"] * 3
    assert found["points"][2]["signals"][0] == "nelson_1"


async def test_residuals_of_a_drifting_process_show_its_fault_alone(shop: Shop) -> None:
    slow = [1000 + 200 * math.sin(n / 12) + (3 if n % 2 else -3) for n in range(240)]
    await make_jobs(shop, *timed([*slow[:220], slow[220] + 150, *slow[221:]]))

    charted = {"baseline": 150, "points": 240, "rules": "nelson_1"}
    values = await ask(shop, "charts/duration", **charted)
    left = await ask(shop, "charts/duration", of="residuals", **charted)

    def out(found: dict[str, Any]) -> list[str]:
        return [point["job_ids"][0] for point in found["points"] if "nelson_1" in point["signals"]]

    assert len(out(values)) > 40
    assert out(left) == ["j220", "j221"]  # when it comes, and when it goes
    assert values["autocorrelation"] == left["autocorrelation"] == left["forecast"]["weight"] > 0.95
    assert values["forecast"] is None
    assert left["limits"]["center"] == pytest.approx(0, abs=3)
    assert left["points"][1]["value"] == pytest.approx(
        slow[1] - left["forecast"]["center"] - left["forecast"]["weight"] * (slow[0] - left["forecast"]["center"])
    )


async def test_residuals_without_a_baseline_are_not_charted(shop: Shop) -> None:
    await make_jobs(shop, *timed([100.0, 102]))

    found = await ask(shop, "charts/duration", of="residuals")

    assert (found["too_few"], found["forecast"], found["autocorrelation"]) == (True, None, None)


async def test_residuals_go_with_single_values_and_a_baseline(shop: Shop) -> None:
    for query in ("of=trend", "of=residuals&chart=xbar_r", "of=residuals&center=1&sigma=1"):
        answer = await shop.client.get(f"{ANALYTICS}/charts/duration?{query}")

        assert is_problem(answer, 422, "invalid"), query
        assert pointers(answer) == ["/of"]


async def test_means_of_subgroups(shop: Shop) -> None:
    await make_jobs(shop, *timed([100.0, 102, 104] * 21 + [110.0, 111, 112] + [100.0]))

    found = await ask(shop, "charts/duration", chart="xbar_r", subgroup=3, baseline=20)

    assert found["n"] == 22
    assert found["points"][-1]["value"] == pytest.approx((111 + 112 + 100) / 3)
    assert len(found["points"][0]["job_ids"]) == 3


async def test_ewma_and_cusum_notice_a_small_shift(shop: Shop) -> None:
    await make_jobs(shop, *timed([*STEADY, *[107.0] * 12]))

    shewhart = await ask(shop, "charts/duration", baseline=30, rules="nelson_1")
    ewma = await ask(shop, "charts/duration", chart="ewma", baseline=30)
    cusum = await ask(shop, "charts/duration", chart="cusum", baseline=30, h=4)

    assert shewhart["in_control"] is True
    assert ewma["points"][-1]["signals"] == ["ewma_beyond_limits"]
    assert ewma["points"][30]["statistic"] == pytest.approx(0.8 * 102 + 0.2 * 107)
    assert cusum["points"][-1]["signals"] == ["cusum_high"]
    assert cusum["points"][30]["statistic"]["low"] == 0
    assert cusum["points"][29]["statistic"] is None


async def test_success_is_charted_as_shares(shop: Shop) -> None:
    jobs = [{"status": "failed" if n % 10 == 0 or n >= 210 else "completed", "end_time": at(n)} for n in range(220)]
    await make_jobs(shop, *jobs)

    found = await ask(shop, "charts/success", subgroup=10, points=22)

    assert (found["chart"], found["n"], found["limits"]["center"]) == ("p", 22, pytest.approx(0.9))
    assert [point["value"] for point in found["points"][-2:]] == [0.9, 0]
    assert found["points"][-1]["signals"] == ["nelson_1"]
    assert found["points"][0]["upper"] == 1


async def test_scrap_is_charted_per_piece(shop: Shop) -> None:
    jobs = [{"status": "completed", "good_qty": 9, "scrap_qty": 1, "end_time": at(n)} for n in range(21)]
    jobs += [{"status": "completed", "good_qty": 0, "scrap_qty": 10, "end_time": at(30)}, {"status": "completed"}]
    jobs += [{"status": "completed", "good_qty": 0, "scrap_qty": 0, "end_time": at(31)}]
    await make_jobs(shop, *jobs)

    found = await ask(shop, "charts/scrap", subgroup=1)

    assert (found["n"], found["limits"]["center"]) == (22, pytest.approx(0.1))
    assert (found["points"][-1]["value"], found["points"][-1]["units"]) == (1, 10)
    assert "nelson_1" in found["points"][-1]["signals"]


async def test_waste_and_drift_of_the_kerf_of_one_machine(shop: Shop) -> None:
    for number, machine in enumerate(["cnc1", "cnc2"] * 3):
        results = {"waste_percentage": number, "actual_kerf_mm": 0.3 + number / 100}
        fields = {"status": "completed", "results": results, "parameters": {"kerf_mm": 0.3}, "end_time": at(number)}
        await make_jobs(shop, {**fields, "machine_id": machine})

    waste = await ask(shop, "charts/waste", machine_id="cnc2")
    drift = await ask(shop, "charts/kerf_drift", machine_id="cnc2", job_type="slice")

    assert [point["value"] for point in waste["points"]] == [1, 3, 5]
    assert [point["value"] for point in drift["points"]] == pytest.approx([0.01, 0.03, 0.05])
    assert (waste["too_few"], waste["limits"], waste["in_control"]) == (True, None, None)


async def test_a_baseline_of_one_value_judges_nothing(shop: Shop) -> None:
    await make_jobs(shop, *timed([100.0] * 25))

    found = await ask(shop, "charts/duration")

    assert (found["in_control"], found["error"]) == (None, "the baseline has one value only")


async def test_an_empty_shop_has_empty_charts(shop: Shop) -> None:
    for measure in ("duration", "waste", "kerf_drift", "success", "scrap"):
        found = await ask(shop, f"charts/{measure}")
        frozen = await ask(shop, f"charts/{measure}", center=0.5, sigma=1)

        assert (found["n"], found["points"], found["limits"], found["too_few"]) == (0, [], None, True)
        assert (frozen["n"], frozen["points"], frozen["in_control"], frozen["too_few"]) == (0, [], None, False)


async def test_wrong_charts_are_refused_with_what_is_accepted(shop: Shop) -> None:
    for path, pointer, accepted in (
        ("duration?chart=p", "/chart", "i_mr or xbar_r"),
        ("success?chart=i_mr", "/chart", "expected p"),
        ("duration?baseline=10", "/baseline", "20 to 500"),
        ("duration?rules=nelson_9", "/rules", "nelson_8"),
        ("duration?subgroup=5", "/subgroup", "1 to 1"),
        ("duration?chart=xbar_r&subgroup=11", "/subgroup", "2 to 10"),
        ("duration?chart=xbar_r&points=1000", "/points", "at most 4000"),
        ("duration?center=5", "/sigma", "go together"),
        ("duration?sigma=5", "/center", "go together"),
        ("duration?center=5&sigma=0", "/sigma", "expected a number"),
        ("success?center=2&sigma=1", "/center", "0 to 1"),
        ("duration?lambda=2", "/lambda", "0.01 to 1"),
        ("duration?days=0", "/days", "1 to 365"),
        ("duration?days=366", "/days", "1 to 365"),
        ("duration?days=7&until=2026-02-30", "/until", "a day up to today"),
        ("duration?days=7&until=9999-01-01", "/until", "a day up to today"),
        ("duration?until=2026-11-20", "/days", "required with until"),
        ("duration?before=2026-11-20", "/before", "days, until"),
        ("duration?operator=ada", "/operator", "accepted"),
    ):
        answer = await shop.client.get(f"{ANALYTICS}/charts/{path}")

        assert is_problem(answer, 422, "invalid"), path
        assert pointers(answer) == [pointer]
        assert accepted in answer.json()["detail"]
    answer = await shop.client.get(f"{ANALYTICS}/charts/mood")

    assert is_problem(answer, 404, "not_found")
    assert "kerf_drift" in answer.json()["detail"]


def test_the_reference_names_every_rule_and_every_measure() -> None:
    page = (DOCS / "reference" / "analytics.md").read_text("utf-8")

    for name, rule in RULES.items():
        assert any(f"`{name}`" in line and rule.text in line for line in page.splitlines()), name
    assert all(f"| `{measure}` |" in page for measure in CHARTED)
    assert all(f"`{measure}`" in page for measure in CORRELATED)

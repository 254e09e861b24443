"""Estimates of ends: what they rest on, that they hold what they promise, and the routes."""

from __future__ import annotations

import random
import statistics
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmos.analytics.eta import ENOUGH, FEW, Past, Report, Trial, choose_past, estimate, quality
from rmos.clock import seconds_between, to_timestamp
from tests.analytics.support import ask, days_ago
from tests.web.shops import JOBS, PATTERNS, Shop, make_pattern

TEN: list[float] = [100.0, 110.0, 120.0, 130.0, 140.0, 150.0, 160.0, 170.0, 180.0]
DURATIONS = st.lists(st.floats(1, 1e6), min_size=FEW, max_size=60).map(sorted)


def test_the_middle_and_the_interval_are_those_of_the_past():
    found = estimate(Past(TEN, "pattern"), elapsed_s=0)
    assert (found.duration_s, found.interval_s) == (140.0, (100.0, 180.0))
    assert (found.basis, found.n, found.overrun_s) == ("pattern", 9, 0.0)


def test_a_job_that_has_run_longer_than_some_is_compared_with_the_others():
    found = estimate(Past(TEN, "pattern"), elapsed_s=145)
    assert (found.duration_s, found.n) == (165.0, 4)
    assert found.interval_s is None, "four are too few for an interval"


def test_a_job_beyond_all_its_past_has_no_estimate_but_an_overrun():
    found = estimate(Past(TEN, "pattern"), elapsed_s=200)
    assert (found.duration_s, found.basis, found.n, found.overrun_s) == (None, "none", 0, 20.0)


def test_progress_speaks_by_its_own_weight():
    told = Report(progress=0.25, elapsed_s=50)  # says 200 s
    found = estimate(Past(TEN, "job_type"), elapsed_s=50, report=told)
    assert found.duration_s == pytest.approx(0.75 * 140 + 0.25 * 200)
    assert found.interval_s == pytest.approx((0.75 * 100 + 0.25 * 200, 0.75 * 180 + 0.25 * 200))
    assert found.basis == "job_type+progress"


def test_progress_alone_is_an_estimate_without_an_interval():
    found = estimate(Past([], "job_type"), elapsed_s=60, report=Report(0.5, 50))
    assert (found.duration_s, found.interval_s, found.basis, found.n) == (100.0, None, "progress", 0)


@pytest.mark.parametrize("progress", [0.0, 0.01])
def test_hardly_any_progress_says_nothing(progress: float):
    assert estimate(Past([], "job_type"), elapsed_s=60, report=Report(progress, 60)).duration_s is None


def test_nothing_known_is_no_number():
    found = estimate(Past([], "job_type"), elapsed_s=60)
    assert (found.duration_s, found.interval_s, found.basis, found.n, found.overrun_s) == (None, None, "none", 0, None)


def test_the_pattern_speaks_once_it_has_enough():
    assert choose_past(TEN, [1.0] * 50).basis == "pattern"
    assert choose_past(TEN[:-1], [1.0] * 50).basis == "job_type"


@given(DURATIONS, st.floats(0, 2e6), st.one_of(st.none(), st.floats(0, 1)))
def test_an_estimate_is_never_in_the_past(durations: list[float], elapsed_s: float, progress: float | None):
    report = None if progress is None else Report(progress, elapsed_s)
    found = estimate(Past(durations, "pattern"), elapsed_s=elapsed_s, report=report)
    if found.duration_s is not None:
        assert found.duration_s >= elapsed_s * (1 - 1e-12)
    if found.interval_s is not None:
        assert found.duration_s is not None
        low, high = found.interval_s
        assert elapsed_s * (1 - 1e-12) <= low <= found.duration_s * (1 + 1e-12)
        assert found.duration_s <= high * (1 + 1e-12)


@pytest.mark.parametrize("n", [ENOUGH, 19, 50])
@pytest.mark.parametrize("elapsed_share", [0.0, 0.5])
def test_four_of_five_jobs_end_within_the_interval(n: int, elapsed_share: float):
    """Whatever the distribution: here a skewed one, with a fixed seed."""
    draw = random.Random(n)  # noqa: S311 -- a sample, not a secret
    trials = []
    for _ in range(4000):
        past = sorted(draw.lognormvariate(5, 0.8) for _ in range(n))
        duration_s = draw.lognormvariate(5, 0.8)
        elapsed_s = elapsed_share * statistics.median(past)
        if duration_s <= elapsed_s:  # it had ended before anybody asked
            continue
        trials.append(Trial(elapsed_share, estimate(Past(past, "pattern"), elapsed_s=elapsed_s), duration_s))
    found = quality(trials)
    assert found.coverage is not None
    assert found.coverage > 0.78
    assert found.coverage < 0.9
    assert found.n > 100


async def run_jobs(shop: Shop, count: int, **fields: object) -> None:
    for number in range(count):
        body = {"job_type": "slice", "status": "completed", "duration_seconds": 600.0 + number * 10, **fields}
        await shop.make(JOBS, body | {"start_time": days_ago(2), "end_time": days_ago(1 + number / 1000)})


async def test_a_running_job_is_told_with_basis_and_n(shop: Shop) -> None:
    pattern = await shop.make(PATTERNS, make_pattern())
    await run_jobs(shop, 9, pattern_id=pattern["id"])
    started = to_timestamp(datetime.now(UTC) - timedelta(seconds=60))
    job = await shop.make(
        JOBS, {"job_type": "slice", "status": "running", "pattern_id": pattern["id"], "start_time": started}
    )

    told = await ask(shop, "jobs/eta")

    assert told["count"] == 1
    assert told["jobs"][0]["id"] == job["id"]
    eta = told["jobs"][0]["eta"]
    assert (eta["basis"], eta["n"], eta["overrun_s"], eta["too_few"]) == ("pattern", 9, 0, False)
    assert seconds_between(started, eta["expected_end"]) == 640
    assert [seconds_between(started, end) for end in eta["interval"]] == [600, 680]


async def test_a_running_job_without_a_past_is_told_without_numbers(shop: Shop) -> None:
    await shop.make(JOBS, {"job_type": "slice", "status": "running"})
    eta = (await ask(shop, "jobs/eta"))["jobs"][0]["eta"]
    assert (eta["expected_end"], eta["interval"], eta["basis"], eta["n"]) == (None, None, "none", 0)
    assert eta["too_few"] is True


async def test_a_mistyped_duration_breaks_no_estimate(shop: Shop) -> None:
    await run_jobs(shop, 9, duration_seconds=1e15)
    await shop.make(JOBS, {"job_type": "slice", "status": "running"})
    eta = (await ask(shop, "jobs/eta"))["jobs"][0]["eta"]
    assert (eta["expected_end"], eta["interval"]) == (None, [None, None])


async def test_quality_is_that_of_held_out_jobs(shop: Shop) -> None:
    assert (await ask(shop, "jobs/eta/quality"))["too_few"] is True
    draw = random.Random(1)  # noqa: S311 -- a sample, not a secret
    for number in range(80):
        body = {"job_type": "slice", "status": "completed", "duration_seconds": draw.lognormvariate(6, 0.3)}
        await shop.make(JOBS, body | {"end_time": days_ago(10 - number / 10)})

    found = await ask(shop, "jobs/eta/quality")

    assert (found["jobs"], found["n"], found["too_few"]) == (40, 40, False)
    assert 0.6 <= found["coverage"] <= 1
    assert 0 < found["median_error"] < 0.5
    assert [moment["elapsed_share"] for moment in found["while_running"]] == [0, 0.25, 0.5, 0.75]

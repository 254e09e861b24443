"""Elements, flow and Pareto as functions: wholes are sums of their parts, and nothing is divided by nothing."""

from __future__ import annotations

from dataclasses import astuple, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmos.analytics.facts import Presence, StopTally, Tally
from rmos.analytics.shop import Elements, flow, pareto
from rmos.analytics.tallies import Sums

NOTHING = Elements.of(Sums.of(()), (), pbt_s=0)
COUNTS = st.integers(0, 1000)
TALLIES = st.builds(
    Tally,
    st.sampled_from(["cnc1", "cnc2", None]),
    st.sampled_from(["completed", "failed"]),
    *[COUNTS] * 17,
)
STOPS = st.builds(
    StopTally, st.sampled_from(["cnc1", "cnc2", None]), st.sampled_from(["MACHINE_FAILURE", None]), *[COUNTS] * 4
)


@given(tallies=st.lists(TALLIES), stops=st.lists(STOPS))
def test_the_elements_of_the_parts_add_up_to_those_of_the_whole(tallies: list[Tally], stops: list[StopTally]) -> None:
    parts = [
        Elements.of(
            Sums.of([t for t in tallies if t.value == value]), [s for s in stops if s.value == value], pbt_s=100
        )
        for value in ("cnc1", "cnc2", None)
    ]

    assert astuple(Elements.added(parts)) == astuple(Elements.of(Sums.of(tallies), stops, pbt_s=300))


def test_oee_is_the_product_of_its_parts_and_planned_good_time_over_planned_busy_time() -> None:
    elements = replace(
        NOTHING, pbt_s=28_800, apt_s=21_600, planned_jobs=9, planned_s=18_000, planned_run_s=21_600, good=90, scrap=10
    )

    assert elements.availability == pytest.approx(0.75)
    assert elements.effectiveness == pytest.approx(18_000 / 21_600)
    assert elements.quality == pytest.approx(0.9)
    assert elements.oee == pytest.approx(18_000 * 0.9 / 28_800)
    assert elements.scrap_ratio == pytest.approx(0.1)


def test_faster_than_planned_shows_as_more_than_1() -> None:
    assert replace(NOTHING, planned_s=120, planned_run_s=100).effectiveness == pytest.approx(1.2)


def test_a_mean_of_ratios_would_be_wrong() -> None:
    busy = replace(NOTHING, good=90, scrap=10)
    idle = replace(NOTHING, good=0, scrap=1)

    assert Elements.added([busy, idle]).quality == pytest.approx(90 / 101)


def test_nothing_is_divided_by_nothing() -> None:
    ratios = ("availability", "effectiveness", "quality", "oee", "scrap_ratio", "rework_ratio", "first_pass_yield")

    assert [getattr(NOTHING, name) for name in (*ratios, "mtbf_s", "mttr_s")] == [None] * 9
    assert replace(NOTHING, apt_s=100).mtbf_s is None


def test_reliability_counts_failures_of_the_machine_alone() -> None:
    stops = [StopTally("cnc1", "MACHINE_FAILURE", 3, 2, 600.0, 1), StopTally("cnc1", "QUALITY_HOLD", 5, 5, 999.0, 0)]

    elements = Elements.of(replace(Sums.of(()), duration_s=3000.0), stops, pbt_s=0)

    assert (elements.failures, elements.mtbf_s) == (3, 1000)
    assert (elements.repairs, elements.mttr_s) == (2, 300)


def test_littles_law_has_no_residual_where_the_window_begins_and_ends_empty() -> None:
    found = flow(10, 10 * 360.0, Presence(0, 0.0, 0.0), window_s=3600)

    assert (found.cycle_time_s, found.average_wip, found.expected_wip, found.residual) == (360, 1, 1, 0)


def test_what_was_in_progress_at_the_edges_shows_in_the_residual() -> None:
    found = flow(2, 2 * 600.0, Presence(1, 900.0, 300.0), window_s=3600)

    assert found.average_wip == pytest.approx((1200 - 300 + 900) / 3600)
    assert found.residual == pytest.approx(600 / 3600)
    assert flow(0, 0.0, Presence(0, 0.0, 0.0), window_s=60).residual is None


def test_pareto_runs_to_100_percent_and_leaves_out_what_cost_nothing() -> None:
    causes = pareto([("b", 10), (None, 30), ("a", 60), ("c", 0)])

    assert [(c.name, c.percentage, c.cumulative) for c in causes] == [("a", 60, 60), (None, 30, 90), ("b", 10, 100)]
    assert pareto([]) == []

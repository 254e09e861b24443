"""Correlation, anomalies and prediction as functions: SciPy as the oracle, known answers, and where they end."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from rmos.analytics.anomalies import Spread, can_reach, severity, share_z
from rmos.analytics.correlation import correlate, correlate_all, ranks
from rmos.analytics.measures import complete_pairs
from rmos.analytics.prediction import PRIOR_SHARE, Case, FailureModel, band_of, quality

PAIRS = st.lists(
    st.tuples(st.integers(-1000, 1000).map(lambda v: v / 8), st.floats(-1e6, 1e6)), min_size=4, max_size=40
)


@given(pairs=PAIRS)
def test_correlation_is_that_of_scipy(pairs: list[tuple[float, float]]) -> None:
    x, y = [a for a, _ in pairs], [b for _, b in pairs]
    found = correlate(x, y)
    if found.r is None or abs(found.r) == 1:
        return

    expected = stats.pearsonr(x, y)

    assert found.r == pytest.approx(expected.statistic, abs=1e-9)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-9)
    assert found.spearman == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-9)
    if abs(found.r) < 0.999:
        assert found.ci95 == pytest.approx(tuple(expected.confidence_interval(0.95)), abs=1e-9)


@given(
    rows=st.lists(st.tuples(*[st.none() | st.integers(-50, 50).map(float)] * 4), max_size=30),
)
def test_columns_with_gaps_are_compared_as_their_complete_pairs(rows: list[tuple[float | None, ...]]) -> None:
    columns = {name: [row[place] for row in rows] for place, name in enumerate("abcd")}

    found = {(x, y): correlation for x, y, correlation in correlate_all(columns)}

    assert [*found] == [("a", "b"), ("a", "c"), ("a", "d"), ("b", "c"), ("b", "d"), ("c", "d")]
    for (x, y), correlation in found.items():
        assert correlation == replace(correlate(*complete_pairs(columns[x], columns[y])), spearman=None)


def test_mid_ranks_share_a_place() -> None:
    assert ranks([10, 20, 10, 30, 10]) == [2, 4, 2, 5, 2]


@pytest.mark.parametrize("sign", [1, -1])
def test_points_on_a_line_have_no_t_and_p_0(sign: int) -> None:
    x = [0.1 * number for number in range(20)]

    found = correlate(x, [sign * (3 * value + 0.7) for value in x])

    assert (found.r, found.t_stat, found.p_value, found.ci95, found.error) == (sign, None, 0.0, None, None)


def test_two_pairs_and_constants_have_no_r_but_a_reason() -> None:
    few, constant = correlate([1, 2], [3, 4]), correlate([1, 2, 3], [5, 5, 5])

    assert (few.r, few.n, few.mean_x, few.error) == (None, 2, 1.5, "too few pairs: 2, at least 3 are needed")
    assert (constant.r, constant.error) == (None, "y has one value only")
    assert correlate([], []).mean_x is None


def test_a_relation_that_is_not_straight_shows_in_the_ranks() -> None:
    x = [float(number) for number in range(1, 20)]

    found = correlate(x, [math.exp(value) for value in x])

    assert found.spearman == 1
    assert found.r is not None
    assert found.r < 0.8


def test_the_classic_score_cannot_pass_the_root_of_n_less_1_and_the_robust_one_can() -> None:
    values = [10.0, 11.0, 9.0, 10.5, 9.5, 1e6]
    spread = Spread.of(values)

    classic, robust = spread.z_score(1e6), spread.robust_z(1e6)

    assert classic is not None
    assert classic <= math.sqrt(len(values) - 1) + 1e-9
    assert robust is not None
    assert robust > 1000


def test_the_robust_score_has_a_stand_in_where_most_values_are_equal() -> None:
    spread = Spread.of([10, 10, 10, 10, 10, 10, 13])

    assert spread.mad == 0
    assert spread.robust_z(13) == pytest.approx(3 / (1.253314 * 3 / 7))
    assert Spread.of([10, 10, 10]).robust_z(10) is None


def test_severity_grows_with_the_distance() -> None:
    assert [severity(d, 3) for d in (2.9, -3, 4.5, -6)] == [None, "medium", "high", "critical"]


def test_a_share_is_judged_by_its_exact_probability() -> None:
    assert share_z(90, 100, 0.9) == pytest.approx(0, abs=0.1)
    for events, n, expected in ((80, 100, 0.9), (3, 40, 0.02), (0, 12, 0.5)):
        mid = stats.binom.cdf(events - 1, n, expected) + stats.binom.pmf(events, n, expected) / 2
        assert share_z(events, n, expected) == pytest.approx(stats.norm.ppf(mid), rel=1e-6)
    assert share_z(0, 10_000, 0.99) < -30


def test_few_cases_cannot_be_unusual() -> None:
    assert not can_reach(0, 0.9, 3)
    assert not can_reach(2, 0.9, 3)
    assert can_reach(3, 0.9, 3)


def test_without_history_the_prior_is_told() -> None:
    found = FailureModel().predict(Case("slice"))

    assert (found.risk, found.n, found.basis) == (pytest.approx(PRIOR_SHARE), 0, "prior")
    assert found.interval[0] < PRIOR_SHARE < found.interval[1]


def test_estimates_shrink_towards_the_larger_group_and_leave_it_with_evidence() -> None:
    model = FailureModel()
    model.learn(Case("slice", "maple", None), jobs=1000, failed=100)
    model.learn(Case("slice", "ebony", None), jobs=2, failed=2)
    model.learn(Case("slice", "koa", None), jobs=1000, failed=800)

    few, many = model.predict(Case("slice", "ebony")), model.predict(Case("slice", "koa"))

    assert few.risk == pytest.approx((10 * few.steps[1].estimate + 2) / 12)
    assert few.risk < 0.6
    assert (few.n, few.basis) == (2, "material")
    assert many.risk == pytest.approx(0.8, abs=0.01)
    assert many.interval[1] - many.interval[0] < few.interval[1] - few.interval[0]


def test_what_is_not_known_is_passed_over() -> None:
    model = FailureModel()
    model.learn(Case("slice", "maple", "under 1 mm"), jobs=100, failed=90)
    model.learn(Case("glue_up", "maple", None), jobs=100, failed=0)

    by_material = model.predict(Case(None, "maple"))
    by_tool = model.predict(Case(None, None, "under 1 mm"))

    assert (by_material.n, by_material.basis) == (200, "material")
    assert (by_tool.n, by_tool.basis) == (100, "tool")
    assert by_tool.risk > 0.8


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    dice = random.Random(7)  # noqa: S311 -- made-up data
    held = 0
    for _ in range(400):
        share = dice.betavariate(1, 9)
        model = FailureModel()
        model.learn(Case(None), jobs=50, failed=sum(dice.random() < share for _ in range(50)))
        low, high = model.predict(Case(None)).interval
        held += low <= share <= high

    assert 0.86 <= held / 400 <= 0.94  # 0.9, and three standard errors of 400 draws


def test_quality_is_that_of_predictions_from_the_past_alone() -> None:
    cases = [(Case("slice"), number % 2 == 0) for number in range(100)]
    model, squares = FailureModel(), []
    for number, (case, failed) in enumerate(cases):
        if number >= 50:
            squares.append((model.risk(case) - failed) ** 2)
        model.learn(case, jobs=1, failed=int(failed))

    found = quality(cases, learned=50)

    assert (found.n, found.brier) == (50, pytest.approx(sum(squares) / 50))
    assert sum(entry.n for entry in found.calibration) == 50


def test_types_that_fail_differently_are_told_apart() -> None:
    dice = random.Random(3)  # noqa: S311 -- made-up data
    cases = [(Case(kind), dice.random() < (0.6 if kind == "b" else 0.05)) for kind in dice.choices("ab", k=2000)]

    found = quality(cases, learned=1000)

    assert found.skill is not None
    assert found.skill > 0.25
    for entry in found.calibration:
        if entry.n > 100:
            assert entry.observed == pytest.approx(entry.predicted, abs=0.06)


def test_quality_of_nothing_is_unknown() -> None:
    found = quality([], learned=0)

    assert (found.n, found.brier, found.skill) == (0, None, None)


def test_bands_of_risk() -> None:
    assert [band_of(risk) for risk in (0, 0.329, 0.33, 0.659, 0.66, 1)] == [
        "low",
        "low",
        "medium",
        "medium",
        "high",
        "high",
    ]

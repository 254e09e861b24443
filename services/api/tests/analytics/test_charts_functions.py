"""Control charts and run rules: the known answers of NIST, the factors, and what each rule looks for."""

from __future__ import annotations

import math
import random

import pytest

from rmos.analytics.charts import (
    FACTORS,
    cusum,
    ewma,
    ewma_band,
    individuals,
    individuals_baseline,
    means_and_ranges,
    means_and_ranges_baseline,
    moving_ranges,
    rate_band,
    share_band,
)
from rmos.analytics.rules import DEFAULT_RULES, RULES, signals

NIST_EWMA = [52.0, 47.0, 53.0, 49.3, 50.1, 47.0, 51.0, 50.1, 51.2, 50.5, 49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6]
NIST_EWMA += [52.4, 53.6, 52.1]
NIST_CUSUM = [324.925, 324.675, 324.725, 324.350, 325.350, 325.225, 324.125, 324.525, 325.225, 324.600, 324.625]
NIST_CUSUM += [325.150, 328.325, 327.250, 327.825, 328.500, 326.675, 327.775, 326.875, 328.350]


def test_ewma_of_the_nist_handbook() -> None:
    averages = ewma(NIST_EWMA, target=50, weight=0.3)
    limits = ewma_band(math.inf, target=50, sigma=2.0539, weight=0.3, width=3)

    assert [round(z, 2) for z in averages] == pytest.approx(
        [
            50.60, 49.52, 50.56, 50.18, 50.16, 49.21, 49.75, 49.85, 50.26, 50.33,
            50.11, 49.36, 49.52, 50.05, 49.38, 49.92, 50.73, 51.23, 51.94, 51.99,
        ],
        abs=0.0101,
    )  # fmt: skip
    assert (round(limits.lower, 4), round(limits.upper, 4)) == (47.4116, 52.5884)
    assert all(limits.lower < z < limits.upper for z in averages)


def test_ewma_limits_widen_to_their_end() -> None:
    bands = [ewma_band(t, target=0, sigma=1, weight=0.2, width=3) for t in (1, 2, 5, 50)]

    assert bands[0].upper == pytest.approx(3 * 0.2)
    assert [band.upper for band in bands] == sorted(band.upper for band in bands)
    assert bands[-1].upper == pytest.approx(ewma_band(math.inf, target=0, sigma=1, weight=0.2, width=3).upper)


def test_cusum_of_the_nist_handbook() -> None:
    sums = cusum(NIST_CUSUM, target=325, slack=0.3175)

    assert [round(s.high, 2) for s in sums[-8:]] == [3.01, 4.94, 7.45, 10.63, 11.99, 14.44, 16.00, 19.04]
    assert next(number for number, s in enumerate(sums, 1) if max(s.high, s.low) > 4.1959) == 14
    assert round(max(s.low for s in sums), 2) == 0.72


def test_individuals_of_the_nist_handbook() -> None:
    values = [49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1]

    center, sigma = individuals_baseline(values)
    chart = individuals(center, sigma)

    assert center == pytest.approx(50.81)
    assert round(chart.ranges.center, 4) == 1.8778
    assert (round(chart.values.upper, 4), round(chart.values.lower, 4)) == (55.8041, 45.8159)
    assert round(chart.ranges.upper, 4) == pytest.approx(6.1347, abs=1e-4)
    assert chart.ranges.lower == 0
    assert moving_ranges([3, 1, 4]) == [2, 3]


def test_means_and_ranges_of_five_use_the_published_factors() -> None:
    subgroups = [[1, 2, 3, 4, 5], [2, 3, 4, 5, 8]]

    center, sigma = means_and_ranges_baseline(subgroups)
    chart = means_and_ranges(center, sigma, 5)

    assert center == pytest.approx(3.7)
    assert chart.values.upper == pytest.approx(3.7 + 0.577 * 5)
    assert (chart.ranges.lower, chart.ranges.upper) == (0, pytest.approx(2.114 * 5))
    assert chart.sigma == pytest.approx(5 / 2.326)


def test_factors_follow_from_each_other() -> None:
    for size, factors in FACTORS.items():
        assert factors.a2 == pytest.approx(3 / (factors.d2 * math.sqrt(size)), abs=0.001)
        assert factors.d3 == pytest.approx(max(0, 2 - factors.d4), abs=0.001)


def test_limits_of_shares_and_rates_are_cut_off_where_nothing_can_be() -> None:
    share, rate = share_band(0.02, 50), rate_band(0.1, 10)

    assert (share.lower, share.upper) == (0, pytest.approx(0.02 + 3 * math.sqrt(0.02 * 0.98 / 50)))
    assert share_band(0.99, 50).upper == 1
    assert (rate.lower, rate.upper) == (0, pytest.approx(0.1 + 3 * math.sqrt(0.01)))
    assert rate.standardised(0.4) == pytest.approx(3)


BROKEN_LAST = {
    "western_electric_1": [3.1],
    "western_electric_2": [2.1, 0, 2.1],
    "western_electric_3": [1.1, 1.1, -0.2, 1.1, 1.1],
    "western_electric_4": [0.1] * 8,
    "nelson_1": [-3.1],
    "nelson_2": [-0.1] * 9,
    "nelson_3": [0, 0.1, 0.2, 0.3, 0.4, 0.5],
    "nelson_4": [0.1, -0.1] * 7,
    "nelson_5": [-2.1, -2.1, 0.3],
    "nelson_6": [-1.1, -1.1, -1.1, 0.5, -1.1],
    "nelson_7": [0.9, -0.9, 0.2] * 5,
    "nelson_8": [1.1, -1.1, -1.2, 1.5, -1.1, -1.1, 1.3, -1.1],
}
NOT_QUITE = {
    "western_electric_1": [3.0],
    "western_electric_2": [2.1, 0, -2.1],
    "western_electric_3": [1.1, 1.1, -0.2, 1.0, 1.1],
    "western_electric_4": [0.1] * 7,
    "nelson_1": [2.9],
    "nelson_2": [-0.1] * 8 + [0.0],
    "nelson_3": [0, 0.1, 0.2, 0.2, 0.4, 0.5],
    "nelson_4": [0.1, -0.1] * 6 + [0.1],
    "nelson_5": [-2.1, 0, 0.3, -2.1],
    "nelson_6": [-1.1, -1.1, 0.5, 0.5, -1.1],
    "nelson_7": [0.9, -0.9, 0.2] * 4 + [0.9, 0.2, 1.0],
    "nelson_8": [1.1] * 8,
}


@pytest.mark.parametrize("name", RULES)
def test_each_rule_fires_at_the_last_point_of_its_run_and_not_before(name: str) -> None:
    (signal,) = signals(BROKEN_LAST[name], [name])

    assert (signal.index, signal.rule, signal.text) == (len(BROKEN_LAST[name]) - 1, name, RULES[name].text)
    assert signals(NOT_QUITE[name], [name]) == []


def test_a_rule_fires_as_long_as_its_run_lasts() -> None:
    assert [signal.index for signal in signals([0.5] * 11, ["nelson_2"])] == [8, 9, 10]


def test_default_rules_seldom_fire_where_there_is_nothing() -> None:
    dice = random.Random(11)  # noqa: S311 -- made-up data
    points = [dice.gauss(0, 1) for _ in range(20_000)]

    alarms = len({signal.index for signal in signals(points)})

    assert DEFAULT_RULES == ("nelson_1", "nelson_2", "nelson_5", "nelson_6")
    assert alarms / len(points) < 0.02

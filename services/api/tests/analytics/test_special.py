"""The special functions against SciPy."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from rmos.analytics.special import beta_quantile, incomplete_beta, t_p_value

SHAPES = st.floats(0.1, 5000)


@given(a=SHAPES, b=SHAPES, x=st.floats(0, 1))
def test_incomplete_beta_is_that_of_scipy(a: float, b: float, x: float) -> None:
    assert incomplete_beta(a, b, x) == pytest.approx(special.betainc(a, b, x), rel=1e-9, abs=1e-12)


@given(a=SHAPES, b=SHAPES, probability=st.floats(0.001, 0.999))
def test_beta_quantile_is_the_inverse(a: float, b: float, probability: float) -> None:
    assert beta_quantile(probability, a, b) == pytest.approx(special.betaincinv(a, b, probability), rel=1e-9, abs=1e-12)


@given(t=st.floats(-50, 50), degrees=st.integers(1, 10_000))
def test_p_value_is_that_of_scipy(t: float, degrees: int) -> None:
    assert t_p_value(t, degrees) == pytest.approx(2 * stats.t.sf(abs(t), degrees), rel=1e-9, abs=1e-15)


def test_large_counts_still_converge() -> None:
    for jobs in (10**6, 10**8):
        low, high = (beta_quantile(tail, 0.05 * jobs, 0.95 * jobs) for tail in (0.05, 0.95))

        assert (high - low) / 2 == pytest.approx(1.6449 * math.sqrt(0.05 * 0.95 / jobs), rel=1e-3)

"""Residuals of a one-step forecast, against values worked out by hand and by numpy."""

from __future__ import annotations

import numpy as np
import pytest

from rmos.analytics.forecast import autocorrelation, residuals


def test_residuals_are_what_the_value_before_does_not_say() -> None:
    assert residuals([12, 11, 10, 14], center=10, weight=0.5) == [2, 0, -0.5, 4]
    assert residuals([], center=10, weight=0.5) == []


def test_autocorrelation_by_hand() -> None:
    assert autocorrelation([1, 2, 3, 4]) == pytest.approx((1.5 * 0.5 - 0.5 * 0.5 + 0.5 * 1.5) / 5)
    assert autocorrelation([3, 3, 3]) == 0


def test_residuals_of_an_autoregressive_series_are_its_shocks() -> None:
    shocks = np.random.default_rng(1).normal(size=5000)
    values = [50.0]
    for shock in shocks:
        values.append(50 + 0.8 * (values[-1] - 50) + shock)

    weight = autocorrelation(values)

    assert weight == pytest.approx(0.8, abs=0.03)
    assert residuals(values, center=50, weight=0.8)[1:] == pytest.approx(list(shocks))
    assert abs(autocorrelation(residuals(values, center=50, weight=weight))) < 0.05

"""Sums of jobs over a window of days, or over all time."""

from __future__ import annotations

from rmos.analytics.calendar import Window
from rmos.analytics.facts import Dimension, Tally
from rmos.stores.figures import Figures


def totals_in(figures: Figures, window: Window | None, dimension: Dimension) -> list[Tally]:
    """Jobs added up by a dimension (not `RISK`, if there is a window) and their status; None for those of all time."""
    return figures.totals(dimension) if window is None else figures.window_totals(dimension, *window)

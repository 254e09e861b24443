"""Figures: what a suite reports, and the statistics behind it.

Rule 1: every competitor of a figure is measured in the same round, one right after the other; a ratio is the median of
        the ratios within each round, so that a machine that slows down between rounds does not move it.
Rule 2: what could not be measured is reported as such, with the reason; it is never left out.
"""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias


class NotMeasuredError(Exception):
    """Something could not be measured; the message is the reason that is reported."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured quantity.

    Attributes:
        name: Dotted path, suite first, e.g. `fanout.all.k1.rmos`.
        runs: One value a round, in the order of the rounds.
        ratio_to: This figure divided by another one, by the other's short name.
        note: What a reader must know to read the value right; may be empty.
    """

    name: str
    unit: str
    runs: tuple[float, ...]
    ratio_to: Mapping[str, float] = field(default_factory=dict)
    note: str = ""

    @property
    def value(self) -> float:
        """Median of the runs."""
        return statistics.median(self.runs)


@dataclass(frozen=True, slots=True)
class Missing:
    """A figure that could not be measured here, and why."""

    name: str
    reason: str


Result: TypeAlias = Figure | Missing


class Rounds:
    """Collects values by name, round after round."""

    def __init__(self) -> None:
        self._runs: defaultdict[str, list[float]] = defaultdict(list)
        self._missing: dict[str, str] = {}

    def add(self, name: str, value: float) -> None:
        """Add the value of one more round."""
        self._runs[name].append(value)

    @contextmanager
    def attempt(self, *names: str) -> Iterator[None]:
        """Measure these figures inside; if that fails they are missing from the whole run, and the others go on."""
        try:
            yield
        except NotMeasuredError as error:
            for name in names:
                self._missing.setdefault(name, str(error))

    def median(self, name: str) -> float | None:
        """What the figure is so far; None when it is missing."""
        return None if name in self._missing else statistics.median(self._runs[name])

    def results(
        self,
        units: Mapping[str, str],
        *,
        against: Callable[[str], Mapping[str, str]] = lambda _: {},
        notes: Mapping[str, str] | None = None,
    ) -> list[Result]:
        """One result for each name of `units`, in that order.

        Args:
            units: Unit by name of the figure.
            against: Gives the figures to compare one with: full name by the short name to print.
        """
        found: list[Result] = []
        for name, unit in units.items():
            if name in self._missing:
                found.append(Missing(name, self._missing[name]))
                continue
            ratios = {
                short: paired_ratio(self._runs[name], self._runs[other])
                for short, other in against(name).items()
                if other != name and other in self._runs and other not in self._missing
            }
            found.append(Figure(name, unit, tuple(self._runs[name]), ratios, (notes or {}).get(name, "")))
        return found


def exponent(sizes: Sequence[float], values: Sequence[float]) -> float:
    """By which power of the size a value grows, fitted over all sizes (least squares of the logarithms).

    0 says that it does not grow, 1 that it grows in proportion.
    """
    return statistics.linear_regression([math.log(size) for size in sizes], [math.log(value) for value in values]).slope


def paired_ratio(values: Sequence[float], others: Sequence[float]) -> float:
    """Median over the rounds of value / other.

    Raises:
        ValueError: the two were not measured in the same rounds.
    """
    return statistics.median(value / other for value, other in zip(values, others, strict=True))

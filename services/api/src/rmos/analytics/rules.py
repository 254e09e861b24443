"""Run rules: patterns that a process under control hardly ever shows.

They look at standardised points: distance from the centre line in standard deviations of the point.

Sources: Western Electric, *Statistical Quality Control Handbook* (1956), as in NIST/SEMATECH e-Handbook 6.3.2; Nelson,
"The Shewhart Control Chart: Tests for Special Causes", *Journal of Quality Technology* 16 (1984).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, TypeAlias

Run: TypeAlias = Sequence[float]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that looks at the last `length` points, and says whether they break it."""

    text: str
    length: int
    is_broken: Callable[[Run], bool]


@dataclass(frozen=True, slots=True)
class Signal:
    """A rule that fired at a point, the last of those it looked at."""

    index: int
    rule: str
    text: str


def _beyond(sigmas: float, count: int) -> Callable[[Run], bool]:
    """At least so many of the points beyond so many deviations, on the same side."""
    return lambda run: max(sum(z > sigmas for z in run), sum(z < -sigmas for z in run)) >= count


def _on_one_side(run: Run) -> bool:
    return all(z > 0 for z in run) or all(z < 0 for z in run)


def _monotonic(run: Run) -> bool:
    return all(a < b for a, b in pairwise(run)) or all(a > b for a, b in pairwise(run))


def _alternating(run: Run) -> bool:
    steps = [b - a for a, b in pairwise(run)]
    return all(a * b < 0 for a, b in pairwise(steps))


def _within_one(run: Run) -> bool:
    return all(abs(z) < 1 for z in run)


def _outside_one_on_both_sides(run: Run) -> bool:
    return all(abs(z) > 1 for z in run) and not _on_one_side(run)


RULES: Final[Mapping[str, Rule]] = {
    "western_electric_1": Rule("1 point beyond 3 sigma", 1, _beyond(3, 1)),
    "western_electric_2": Rule("2 of 3 points beyond 2 sigma on one side", 3, _beyond(2, 2)),
    "western_electric_3": Rule("4 of 5 points beyond 1 sigma on one side", 5, _beyond(1, 4)),
    "western_electric_4": Rule("8 points on one side of the centre", 8, _on_one_side),
    "nelson_1": Rule("1 point beyond 3 sigma", 1, _beyond(3, 1)),
    "nelson_2": Rule("9 points on one side of the centre", 9, _on_one_side),
    "nelson_3": Rule("6 points rising or falling", 6, _monotonic),
    "nelson_4": Rule("14 points alternating up and down", 14, _alternating),
    "nelson_5": Rule("2 of 3 points beyond 2 sigma on one side", 3, _beyond(2, 2)),
    "nelson_6": Rule("4 of 5 points beyond 1 sigma on one side", 5, _beyond(1, 4)),
    "nelson_7": Rule("15 points within 1 sigma", 15, _within_one),
    "nelson_8": Rule("8 points beyond 1 sigma on both sides", 8, _outside_one_on_both_sides),
}
"""By name."""

DEFAULT_RULES: Final = ("nelson_1", "nelson_2", "nelson_5", "nelson_6")
"""Together about one false alarm in a hundred points; every further rule adds to them."""


def signals(points: Run, names: Sequence[str] = DEFAULT_RULES) -> list[Signal]:
    """Each rule at each point where it is broken, in the order of the points.

    Args:
        points: Standardised, oldest first.
        names: Keys of `RULES`.
    """
    found: list[Signal] = []
    for index in range(len(points)):
        for name in names:
            rule = RULES[name]
            if index + 1 >= rule.length and rule.is_broken(points[index + 1 - rule.length : index + 1]):
                found.append(Signal(index, name, rule.text))
    return found

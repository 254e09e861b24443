"""The statistics of the benchmarks, and how results are written."""

from __future__ import annotations

import json

import pytest

from benchmarks.figures import Figure, Missing, NotMeasuredError, Rounds, exponent, paired_ratio
from benchmarks.report import json_line, number


def test_value_is_the_median_of_the_rounds() -> None:
    rounds = Rounds()
    for value in (3.0, 100.0, 4.0):
        rounds.add("a", value)

    (figure,) = rounds.results({"a": "ms"})

    assert isinstance(figure, Figure)
    assert (figure.value, figure.runs) == (4.0, (3.0, 100.0, 4.0))


def test_ratio_is_taken_within_each_round() -> None:
    """A machine that is ten times slower in one round must not move it, as the ratio of the medians would."""
    assert paired_ratio([10.0, 2.0, 30.0], [5.0, 1.0, 10.0]) == 2.0


def test_ratio_of_unequal_rounds_is_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        paired_ratio([1.0, 2.0], [1.0])


def test_figure_that_fails_in_one_round_is_missing_and_the_others_go_on() -> None:
    rounds = Rounds()
    for is_broken in (False, True):
        with rounds.attempt("a"):
            rounds.add("a", 1.0)
            if is_broken:
                raise NotMeasuredError("it has ended")
        rounds.add("b", 2.0)

    missing, figure = rounds.results({"a": "ms", "b": "ms"}, against=lambda _: {"a": "a"})

    assert missing == Missing("a", "it has ended")
    assert figure == Figure("b", "ms", (2.0, 2.0))


def test_every_result_is_one_line_of_json_with_its_conditions() -> None:
    conditions = {"machine": {"cores": 2}, "versions": {"python": "3.11"}, "date": "2026-11-24"}

    lines = [
        json_line(result, conditions)
        for result in (Figure("a", "ms", (1.0, 3.0), {"b": 2.5}, "a note"), Missing("c", "no compiler"))
    ]

    assert [json.loads(line) for line in lines] == [
        {
            "name": "a",
            "value": 2.0,
            "unit": "ms",
            "runs": [1.0, 3.0],
            "ratio_to": {"b": 2.5},
            "note": "a note",
            **conditions,
        },
        {"name": "c", "value": None, "reason": "no compiler", **conditions},
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.28796, "0.288"), (6.05, "6.05"), (99.96, "100"), (1_140_509.0, "1,140,000"), (0.0, "0"), (3, "3")],
)
def test_numbers_are_printed_with_three_digits(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(("power", "expected"), [(0, 0.0), (1, 1.0), (2, 2.0)])
def test_the_exponent_says_how_a_cost_grows(power: int, expected: float) -> None:
    sizes = (10, 100, 1000)

    assert exponent(sizes, [3 * size**power for size in sizes]) == pytest.approx(expected)

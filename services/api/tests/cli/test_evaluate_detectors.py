"""scripts/evaluate_detectors.py tells of each detector what it finds, and what its alarms are worth."""

from __future__ import annotations

import csv
import json
import random
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.processes import ROOT, WAIT_S, environment

BEGIN = datetime(2025, 3, 3)  # noqa: DTZ001 -- the form of the benchmark has no zones
STEP = timedelta(minutes=5)
FAULTS = (1500, 2100, 2600, 3300)
"""Where something breaks; the baseline is the first 600 of 4,000 values."""
FAULT_LENGTH = 40
DETECTORS = ["i_mr", "i_mr_rules", "ewma", "cusum", "robust_z"]


def at(place: int) -> str:
    """The time of a value, as the benchmark writes it."""
    return (BEGIN + place * STEP).isoformat(" ")


def evaluate(folder: Path, values: Sequence[float], labels: object, *options: str) -> subprocess.CompletedProcess[str]:
    """Write a series and run the script on it."""
    with (folder / "series.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["timestamp", "value"])
        rows.writerows([at(place), value] for place, value in enumerate(values))
    (folder / "labels.json").write_text(json.dumps(labels), "utf-8")
    script = ROOT / "scripts" / "evaluate_detectors.py"
    return subprocess.run(
        [sys.executable, str(script), str(folder / "series.csv"), str(folder / "labels.json"), *options],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=WAIT_S * 3,
        check=False,
    )


def by_detector(done: subprocess.CompletedProcess[str]) -> dict[tuple[str, str], dict[str, Any]]:
    """The lines by what was charted and by detector."""
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {(line["of"], line["detector"]): line for line in lines}


def autocorrelated(length: int, *, weight: float, seed: int = 7) -> list[float]:
    """A temperature, say: each value follows the one before, with shocks of 1."""
    chance = random.Random(seed)  # noqa: S311 -- a simulation
    values = [80.0]
    while len(values) < length:
        values.append(80 + weight * (values[-1] - 80) + chance.gauss(0, 1))
    return values


def test_residuals_mend_what_autocorrelation_does_to_charts(tmp_path: Path) -> None:
    values = autocorrelated(4000, weight=0.95)
    for fault in FAULTS:
        for place in range(fault, fault + FAULT_LENGTH):
            values[place] += 8
    windows = [[at(fault), at(fault + FAULT_LENGTH)] for fault in FAULTS]

    found = by_detector(evaluate(tmp_path, values, windows))

    assert [name for of, name in found if of == "values"] == DETECTORS
    assert [name for of, name in found if of == "residuals"] == DETECTORS
    assert all(found["values", name]["false_per_1000"] > 200 for name in ("i_mr", "i_mr_rules", "ewma", "cusum"))
    best = found["residuals", "i_mr"]
    assert (best["windows"], best["found"], best["delay_points"], best["delay_s"]) == (4, 4, 0, 0)
    assert best["false_per_1000"] < 8
    assert best["found_by_chance"] < 1
    assert best["precision"] > found["values", "i_mr"]["precision"] * 3
    assert found["residuals", "i_mr_rules"]["false_per_1000"] < 25


def test_each_figure_of_a_series_that_can_be_counted_by_hand(tmp_path: Path) -> None:
    values = [10.0, 11.0] * 50
    values[40] = 99  # false
    values[53] = values[54] = 99  # in the first window, the fourth of its eleven points
    windows = [[at(2), at(5)], [at(50), at(60)], [at(80), at(89)]]

    found = by_detector(evaluate(tmp_path, values, windows, "--baseline", "0.2"))

    line = found["values", "i_mr"]
    assert (line["baseline"], line["points"], line["alarms"]) == (20, 80, 3)
    assert (line["windows"], line["found"]) == (2, 1)
    assert line["precision"] == pytest.approx(2 / 3)
    assert line["false_per_1000"] == pytest.approx(1000 / 59)
    assert line["found_by_chance"] == pytest.approx(2 - (58 / 59) ** 11 - (58 / 59) ** 10, abs=0.01)
    assert (line["delay_points"], line["delay_s"]) == (3, 900)


def test_labels_may_stand_under_the_name_of_the_series(tmp_path: Path) -> None:
    values = autocorrelated(400, weight=0.5)

    found = by_detector(evaluate(tmp_path, values, {"made/other.csv": [], "made/series.csv": [[at(200), at(210)]]}))

    assert found["values", "ewma"]["windows"] == 1


@pytest.mark.parametrize(
    ("values", "labels", "said"),
    [
        ([1.0] * 200, [], "one value only"),
        ([1.0, 2.0] * 10, [], "a baseline of 3 of 20 values; at least 20"),
        ([1.0, 2.0] * 100, {"other.csv": []}, "no windows of series.csv"),
        ([1.0, 2.0] * 100, [["now", "then"]], "expected [[start, end], …]"),
        ([1.0, float("inf")] * 100, [], "no finite number"),
    ],
)
def test_what_cannot_be_evaluated_is_refused(tmp_path: Path, values: list[float], labels: object, said: str) -> None:
    done = evaluate(tmp_path, values, labels)

    assert done.returncode == 1
    assert said in done.stderr

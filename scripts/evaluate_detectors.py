"""How well RMOS' detectors find the labelled faults of a series: one line of JSON each.

    services/api/.venv/bin/python scripts/evaluate_detectors.py SERIES.csv LABELS.json [--baseline 0.15]

The form is that of the Numenta Anomaly Benchmark: rows of `timestamp,value`, and windows `[[start, end], …]` around the
faults, either alone or by the name of the series. Every detector is run twice: on the values, and on the residuals of
a one-step forecast. Limits come from the oldest part of the series and are frozen; nothing else is fitted.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeAlias

from rmos.analytics import charts
from rmos.analytics.anomalies import Spread
from rmos.analytics.forecast import autocorrelation, residuals
from rmos.analytics.rules import DEFAULT_RULES, signals

Detector: TypeAlias = Callable[[Sequence[float], Sequence[float]], set[int]]
"""Takes a baseline and what is to be judged; returns the places of its alarms among the latter."""

EWMA_WEIGHT: Final = 0.2
EWMA_WIDTH: Final = 3.0
CUSUM_SLACK: Final = 0.5
CUSUM_DECISION: Final = 5.0
ROBUST_Z: Final = 3.0
"""Defaults of `/api/analytics/charts` and `/api/analytics/advanced/anomalies/durations`."""


class SeriesError(Exception):
    """The series or its labels are not as expected; the text says where."""


@dataclass(frozen=True, slots=True)
class Series:
    """Values in the order of time, and the windows in which something is known to have been wrong."""

    times: Sequence[datetime]
    values: Sequence[float]
    windows: Sequence[tuple[datetime, datetime]]


def one_point(baseline: Sequence[float], judged: Sequence[float]) -> set[int]:
    """Individuals chart, points beyond 3 sigma alone."""
    return _run_rules(baseline, judged, ("nelson_1",))


def run_rules(baseline: Sequence[float], judged: Sequence[float]) -> set[int]:
    """Individuals chart with the rules that are default."""
    return _run_rules(baseline, judged, DEFAULT_RULES)


def _run_rules(baseline: Sequence[float], judged: Sequence[float], rules: Sequence[str]) -> set[int]:
    band = charts.individuals(*charts.individuals_baseline(baseline)).values
    return {signal.index for signal in signals([band.standardised(value) for value in judged], rules)}


def ewma(baseline: Sequence[float], judged: Sequence[float]) -> set[int]:
    """Exponentially weighted moving average beyond its limits."""
    target, sigma = charts.individuals_baseline(baseline)
    averages = charts.ewma(judged, target=target, weight=EWMA_WEIGHT)
    band = charts.ewma_band(math.inf, target=target, sigma=sigma, weight=EWMA_WEIGHT, width=EWMA_WIDTH)
    return {place for place, average in enumerate(averages) if not band.lower <= average <= band.upper}


def cusum(baseline: Sequence[float], judged: Sequence[float]) -> set[int]:
    """One of the cumulative sums above the decision limit."""
    target, sigma = charts.individuals_baseline(baseline)
    sums = charts.cusum(judged, target=target, slack=CUSUM_SLACK * sigma)
    return {place for place, found in enumerate(sums) if max(found.high, found.low) > CUSUM_DECISION * sigma}


def robust(baseline: Sequence[float], judged: Sequence[float]) -> set[int]:
    """Distance from the median, by the median distance."""
    spread = Spread.of(baseline)
    scores = [spread.robust_z(value) for value in judged]
    return {place for place, score in enumerate(scores) if score is not None and abs(score) >= ROBUST_Z}


DETECTORS: Final[Mapping[str, Detector]] = {
    "i_mr": one_point,
    "i_mr_rules": run_rules,
    "ewma": ewma,
    "cusum": cusum,
    "robust_z": robust,
}


def evaluate(series: Series, *, baseline: int) -> list[dict[str, Any]]:
    """What each detector found, on the values and on the residuals.

    Raises:
        SeriesError: the baseline has fewer than 20 values or no spread, or nothing is left to judge.
    """
    learned = series.values[:baseline]
    if baseline < charts.MIN_BASELINE or baseline >= len(series.values):
        raise SeriesError(f"a baseline of {baseline} of {len(series.values)} values; at least {charts.MIN_BASELINE}")
    center, sigma = charts.individuals_baseline(learned)
    if not sigma:
        raise SeriesError("the baseline has one value only")
    weight = autocorrelation(learned)
    charted = {"values": series.values, "residuals": residuals(series.values, center=center, weight=weight)}
    return [
        {"detector": name, "of": of, "autocorrelation": weight, "baseline": baseline}
        | score(series, {baseline + place for place in detect(values[:baseline], values[baseline:])}, baseline)
        for of, values in charted.items()
        for name, detect in DETECTORS.items()
    ]


def score(series: Series, alarms: set[int], baseline: int) -> dict[str, Any]:
    """Hold alarms against the windows. Every point with an alarm counts, and the baseline does not.

    Returns:
        `found` of `windows` hold an alarm, and `found_by_chance` would if alarms came at the rate of the false ones;
        `precision` is the share of alarms within a window, None without alarms; the delays are medians from the
        beginning of a found window to its first alarm.
    """
    windows = [(start, end) for start, end in series.windows if end >= series.times[baseline]]
    judged = range(baseline, len(series.times))
    places = [[at for at in judged if start <= series.times[at] <= end] for start, end in windows]
    places = [within for within in places if within]
    inside = {at for within in places for at in within}
    false = len(alarms - inside)
    outside = len(judged) - len(inside)
    rate = false / outside if outside else 0.0
    firsts = [(within[0], min(hits)) for within in places if (hits := alarms.intersection(within))]
    delays_s = [(series.times[hit] - series.times[first]).total_seconds() for first, hit in firsts]
    return {
        "points": len(judged),
        "alarms": len(alarms),
        "windows": len(places),
        "found": len(firsts),
        "found_by_chance": round(sum(1 - (1 - rate) ** len(within) for within in places), 2),
        "precision": (len(alarms) - false) / len(alarms) if alarms else None,
        "false_per_1000": 1000 * rate,
        "delay_points": statistics.median(hit - first for first, hit in firsts) if firsts else None,
        "delay_s": statistics.median(delays_s) if firsts else None,
    }


def read_series(path: Path, labels: Path) -> Series:
    """The series and its windows.

    Raises:
        SeriesError: a row or label is not understood.
        OSError: a file cannot be read.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            rows = [
                (datetime.fromisoformat(row["timestamp"]), float(row["value"]))
                for row in csv.DictReader(file)
                if row["value"]
            ]
        except (KeyError, TypeError, ValueError) as error:
            raise SeriesError(f"{path.name}: expected rows of timestamp,value: {error}") from error
    rows.sort(key=lambda row: row[0])
    if any(not math.isfinite(value) for _, value in rows):
        raise SeriesError(f"{path.name}: a value is no finite number")
    return Series([time for time, _ in rows], [value for _, value in rows], _windows(labels, path.name))


def _windows(labels: Path, name: str) -> list[tuple[datetime, datetime]]:
    """The windows of the series: those of the file, or those under its name."""
    try:
        told = json.loads(labels.read_text("utf-8"))
        if isinstance(told, dict):
            told = next(windows for key, windows in told.items() if key.rpartition("/")[2] == name)
        return [(datetime.fromisoformat(start), datetime.fromisoformat(end)) for start, end in told]
    except StopIteration:
        raise SeriesError(f"{labels.name} has no windows of {name}") from None
    except (TypeError, ValueError) as error:
        raise SeriesError(f"{labels.name}: expected [[start, end], …]: {error}") from error


def main() -> int:
    """Print the lines."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("series", type=Path, help="CSV with the columns timestamp and value")
    parser.add_argument("labels", type=Path, help="JSON with windows")
    parser.add_argument("--baseline", type=float, default=0.15, help="share of the series that limits come from")
    given = parser.parse_args()
    try:
        series = read_series(given.series, given.labels)
        lines = evaluate(series, baseline=int(given.baseline * len(series.values)))
    except (SeriesError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    for line in lines:
        print(json.dumps(line))
    return 0


if __name__ == "__main__":
    sys.exit(main())

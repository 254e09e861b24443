"""Control charts of what jobs tell: durations, waste, drift of the kerf, success, scrap."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Final

from rmos.analytics import charts
from rmos.analytics.calendar import Window
from rmos.analytics.charts import Band, Shewhart
from rmos.analytics.facts import JobFact
from rmos.analytics.forecast import autocorrelation, residuals
from rmos.analytics.measures import kerf_drift_mm
from rmos.analytics.rules import RULES, signals
from rmos.domain.entities import JsonObject, JsonValue
from rmos.domain.jobs import COMPLETED, FAILED
from rmos.stores.figures import Figures, JobQuery

RANGE_RULE: Final = "range_beyond_limits"
EWMA_RULE: Final = "ewma_beyond_limits"
CUSUM_RULES: Final = ("cusum_high", "cusum_low")
SINGLE: Final = ("i_mr", "ewma", "cusum")
"""Charts with a job in each point, which take each value as independent of the one before."""


@dataclass(frozen=True, slots=True)
class Measure:
    """What can be charted.

    Attributes:
        charts: Kinds of charts for it, the usual one first.
        statuses, known: Which jobs tell it.
        read: Events and units of a job: a measured value has one unit; a share or rate has as many as there are.
    """

    unit: str
    charts: tuple[str, ...]
    statuses: tuple[str, ...]
    known: tuple[str, ...]
    read: Callable[[JobFact], tuple[float, float]]


_MEASURED: Final = ("i_mr", "xbar_r", "ewma", "cusum")

MEASURES: Final[Mapping[str, Measure]] = {
    "duration": Measure(
        "s", _MEASURED, (COMPLETED,), ("duration_seconds",), lambda job: (job.duration_seconds or 0.0, 1)
    ),
    "waste": Measure("%", _MEASURED, (COMPLETED,), ("waste_percentage",), lambda job: (job.waste_percentage or 0.0, 1)),
    "kerf_drift": Measure(
        "mm", _MEASURED, (COMPLETED,), ("kerf_mm", "actual_kerf_mm"), lambda job: (kerf_drift_mm(job) or 0.0, 1)
    ),
    "success": Measure("share of jobs", ("p",), (COMPLETED, FAILED), (), lambda job: (job.status == COMPLETED, 1)),
    "scrap": Measure(
        "scrap per piece",
        ("u",),
        (COMPLETED, FAILED),
        ("scrap_qty",),
        lambda job: (job.scrap_qty or 0.0, (job.good_qty or 0.0) + (job.scrap_qty or 0.0)),
    ),
}
"""By name."""


@dataclass(frozen=True, slots=True)
class Charting:
    """What is to be charted, and how.

    Attributes:
        where: Fields of the jobs and their values.
        points: Newest subgroups on the chart; of them the oldest `baseline` give the limits.
        subgroup: Jobs in one point.
        frozen: Centre and σ of a single value, kept from an earlier chart; None to take them from the baseline.
            For `p` and `u` the centre alone counts.
        weight: λ of EWMA; `width` is its L.
        slack: k of CUSUM, in σ; `decision` is its h, in σ.
        of_residuals: Chart what is left of each value after a forecast from the one before; of `SINGLE` only, and not
            with `frozen`.
        window: Chart only the jobs of these days; None for those of all time.
    """

    measure: str
    chart: str
    where: tuple[tuple[str, str], ...]
    rules: tuple[str, ...]
    points: int
    baseline: int
    subgroup: int
    frozen: tuple[float, float] | None
    weight: float
    width: float
    slack: float
    decision: float
    of_residuals: bool = False
    window: Window | None = None


@dataclass(frozen=True, slots=True)
class _Subgroup:
    """Jobs that make one point: their values, or their events among so many units."""

    jobs: tuple[JobFact, ...]
    values: tuple[float, ...]
    units: float

    @property
    def mean(self) -> float:
        return math.fsum(self.values) / self.units

    @property
    def range(self) -> float:
        return max(self.values) - min(self.values)


@dataclass(slots=True)
class _Point:
    """A point to be drawn."""

    value: float
    band: Band | None = None
    statistic: JsonValue = None
    range: float | None = None
    rules: tuple[str, ...] = ()


def control_chart(figures: Figures, asked: Charting) -> JsonObject:
    """The chart, with the rule that fired at each point that is out of control."""
    subgroups = _subgroups(figures, asked)
    judged_from = 0 if asked.frozen else asked.baseline
    too_few = len(subgroups) < judged_from
    learned = [group.mean for group in subgroups[:judged_from]]
    related = autocorrelation(learned) if asked.chart in SINGLE and learned and not too_few else None
    forecast = None
    if asked.of_residuals and related is not None:
        forecast = {"center": math.fsum(learned) / len(learned), "weight": related}
        subgroups = _residuals(subgroups, **forecast)
    limits = None if too_few else asked.frozen or _baseline(asked, subgroups[:judged_from])
    points = [_Point(group.mean) for group in subgroups]
    ranges: Band | None = None
    is_judged = limits is not None and _can_judge(asked, limits)
    if limits is not None and is_judged:
        ranges = _DRAW[asked.chart](asked, subgroups, points, judged_from, limits)
    drawn = [
        _drawn(point, group, is_judged=number >= judged_from)
        for number, (point, group) in enumerate(zip(points, subgroups, strict=True))
    ]
    fired = [point for point in drawn if point["signals"]]
    return {
        "measure": asked.measure,
        "chart": asked.chart,
        "unit": MEASURES[asked.measure].unit,
        "n": len(points),
        "baseline": {"n": 0 if asked.frozen else min(asked.baseline, len(points)), "frozen": asked.frozen is not None},
        "autocorrelation": related,
        "forecast": None if forecast is None else {**forecast},
        "limits": None if limits is None else {"center": limits[0], "sigma": limits[1]},
        "range_limits": None if ranges is None else asdict(ranges),
        "rules": {name: RULES[name].text for name in asked.rules},
        "points": [*drawn],
        "signals": sum(len(rules) for point in fired if isinstance(rules := point["signals"], list)),
        "in_control": not fired if is_judged and len(points) > judged_from else None,
        "error": "the baseline has one value only" if limits is not None and not is_judged else None,
        "too_few": too_few,
    }


def _subgroups(figures: Figures, asked: Charting) -> list[_Subgroup]:
    """The newest jobs in groups of one size; the oldest few that make no whole group are left out."""
    measure = MEASURES[asked.measure]
    query = JobQuery(asked.where, measure.statuses, measure.known, asked.points * asked.subgroup, asked.window)
    told = [(job, *measure.read(job)) for job in figures.jobs(query)]
    told = [(job, value, units) for job, value, units in told if units]
    groups = []
    for start in range(len(told) % asked.subgroup, len(told), asked.subgroup):
        jobs, values, units = zip(*told[start : start + asked.subgroup], strict=True)
        groups.append(_Subgroup(jobs, values, math.fsum(units)))
    return groups


def _residuals(groups: Sequence[_Subgroup], center: float, weight: float) -> list[_Subgroup]:
    """The same jobs, with what the one before does not say of their values."""
    left = residuals([group.mean for group in groups], center=center, weight=weight)
    return [replace(group, values=(value,), units=1) for group, value in zip(groups, left, strict=True)]


def _baseline(asked: Charting, groups: Sequence[_Subgroup]) -> tuple[float, float]:
    """Centre and σ of a single value."""
    if asked.chart == "xbar_r":
        return charts.means_and_ranges_baseline([group.values for group in groups])
    if asked.chart in ("p", "u"):
        units = math.fsum(group.units for group in groups)
        center = math.fsum(value for group in groups for value in group.values) / units
        return center, _share_or_rate(asked, center, 1).sigma
    return charts.individuals_baseline([group.mean for group in groups])


def _can_judge(asked: Charting, limits: tuple[float, float]) -> bool:
    """Whether there is a spread; where the baseline had none, every other value would be infinitely far."""
    center, sigma = limits
    return _share_or_rate(asked, center, 1).sigma > 0 if asked.chart in ("p", "u") else sigma > 0


def _share_or_rate(asked: Charting, center: float, size: float) -> Band:
    return charts.share_band(center, size) if asked.chart == "p" else charts.rate_band(center, size)


def _draw_shewhart(
    asked: Charting, groups: Sequence[_Subgroup], points: list[_Point], start: int, limits: tuple[float, float]
) -> Band:
    chart: Shewhart
    if asked.chart == "xbar_r":
        chart = charts.means_and_ranges(*limits, asked.subgroup)
        ranges: list[float | None] = [group.range for group in groups]
    else:
        chart = charts.individuals(*limits)
        ranges = [None, *charts.moving_ranges([group.mean for group in groups])]
    for point, spread in zip(points, ranges, strict=False):  # without any point there is still the first None
        point.band, point.range = chart.values, spread
    _fire(asked, points, start)
    for point in points[start:]:
        if point.range is not None and not chart.ranges.lower <= point.range <= chart.ranges.upper:
            point.rules += (RANGE_RULE,)
    return chart.ranges


def _draw_attribute(
    asked: Charting, groups: Sequence[_Subgroup], points: list[_Point], start: int, limits: tuple[float, float]
) -> None:
    for point, group in zip(points, groups, strict=True):
        point.band = _share_or_rate(asked, limits[0], group.units)
    _fire(asked, points, start)


def _draw_ewma(
    asked: Charting, groups: Sequence[_Subgroup], points: list[_Point], start: int, limits: tuple[float, float]
) -> None:
    target, sigma = limits
    averages = charts.ewma([point.value for point in points[start:]], target=target, weight=asked.weight)
    for t, (point, average) in enumerate(zip(points[start:], averages, strict=True), 1):
        band = charts.ewma_band(t, target=target, sigma=sigma, weight=asked.weight, width=asked.width)
        point.band, point.statistic = band, average
        if not band.lower <= average <= band.upper:
            point.rules += (EWMA_RULE,)


def _draw_cusum(
    asked: Charting, groups: Sequence[_Subgroup], points: list[_Point], start: int, limits: tuple[float, float]
) -> None:
    target, sigma = limits
    sums = charts.cusum([point.value for point in points[start:]], target=target, slack=asked.slack * sigma)
    decision = asked.decision * sigma
    for point, found in zip(points[start:], sums, strict=True):
        point.band = Band(0.0, sigma, -decision, decision)
        point.statistic = {"high": found.high, "low": found.low}
        for rule, value in zip(CUSUM_RULES, (found.high, found.low), strict=True):
            if value > decision:
                point.rules += (rule,)


_DRAW: Final = {
    "i_mr": _draw_shewhart,
    "xbar_r": _draw_shewhart,
    "p": _draw_attribute,
    "u": _draw_attribute,
    "ewma": _draw_ewma,
    "cusum": _draw_cusum,
}


def _fire(asked: Charting, points: Sequence[_Point], start: int) -> None:
    """Hold the points from `start` on against the run rules. Runs begin with them: the baseline is not judged."""
    judged = points[start:]
    for signal in signals([p.band.standardised(p.value) for p in judged if p.band is not None], asked.rules):
        judged[signal.index].rules += (signal.rule,)


def _drawn(point: _Point, group: _Subgroup, *, is_judged: bool) -> JsonObject:
    band = point.band
    return {
        "moment": group.jobs[-1].moment,
        "job_ids": [job.id for job in group.jobs],
        "value": point.value,
        "units": group.units,
        "range": point.range,
        "statistic": point.statistic,
        "lower": None if band is None else band.lower,
        "upper": None if band is None else band.upper,
        "phase": "judged" if is_judged else "baseline",
        "signals": [*point.rules],
    }

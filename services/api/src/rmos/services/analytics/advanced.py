"""What goes together, what is unusual, and what is likely to fail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, timedelta
from typing import Final

from rmos.analytics.anomalies import Spread, can_reach, severity, share_z
from rmos.analytics.calendar import Window, last_days
from rmos.analytics.correlation import correlate, correlate_all
from rmos.analytics.describe import success_rate
from rmos.analytics.facts import RISK_SEPARATOR, TOOL_BANDS, Dimension, JobFact
from rmos.analytics.measures import Case, column, complete_pairs, unit_of
from rmos.analytics.prediction import Case as Job
from rmos.analytics.prediction import FailureModel, Prediction, band_of
from rmos.analytics.prediction import quality as prediction_quality
from rmos.analytics.tallies import of_status, outcomes_by_day, sums_by
from rmos.clock import Timestamp
from rmos.domain.entities import JsonObject, JsonValue
from rmos.domain.jobs import COMPLETED, FAILED
from rmos.services.analytics.materials import material_names
from rmos.services.analytics.windows import totals_in
from rmos.stores.figures import Figures, JobQuery

CORRELATED_JOBS: Final = 4_000
"""Newest jobs that a correlation looks at: r is then known to 0.03, and more would cost in proportion."""
MATRIX_JOBS: Final = 2_000
"""Newest jobs of a matrix, whose pairs are many."""
MATRIX_KEYS: Final = (
    "job.duration_seconds",
    "job.success",
    "job.waste_percentage",
    "job.scrap_qty",
    "job.kerf_drift_mm",
    "job.tool_diameter_mm",
    "pattern.ring_count",
    "pattern.complexity_score",
    "material.strip_width_mm",
    "material.efficiency_score",
)
"""What a matrix compares unless it is told."""
JUDGED_JOBS: Final = 5_000
"""Newest completed jobs among which unusual durations are looked for."""
PATTERN_GROUP: Final = 20
"""Jobs of one type and pattern from which they are a group of their own."""
MAX_ANOMALIES: Final = 100
MAX_WINDOWS: Final = 52
PREDICTED_JOBS: Final = 2_000
"""Newest ended jobs on which predictions are tried; the older half is only learned from."""
MIN_PREDICTED: Final = 20
"""Predictions below which their quality says little."""

_ADVICE: Final[Mapping[str, str]] = {
    "low": "go ahead",
    "medium": "check tool, material and settings first, and make one piece before the rest",
    "high": "do not start without a change: most such jobs fail",
}


def correlation(figures: Figures, *, x: str, y: str, points: int = 0, window: Window | None = None) -> JsonObject:
    """How two measures go together, over the newest jobs, all patterns or all families; with so many of the pairs.

    Of the jobs only those of the window count, if one is given.
    """
    unit = unit_of((x, y))
    cases = _cases(figures, unit, CORRELATED_JOBS, window)
    xs, ys = column(cases, x), column(cases, y)
    found = asdict(correlate(*complete_pairs(xs, ys)))
    if found["error"] is None:
        del found["error"]
    answer = {"x": x, "y": y, "unit": unit, "considered": len(cases), **found}
    if not points:
        return answer
    pairs: list[JsonValue] = [
        {"id": case.id, "x": a, "y": b}
        for case, a, b in zip(cases, xs, ys, strict=True)
        if a is not None and b is not None
    ]
    return {**answer, "points": pairs[-points:]}


def correlations(figures: Figures, *, keys: Sequence[str], window: Window | None = None) -> JsonObject:
    """Each of the measures with each other one, the strongest first in `pairs`; jobs as in `correlation`."""
    unit = unit_of(keys)
    cases = _cases(figures, unit, MATRIX_JOBS, window)
    matrix: dict[str, dict[str, float | None]] = {key: {} for key in keys}
    compared: list[tuple[float, JsonObject]] = []
    for x, y, found in correlate_all({key: column(cases, key) for key in keys}):
        matrix[x][y] = matrix[y][x] = found.r
        entry: JsonObject = {"x": x, "y": y, "r": found.r, "n": found.n, "p_value": found.p_value}
        compared.append((0.0 if found.r is None else abs(found.r), entry))
    compared.sort(key=lambda pair: -pair[0])
    return {
        "keys": [*keys],
        "unit": unit,
        "considered": len(cases),
        "matrix": {x: {y: 1.0 if x == y else row[y] for y in keys} for x, row in matrix.items()},
        "pairs": [entry for _, entry in compared],
    }


def _cases(figures: Figures, unit: str, jobs: int, window: Window | None) -> list[Case]:
    """The observations of a unit, each with what it belongs to."""
    patterns = {pattern.id: pattern for pattern in figures.patterns()}
    families = {family.id: family for family in figures.families()}
    completed = sums_by(of_status(totals_in(figures, window, Dimension.FAMILY), COMPLETED), lambda tally: tally.value)
    scores = {
        family_id: 100 - waste
        for family_id, sums in completed.items()
        if family_id is not None and (waste := sums.avg_waste_percentage) is not None
    }
    if unit == "job":
        return [
            Case(
                job,
                patterns.get(job.pattern_id or ""),
                families.get(job.strip_family_id or ""),
                scores.get(job.strip_family_id or ""),
            )
            for job in figures.jobs(JobQuery(limit=jobs, window=window))
        ]
    if unit == "pattern":
        return [
            Case(None, pattern, families.get(pattern.family_id or ""), scores.get(pattern.family_id or ""))
            for pattern in patterns.values()
        ]
    return [Case(None, None, family, scores.get(family.id)) for family in families.values()]


def duration_anomalies(figures: Figures, *, z: float, window: Window | None = None) -> JsonObject:
    """Completed jobs of a window, or of all time, that took unusually long or short among those of their kind there."""
    jobs = figures.jobs(JobQuery(statuses=(COMPLETED,), known=("duration_seconds",), limit=JUDGED_JOBS, window=window))
    timed = [(job, job.duration_seconds) for job in jobs if job.duration_seconds is not None]
    groups: list[JsonValue] = []
    anomalies: list[tuple[float, JsonObject]] = []
    for (job_type, pattern_id), members in _groups(timed).items():
        spread = Spread.of([seconds for _, seconds in members])
        groups.append(_group(job_type, pattern_id, spread, z))
        if not spread.is_too_few:
            anomalies += [found for job, seconds in members if (found := _anomaly(job, seconds, spread, z)) is not None]
    anomalies.sort(key=lambda found: -found[0])
    overall = Spread.of([seconds for _, seconds in timed]) if timed else None
    return {
        "anomalies": [entry for _, entry in anomalies[:MAX_ANOMALIES]],
        "count": len(anomalies),
        "mean_seconds": overall.mean if overall else None,
        "stdev_seconds": overall.stdev if overall else None,
        "n": len(timed),
        "z": z,
        "too_few": all(group["too_few"] for group in groups if isinstance(group, dict)),
        "groups": groups,
    }


def _groups(
    timed: Sequence[tuple[JobFact, float]],
) -> dict[tuple[str, str | None], list[tuple[JobFact, float]]]:
    """Jobs of one type and pattern where these are enough, and else of one type."""
    fine: dict[tuple[str, str | None], list[tuple[JobFact, float]]] = {}
    for job, seconds in timed:
        fine.setdefault((job.job_type, job.pattern_id), []).append((job, seconds))
    groups: dict[tuple[str, str | None], list[tuple[JobFact, float]]] = {}
    for (job_type, pattern_id), members in fine.items():
        key = (job_type, pattern_id if len(members) >= PATTERN_GROUP else None)
        groups.setdefault(key, []).extend(members)
    return groups


def _group(job_type: str, pattern_id: str | None, spread: Spread, z: float) -> JsonObject:
    return {
        "job_type": job_type,
        "pattern_id": pattern_id,
        "n": spread.n,
        "mean_seconds": spread.mean,
        "stdev_seconds": spread.stdev,
        "median_seconds": spread.median,
        "mad_seconds": spread.mad,
        "too_few": spread.is_too_few,
        "classic_can_reach_z": spread.n - 1 >= z * z,
    }


def _anomaly(job: JobFact, seconds: float, spread: Spread, z: float) -> tuple[float, JsonObject] | None:
    """The entry of a job that is unusual by either score, and by how much."""
    classic, robust = spread.z_score(seconds), spread.robust_z(seconds)
    distance = max(abs(classic or 0), abs(robust or 0))
    found = severity(distance, z)
    if found is None:
        return None
    return distance, {
        "job_id": job.id,
        "job_type": job.job_type,
        "pattern_id": job.pattern_id,
        "moment": job.moment,
        "duration_min": seconds / 60,
        "duration_seconds": seconds,
        "z_score": classic,
        "robust_z": robust,
        "severity": found,
    }


def success_anomalies(figures: Figures, *, z: float, window_days: int, now: Timestamp) -> JsonObject:
    """Windows of days in which more or fewer jobs failed than in all the others of the past year."""
    windows = min(MAX_WINDOWS, 365 // window_days)
    days = last_days(now, windows * window_days)
    by_day = outcomes_by_day(figures.daily_counts({}, days[0], days[-1]))
    counts = []
    for start in range(0, len(days), window_days):
        found = [by_day[day] for day in days[start : start + window_days] if day in by_day]
        counts.append((days[start], sum(f.completed for f in found), sum(f.failed for f in found)))
    completed, failed = sum(c for _, c, _ in counts), sum(f for _, _, f in counts)
    entries = [_window(day, window_days, c, f, completed - c, failed - f, z) for day, c, f in counts]
    return {
        "anomalies": [entry for entry in entries if entry["severity"] is not None],
        "windows": [*entries],
        "z": z,
        "window_days": window_days,
        "overall_success_rate": success_rate(completed, failed),
        "n": completed + failed,
        "too_few": all(entry["too_few"] for entry in entries),
    }


def _window(
    first_day: str, days: int, completed: int, failed: int, others_completed: int, others_failed: int, z: float
) -> JsonObject:
    """One window, held against the others: what is judged is no part of what it is judged by."""
    n, others = completed + failed, others_completed + others_failed
    # Half a job of either outcome (Jeffreys' prior): that none failed elsewhere does not make a failure impossible.
    expected = (others_completed + 0.5) / (others + 1)
    is_judged = others > 0 and can_reach(n, expected, z)
    score = share_z(completed, n, expected) if is_judged else None
    return {
        "start": first_day,
        "end": (date.fromisoformat(first_day) + timedelta(days=days - 1)).isoformat(),
        "completed": completed,
        "failed": failed,
        "success_rate": success_rate(completed, failed),
        "expected_rate": success_rate(others_completed, others_failed),
        "z_score": score,
        "severity": None if score is None else severity(score, z),
        "too_few": not is_judged,
    }


def predict(figures: Figures, *, job_type: str | None, material: str | None, tool_mm: float | None) -> JsonObject:
    """The risk that a job fails, with what it rests on."""
    names = {family: name.casefold() for family, name in material_names(figures.families()).items()}
    model = FailureModel()
    for (kind, family, tool), sums in sums_by(
        figures.totals(Dimension.RISK), lambda tally: tuple((tally.value or "").split(RISK_SEPARATOR))
    ).items():
        past = Job(kind, names.get(family), tool or None)
        model.learn(past, jobs=sums.completed + sums.failed, failed=sums.failed)
    job = Job(job_type, None if material is None else material.casefold(), _tool_band(tool_mm))
    return _prediction(model.predict(job))


def _prediction(found: Prediction) -> JsonObject:
    band = band_of(found.risk)
    return {
        "risk_score": found.risk,
        "risk_percent": found.risk * 100,
        "band": band,
        "advice": _ADVICE[band],
        "explanation": _explanation(found),
        "interval": [*found.interval],
        "n": found.n,
        "basis": found.basis,
        "steps": [asdict(step) for step in found.steps],
    }


def _explanation(found: Prediction) -> str:
    if not found.n:
        return "there is no history yet: this is what is expected of any shop, one failure in ten jobs"
    told = [f"{step.failed} of {step.n} failed ({step.level})" for step in found.steps]
    return "; ".join(told)


def predict_quality(figures: Figures) -> JsonObject:
    """How good predictions would have been, each from the jobs before it alone."""
    names = {family: name.casefold() for family, name in material_names(figures.families()).items()}
    jobs = figures.jobs(JobQuery(statuses=(COMPLETED, FAILED), limit=PREDICTED_JOBS))
    outcomes = [
        (
            Job(job.job_type, names.get(job.strip_family_id or ""), _tool_band(job.tool_diameter_mm)),
            job.status == FAILED,
        )
        for job in jobs
    ]
    learned = len(outcomes) // 2
    found = prediction_quality(outcomes, learned=learned)
    return {
        "n": found.n,
        "learned_first": learned,
        "brier": found.brier,
        "reference_brier": found.reference,
        "skill": found.skill,
        "calibration": [asdict(entry) for entry in found.calibration],
        "too_few": found.n < MIN_PREDICTED,
    }


def _tool_band(diameter_mm: float | None) -> str | None:
    return None if diameter_mm is None else next(name for name, below in TOOL_BANDS if diameter_mm < below)

"""Whether a job that has just ended is out of the ordinary: by its like, and by the control chart of its place."""

from __future__ import annotations

from typing import Final

from rmos.analytics.anomalies import MIN_GROUP, Spread, severity
from rmos.analytics.charts import MIN_BASELINE
from rmos.analytics.rules import DEFAULT_RULES
from rmos.domain.entities import JsonObject
from rmos.domain.jobs import COMPLETED
from rmos.services.analytics.advanced import PATTERN_GROUP
from rmos.services.analytics.charts import MEASURES, Charting, control_chart
from rmos.stores.figures import Figures, JobQuery

THRESHOLD: Final = 3.5
"""Modified z-scores from which Iglewicz and Hoaglin call a value an outlier."""
COMPARED_JOBS: Final = 200
CHARTED: Final = ("duration", "waste", "kerf_drift")
POINTS: Final = 100
"""Points of the chart; the oldest `MIN_BASELINE` of them give its limits, as on the screen."""


def unusual(figures: Figures, job: JsonObject) -> list[JsonObject]:
    """What is out of the ordinary in a completed job, one entry a measure, each with its evidence."""
    found = [_of_measure(figures, job, measure) for measure in CHARTED]
    return [evidence for evidence in found if evidence is not None]


def _of_measure(figures: Figures, job: JsonObject, measure: str) -> JsonObject | None:
    chart = control_chart(figures, _charting(job, measure))
    points = chart["points"]
    point = points[-1] if isinstance(points, list) and points else None
    if not isinstance(point, dict) or point["job_ids"] != [job["id"]]:
        return None  # the job does not tell the measure, or another one has ended since
    robust_z, n = _distance(figures, job, measure, point["value"])
    level = None if robust_z is None else severity(robust_z, THRESHOLD)
    if level is None and not point["signals"]:
        return None
    return {
        "measure": measure,
        "unit": chart["unit"],
        "value": point["value"],
        "severity": level or "medium",
        "robust_z": robust_z if level else None,
        "n": n,
        "rules": point["signals"],
        "lower": point["lower"],
        "upper": point["upper"],
    }


def _charting(job: JsonObject, measure: str) -> Charting:
    machine = job["machine_id"]
    where = (("machine_id", str(machine)),) if machine is not None else ()
    return Charting(
        measure,
        chart="i_mr",
        where=(*where, ("job_type", str(job["job_type"]))),
        rules=DEFAULT_RULES,
        points=POINTS,
        baseline=MIN_BASELINE,
        subgroup=1,
        frozen=None,
        weight=0.2,
        width=3.0,
        slack=0.5,
        decision=5.0,
    )


def _distance(figures: Figures, job: JsonObject, measure: str, value: object) -> tuple[float | None, int]:
    """Modified z-score among the others of its pattern and type, or of its type; and how many these are."""
    told, pattern = MEASURES[measure], job["pattern_id"]
    of_type = (("job_type", str(job["job_type"])),)
    groups = [(("pattern_id", str(pattern)), *of_type)] if pattern is not None else []
    for where, least in [*((group, PATTERN_GROUP) for group in groups), (of_type, MIN_GROUP)]:
        others = figures.jobs(JobQuery(where, (COMPLETED,), told.known, COMPARED_JOBS))
        values = [told.read(other)[0] for other in others if other.id != job["id"]]
        if len(values) >= least and isinstance(value, int | float):
            return Spread.of(values).robust_z(float(value)), len(values)
    return None, 0

"""Control charts under `/api/analytics/charts`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from rmos.analytics.charts import FACTORS, MIN_BASELINE
from rmos.analytics.rules import DEFAULT_RULES, RULES
from rmos.clock import Timestamp
from rmos.errors import InvalidError, NotFoundError
from rmos.services.analytics.charts import MEASURES, SINGLE, Charting, control_chart
from rmos.web.analytics_api import ANALYTICS_PREFIX, WINDOW, described_window_or_all, window_or_all
from rmos.web.answers import success
from rmos.web.deps import runtime_of
from rmos.web.models import Analytics
from rmos.web.queries import described_integer, described_number, described_text, integer, number, parameters

MAX_JOBS: Final = 4_000
"""Jobs on one chart: points times jobs in a subgroup."""
_FILTERS: Final = ("job_type", "pattern_id", "machine_id", "project_id")
_INTEGERS: Final[Mapping[str, dict[str, Any]]] = {  # Any: keywords of `integer`
    "points": {"default": 100, "at_least": MIN_BASELINE, "at_most": 1000},
    "baseline": {"default": MIN_BASELINE, "at_least": MIN_BASELINE, "at_most": 500},
}
_NUMBERS: Final[Mapping[str, dict[str, Any]]] = {  # Any: keywords of `number`
    "lambda": {"default": 0.2, "at_least": 0.01, "at_most": 1.0},
    "l": {"default": 3.0, "at_least": 0.5, "at_most": 10.0},
    "k": {"default": 0.5, "at_least": 0.0, "at_most": 10.0},
    "h": {"default": 5.0, "at_least": 0.1, "at_most": 100.0},
}
_MEANINGS: Final[Mapping[str, str]] = {
    "points": "The newest points.",
    "baseline": "Oldest of the points, from which the limits are taken.",
    "lambda": "EWMA: weight of the newest value.",
    "l": "EWMA: width of the limits in deviations.",
    "k": "CUSUM: slack, in deviations.",
    "h": "CUSUM: decision limit, in deviations.",
}
_LARGEST: Final = 1e15
_CENTERS: Final = {"p": (0.0, 1.0), "u": (0.0, _LARGEST)}
"""Where a centre line can be, by chart; elsewhere anywhere."""
_SUBGROUPS: Final[Mapping[str, dict[str, Any]]] = {  # Any: keywords of `integer`
    "xbar_r": {"default": 5, "at_least": min(FACTORS), "at_most": max(FACTORS)},
    "p": {"default": 20, "at_least": 2, "at_most": 200},
    "u": {"default": 20, "at_least": 1, "at_most": 200},
}
"""Jobs in a point, by chart; in the others a job is a point."""
_ONE_JOB: Final = {"default": 1, "at_least": 1, "at_most": 1}
_CHARTS: Final = tuple(dict.fromkeys(chart for measure in MEASURES.values() for chart in measure.charts))
_ACCEPTED: Final = (*_FILTERS, "chart", "rules", "subgroup", "center", "sigma", "of", *WINDOW, *_INTEGERS, *_NUMBERS)

router = APIRouter(prefix=f"{ANALYTICS_PREFIX}/charts", tags=["analytics"])


@router.get(
    "/{measure}",
    summary="Control chart",
    response_model=Analytics,
    openapi_extra={
        "parameters": [
            *(described_text(name, f"Only jobs with exactly this `{name}`.") for name in _FILTERS),
            described_text("chart", f"One of {', '.join(_CHARTS)}, as far as the measure has it."),
            described_text("rules", f"Run rules, separated by commas: {', '.join(RULES)}."),
            described_text("subgroup", "Jobs in one point: 2 to 10 for xbar_r, up to 200 for p and u."),
            described_text("center", "Frozen centre line, with `sigma`: no limits are taken from the points."),
            described_text("sigma", "Frozen deviation of a single value, with `center`."),
            described_text("of", "`values` (default), or `residuals`: what a forecast from the value before leaves."),
            *described_window_or_all(),
            *(described_integer(name, **kept, meaning=_MEANINGS[name]) for name, kept in _INTEGERS.items()),
            *(described_number(name, **kept, meaning=_MEANINGS[name]) for name, kept in _NUMBERS.items()),
        ]
    },
)
async def chart(request: Request, measure: str) -> Response:
    """Of `duration`, `waste`, `kerf_drift`, `success` or `scrap`; each point that is out of control names its rules."""
    if measure not in MEASURES:
        raise NotFoundError(f"there is no chart of {measure[:80]!r}; expected one of {', '.join(MEASURES)}")
    runtime = runtime_of(request)
    asked = _charting(measure, parameters(request, _ACCEPTED), now=runtime.clock())
    return success(**await runtime.stores.figures(lambda figures: control_chart(figures, asked)))


def _charting(measure: str, given: Mapping[str, str], *, now: Timestamp) -> Charting:
    """What is asked for.

    Raises:
        InvalidError: a malformed value, or values that do not go together.
    """
    accepted = MEASURES[measure].charts
    kind = given.get("chart", accepted[0])
    if kind not in accepted:
        raise InvalidError.at("/chart", f"unknown chart {kind[:80]!r} of {measure}; expected {' or '.join(accepted)}")
    points, baseline = (integer(given, name, **kept) for name, kept in _INTEGERS.items())
    subgroup = integer(given, "subgroup", **_SUBGROUPS.get(kind, _ONE_JOB))
    if points * subgroup > MAX_JOBS:
        raise InvalidError.at("/points", f"{points} points of {subgroup} jobs; at most {MAX_JOBS} jobs are charted")
    weight, width, slack, decision = (number(given, name, **kept) for name, kept in _NUMBERS.items())
    return Charting(
        measure=measure,
        chart=kind,
        where=tuple((name, given[name]) for name in _FILTERS if name in given),
        rules=_rules(given),
        points=points,
        baseline=baseline,
        subgroup=subgroup,
        frozen=_frozen(given, kind),
        weight=weight,
        width=width,
        slack=slack,
        decision=decision,
        of_residuals=_of_residuals(given, kind),
        window=window_or_all(given, now=now),
    )


def _of_residuals(given: Mapping[str, str], kind: str) -> bool:
    of = given.get("of", "values")
    if of not in ("values", "residuals"):
        raise InvalidError.at("/of", f"unknown value {of[:80]!r}; expected values or residuals")
    if of == "residuals" and kind not in SINGLE:
        raise InvalidError.at("/of", f"{kind} has no residuals; expected one of {', '.join(SINGLE)} as chart")
    if of == "residuals" and "center" in given:
        raise InvalidError.at("/of", "residuals exclude center and sigma; their forecast is learned from a baseline")
    return of == "residuals"


def _rules(given: Mapping[str, str]) -> tuple[str, ...]:
    if "rules" not in given:
        return DEFAULT_RULES
    names = tuple(dict.fromkeys(given["rules"].split(",")))
    for name in names:
        if name not in RULES:
            raise InvalidError.at("/rules", f"unknown rule {name[:80]!r}; expected one of {', '.join(RULES)}")
    return names


def _frozen(given: Mapping[str, str], kind: str) -> tuple[float, float] | None:
    if ("center" in given) != ("sigma" in given):
        raise InvalidError.at("/center" if "sigma" in given else "/sigma", "is required: center and sigma go together")
    if "center" not in given:
        return None
    least, greatest = _CENTERS.get(kind, (-_LARGEST, _LARGEST))
    center = number(given, "center", default=0, at_least=least, at_most=greatest)
    return center, number(given, "sigma", default=0, at_least=1e-12, at_most=_LARGEST)

"""Correlation, anomalies and prediction: every route under `/api/analytics/advanced`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from rmos.analytics.measures import MEASURES
from rmos.domain.entities import MAX_ENTITY_BYTES
from rmos.domain.fields import Field, read_fields, text
from rmos.domain.fields import number as read_number
from rmos.errors import BadRequestError, InvalidError
from rmos.services.analytics import advanced
from rmos.web.analytics_api import ANALYTICS_PREFIX, WINDOW, described_window_or_all, window_or_all
from rmos.web.answers import success
from rmos.web.deps import JSON, media_type_of, parse_object, read_body, runtime_of
from rmos.web.models import Analytics, Predict
from rmos.web.openapi import body_of
from rmos.web.queries import (
    described_integer,
    described_number,
    described_text,
    integer,
    number,
    parameters,
)

_Z: Final[dict[str, Any]] = {"default": 3.0, "at_least": 0.5, "at_most": 10.0}  # Any: keywords of `number`
_WINDOW: Final[dict[str, Any]] = {"default": 7, "at_least": 1, "at_most": 90}  # Any: keywords of `integer`
_POINTS: Final[dict[str, Any]] = {"default": 0, "at_least": 0, "at_most": 1000}  # Any: as above
_MAX_KEYS: Final = 12
_KEYS: Final = ", ".join(MEASURES)
_PREDICT: Final[Mapping[str, Field]] = {
    "jobType": Field(text()),
    "material": Field(text()),
    "toolDiameter": Field(read_number(at_least=0, at_most=1000)),
}

router = APIRouter(prefix=f"{ANALYTICS_PREFIX}/advanced", tags=["analytics"])


@router.get(
    "/correlation",
    summary="How two measures go together",
    response_model=Analytics,
    openapi_extra={
        "parameters": [
            *(described_text(name, f"A measure: {_KEYS}.", required=True) for name in ("x", "y")),
            described_integer("points", **_POINTS, meaning="How many of the newest pairs to tell, for a drawing."),
            *described_window_or_all(),
        ],
    },
)
async def correlation(request: Request) -> Response:
    """Over the newest 4,000 jobs where a key is of a job, else over all patterns or families."""
    given = parameters(request, ("x", "y", "points", *WINDOW))
    x, y = (_key(given, name) for name in ("x", "y"))
    points = integer(given, "points", **_POINTS)
    runtime = runtime_of(request)
    window = window_or_all(given, now=runtime.clock())
    return success(
        **await runtime.stores.figures(lambda f: advanced.correlation(f, x=x, y=y, points=points, window=window))
    )


@router.get(
    "/correlations",
    summary="How many measures go together",
    response_model=Analytics,
    openapi_extra={
        "parameters": [
            described_text("keys", f"2 to {_MAX_KEYS} measures, separated by commas."),
            *described_window_or_all(),
        ]
    },
)
async def correlations(request: Request) -> Response:
    """A matrix of Pearson's r over the newest 2,000 jobs."""
    given = parameters(request, ("keys", *WINDOW))
    keys = _keys(given["keys"]) if "keys" in given else advanced.MATRIX_KEYS
    runtime = runtime_of(request)
    window = window_or_all(given, now=runtime.clock())
    return success(**await runtime.stores.figures(lambda f: advanced.correlations(f, keys=keys, window=window)))


@router.get(
    "/anomalies/durations",
    summary="Unusual durations",
    response_model=Analytics,
    openapi_extra={
        "parameters": [
            described_number("z", **_Z, meaning="How many deviations are unusual."),
            *described_window_or_all(),
        ]
    },
)
async def duration_anomalies(request: Request) -> Response:
    """Among the newest 5,000 completed jobs, each held against its type, or its type and pattern."""
    given = parameters(request, ("z", *WINDOW))
    z = number(given, "z", **_Z)
    runtime = runtime_of(request)
    window = window_or_all(given, now=runtime.clock())
    return success(**await runtime.stores.figures(lambda f: advanced.duration_anomalies(f, z=z, window=window)))


@router.get(
    "/anomalies/success",
    summary="Unusual shares of success",
    response_model=Analytics,
    openapi_extra={
        "parameters": [
            described_number("z", **_Z, meaning="How many standard errors are unusual."),
            described_integer("window_days", **_WINDOW, meaning="Days in one window."),
        ]
    },
)
async def success_anomalies(request: Request) -> Response:
    """Windows of the past year, at most 52, each held against all the others."""
    given = parameters(request, ("z", "window_days"))
    z, days = number(given, "z", **_Z), integer(given, "window_days", **_WINDOW)
    runtime = runtime_of(request)
    return success(
        **await runtime.stores.figures(
            lambda f: advanced.success_anomalies(f, z=z, window_days=days, now=runtime.clock())
        )
    )


@router.post("/predict", summary="Risk of a job", response_model=Analytics, openapi_extra=body_of(Predict, JSON))
async def predict(request: Request) -> Response:
    """The share of such jobs that fail, with its interval and what it rests on. Nothing is stored."""
    parameters(request, ())
    media_type_of(request, (JSON,))
    given = read_fields(_PREDICT, parse_object(await read_body(request, MAX_ENTITY_BYTES)), complete=True)
    return success(
        **await runtime_of(request).stores.figures(
            lambda f: advanced.predict(
                f, job_type=given["jobType"], material=given["material"], tool_mm=given["toolDiameter"]
            )
        )
    )


@router.get("/predict/quality", summary="How good predictions are", response_model=Analytics)
async def predict_quality(request: Request) -> Response:
    """Brier score and calibration over the newest ended jobs, each predicted from those before it."""
    parameters(request, ())
    return success(**await runtime_of(request).stores.figures(advanced.predict_quality))


def _key(given: Mapping[str, str], name: str) -> str:
    if name not in given:
        raise BadRequestError(f"query parameter {name!r} is required; expected one of {_KEYS}")
    return _checked(given[name], name)


def _keys(text_: str) -> list[str]:
    keys = [_checked(key, "keys") for key in text_.split(",")]
    if not 2 <= len(keys) <= _MAX_KEYS or len(set(keys)) < len(keys):
        raise InvalidError.at("/keys", f"expected 2 to {_MAX_KEYS} different measures, got {len(keys)}")
    return keys


def _checked(key: str, name: str) -> str:
    if key not in MEASURES:
        raise InvalidError.at(f"/{name}", f"unknown measure {key[:80]!r}; expected one of {_KEYS}")
    return key

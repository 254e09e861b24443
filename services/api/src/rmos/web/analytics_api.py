"""The figures: every route under `/api/analytics`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from rmos.analytics.calendar import Window, last_window
from rmos.analytics.extraction import pattern_fact
from rmos.analytics.facts import Dimension
from rmos.clock import Timestamp
from rmos.domain.entities import JOBLOG, PATTERN, JsonObject, JsonValue
from rmos.domain.jobs import RUNNING
from rmos.errors import InvalidError, NotFoundError
from rmos.services.analytics import eta, jobs, materials, patterns
from rmos.stores.base import ListQuery
from rmos.stores.figures import Figures
from rmos.web.answers import success
from rmos.web.deps import JSON, runtime_of
from rmos.web.models import Analytics, PatternDetails
from rmos.web.queries import (
    described_day,
    described_integer,
    described_text,
    integer,
    parameters,
    window_end,
)

ANALYTICS_PREFIX: Final = "/api/analytics"
DAYS: Final[dict[str, Any]] = {"default": 30, "at_least": 1, "at_most": 365}  # Any: keywords of `integer`
LIMIT: Final[dict[str, Any]] = {"default": 10, "at_least": 1, "at_most": 100}  # Any: as above

WINDOW: Final = ("days", "until")
"""Parameters of a window of days."""

_ONLY: Final = {
    dimension.value: dimension
    for dimension in (Dimension.JOB_TYPE, Dimension.MACHINE, Dimension.PROJECT, Dimension.PATTERN, Dimension.FAMILY)
}
"""What jobs may be limited to; of several conditions, all must hold."""

router = APIRouter(prefix=ANALYTICS_PREFIX, tags=["analytics"])


def _add_figures(path: str, summary: str, question: Callable[[Figures], JsonObject]) -> None:
    """A route that takes no parameters."""

    @router.get(path, name=question.__name__, summary=summary, description=question.__doc__, response_model=Analytics)
    async def answer(request: Request) -> Response:
        parameters(request, ())
        return success(**await runtime_of(request).stores.figures(question))


def _window_and_conditions() -> dict[str, Any]:
    """The parameters of a window of days, and of the conditions on jobs."""
    conditions = [described_text(name, f"Only jobs with exactly this `{name}`.") for name in _ONLY]
    return {"parameters": [described_days(), described_until(), *conditions]}


def described_days() -> dict[str, Any]:
    """How long a window is, for OpenAPI."""
    return described_integer("days", **DAYS, meaning="The last days, today included.")


def described_until() -> dict[str, Any]:
    """Where a window ends, for OpenAPI."""
    return described_day("until", "Last day of the window; default: today.")


def described_window_or_all() -> list[dict[str, Any]]:
    """A window that may be left out, for OpenAPI."""
    days = DAYS | {"default": None}
    meaning = "Only jobs of the last days, today included; default: of all time."
    return [described_integer("days", **days, meaning=meaning), described_until()]


def window_or_all(given: Mapping[str, str], *, now: Timestamp) -> Window | None:
    """The days that are asked for; None where there is no `days`: all time.

    Raises:
        InvalidError: a malformed value, or an end without a length.
    """
    if "days" in given:
        days = integer(given, "days", **DAYS)
        return last_window(window_end(given, "until", now=now), days)
    if "until" in given:
        raise InvalidError.at("/days", "is required with until: it says how many days the window has")
    return None


def _limit(meaning: str) -> dict[str, Any]:
    return {"parameters": [described_integer("limit", **LIMIT, meaning=meaning)]}


_add_figures("/patterns/complexity", "Patterns by complexity", patterns.complexity)
_add_figures("/patterns/rings", "Rings of patterns", patterns.rings)
_add_figures("/patterns/geometry", "Radii, segments and density", patterns.geometry)
_add_figures("/patterns/families", "Strip families of patterns", patterns.families)


@router.get(
    "/patterns/popularity",
    summary="Patterns with the most jobs",
    response_model=Analytics,
    openapi_extra=_limit("How many patterns at most."),
)
async def popularity(request: Request) -> Response:
    """The most used first."""
    limit = integer(parameters(request, ("limit",)), "limit", **LIMIT)
    return success(**await runtime_of(request).stores.figures(lambda f: patterns.popularity(f, limit=limit)))


@router.get("/patterns/{pattern_id}/details", summary="Figures of one pattern", response_model=PatternDetails)
async def pattern_details(request: Request, pattern_id: str) -> Response:
    """The pattern, and what its jobs came to."""
    parameters(request, ())
    stores = runtime_of(request).stores
    revision = await stores.get(PATTERN, pattern_id)
    if revision is None:
        raise NotFoundError(f"{PATTERN.label} not found: {pattern_id}")
    fact = pattern_fact(orjson.loads(revision.body))
    analytics = await stores.figures(lambda figures: patterns.details(figures, fact))
    body = b'{"success":true,"pattern":%b,"analytics":%b}' % (revision.body, orjson.dumps(analytics))
    return Response(body, media_type=JSON)


_add_figures("/materials/distribution", "Strip families by material", materials.distribution)
_add_figures("/materials/consumption", "Strip used by jobs", materials.consumption)
_add_figures("/materials/efficiency", "Waste reported by jobs", materials.efficiency)
_add_figures("/materials/dimensions", "Widths and thicknesses", materials.dimensions)
_add_figures("/materials/suppliers", "Strip families by supplier", materials.suppliers)
_add_figures("/materials/inventory", "Strip in stock", materials.inventory)


@router.get(
    "/jobs/success-trends",
    summary="Success day by day",
    response_model=Analytics,
    openapi_extra=_window_and_conditions(),
)
async def success_trends(request: Request) -> Response:
    """Days are calendar days, UTC; a day without jobs has a rate of null."""
    given = parameters(request, ("days", "until", *_ONLY))
    days, only = integer(given, "days", **DAYS), _only(given)
    runtime = runtime_of(request)
    now = window_end(given, "until", now=runtime.clock())
    return success(**await runtime.stores.figures(lambda f: jobs.success_trends(f, days=days, now=now, only=only)))


_add_figures("/jobs/duration", "Durations by job type", jobs.duration)
_add_figures("/jobs/status", "Jobs by status", jobs.status)


@router.get(
    "/jobs/throughput",
    summary="Jobs completed per day, week and month",
    response_model=Analytics,
    openapi_extra=_window_and_conditions(),
)
async def throughput(request: Request) -> Response:
    """Averages over all days of the calendar, those without a completed job as well."""
    given = parameters(request, ("days", "until", *_ONLY))
    days, only = integer(given, "days", **DAYS), _only(given)
    runtime = runtime_of(request)
    now = window_end(given, "until", now=runtime.clock())
    return success(**await runtime.stores.figures(lambda f: jobs.throughput(f, days=days, now=now, only=only)))


@router.get(
    "/jobs/failures",
    summary="Failures by cause",
    response_model=Analytics,
    openapi_extra={"parameters": described_window_or_all()},
)
async def failures(request: Request) -> Response:
    """By type, pattern, machine, material and reason, the most failures first; without `days` of all time."""
    runtime = runtime_of(request)
    window = window_or_all(parameters(request, WINDOW), now=runtime.clock())
    return success(**await runtime.stores.figures(lambda f: jobs.failures(f, window=window)))


def _only(given: Mapping[str, str]) -> dict[Dimension, str]:
    """The conditions on jobs."""
    return {_ONLY[name]: value for name, value in given.items() if name in _ONLY}


_add_figures("/jobs/types", "Jobs by type", jobs.types)


@router.get(
    "/jobs/recent",
    summary="The newest jobs",
    response_model=Analytics,
    openapi_extra=_limit("How many jobs at most."),
)
async def recent(request: Request) -> Response:
    """The newest come first, in whatever status they are."""
    limit = integer(parameters(request, ("limit",)), "limit", **LIMIT)
    page = await runtime_of(request).stores.page(JOBLOG, ListQuery({}, limit=limit))
    return success(jobs=[jobs.recent_job(orjson.loads(body)) for body in page.items], count=len(page.items))


@router.get("/jobs/eta", summary="When running jobs will be done", response_model=Analytics)
async def expected_ends(request: Request) -> Response:
    """Of every running job, the oldest start first (1000 at most): middle estimate, interval of 80 %, basis and n."""
    parameters(request, ())
    runtime = runtime_of(request)
    query = ListQuery({"status": RUNNING}, sort=(("start_time", False), ("id", False)), limit=1000)
    running = [orjson.loads(body) for body in (await runtime.stores.page(JOBLOG, query)).items]
    now = runtime.clock()
    estimates = await runtime.stores.figures(lambda f: eta.estimate_running(f, running, now))
    told: list[JsonValue] = [jobs.recent_job(job) | {"eta": estimates[job["id"]]} for job in running]
    return success(jobs=told, count=len(told), time=now)


_add_figures("/jobs/eta/quality", "How good such estimates have been", eta.eta_quality)

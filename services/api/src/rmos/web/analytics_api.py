"""The figures: every route under `/api/analytics`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from rmos.analytics.extraction import pattern_fact
from rmos.domain.entities import JOBLOG, PATTERN, JsonObject
from rmos.errors import NotFoundError
from rmos.services.analytics import jobs, materials, patterns
from rmos.stores.base import ListQuery
from rmos.stores.figures import Figures
from rmos.web.answers import success
from rmos.web.deps import JSON, runtime_of
from rmos.web.models import Analytics, PatternDetails
from rmos.web.queries import described_integer, integer, parameters

ANALYTICS_PREFIX: Final = "/api/analytics"
DAYS: Final[dict[str, Any]] = {"default": 30, "at_least": 1, "at_most": 365}  # Any: keywords of `integer`
LIMIT: Final[dict[str, Any]] = {"default": 10, "at_least": 1, "at_most": 100}  # Any: as above

router = APIRouter(prefix=ANALYTICS_PREFIX, tags=["analytics"])


def _add_figures(path: str, summary: str, question: Callable[[Figures], JsonObject]) -> None:
    """A route that takes no parameters."""

    @router.get(path, name=question.__name__, summary=summary, description=question.__doc__, response_model=Analytics)
    async def answer(request: Request) -> Response:
        parameters(request, ())
        return success(**await runtime_of(request).stores.figures(question))


def _days(meaning: str) -> dict[str, Any]:
    return {"parameters": [described_integer("days", **DAYS, meaning=meaning)]}


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
    openapi_extra=_days("The last days, today included."),
)
async def success_trends(request: Request) -> Response:
    """Days are calendar days, UTC; a day without jobs has a rate of null."""
    days = integer(parameters(request, ("days",)), "days", **DAYS)
    runtime = runtime_of(request)
    return success(**await runtime.stores.figures(lambda f: jobs.success_trends(f, days=days, now=runtime.clock())))


_add_figures("/jobs/duration", "Durations by job type", jobs.duration)
_add_figures("/jobs/status", "Jobs by status", jobs.status)


@router.get(
    "/jobs/throughput",
    summary="Jobs completed per day, week and month",
    response_model=Analytics,
    openapi_extra=_days("The last days, today included."),
)
async def throughput(request: Request) -> Response:
    """Averages over all days of the calendar, those without a completed job as well."""
    days = integer(parameters(request, ("days",)), "days", **DAYS)
    runtime = runtime_of(request)
    return success(**await runtime.stores.figures(lambda f: jobs.throughput(f, days=days, now=runtime.clock())))


_add_figures("/jobs/failures", "Failures by cause", jobs.failures)
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

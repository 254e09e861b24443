"""Whether the server lives, whether it can work, and figures for those who watch it."""

from __future__ import annotations

import asyncio
from typing import Final

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from rmos.errors import UnavailableError
from rmos.settings import version
from rmos.web.answers import STORES_PREFIX, success
from rmos.web.deps import runtime_of
from rmos.web.metrics import Gauges

READY_TIMEOUT_S: Final = 2.0
"""A database that needs longer for the smallest question is not ready."""

router = APIRouter(tags=["health"])


@router.get("/health", summary="The published health check")
async def health() -> JSONResponse:
    """200 as long as the server answers at all."""
    return JSONResponse({"status": "ok", "service": "rmos", "version": version()})


@router.get("/healthz", summary="Liveness")
async def live() -> JSONResponse:
    """200 as long as the server answers at all; restart it when it does not."""
    return JSONResponse({"status": "ok"})


@router.get("/readyz", summary="Readiness")
async def ready(request: Request) -> JSONResponse:
    """200 when the database answers, else 503: send no requests here just now.

    Open to everybody, so it says no more than that.
    """
    try:
        async with asyncio.timeout(READY_TIMEOUT_S):
            await runtime_of(request).stores.log.head()
    except TimeoutError:
        raise UnavailableError(f"the database did not answer within {READY_TIMEOUT_S:g} seconds") from None
    return JSONResponse({"status": "ready"})


@router.get("/metrics", summary="Figures for Prometheus", response_class=Response)
async def metrics(request: Request) -> Response:
    """The text format of Prometheus."""
    gauges: Gauges = request.app.state.gauges
    gauges.observe(runtime_of(request))
    return Response(generate_latest(request.app.state.registry), media_type=CONTENT_TYPE_LATEST)


@router.get(f"{STORES_PREFIX}/migration/status", summary="State of the database", tags=["stores"])
async def migration_status(request: Request) -> Response:
    """Schema version, counts and size."""
    return success(**await runtime_of(request).stores.status())

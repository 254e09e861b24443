"""What it takes to make a pattern."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from rmos.domain.planning import DEFAULT_SCRAP_SHARE
from rmos.services.plan import plan_pattern
from rmos.web.answers import API_PREFIX, success
from rmos.web.deps import runtime_of
from rmos.web.models import PlanAnswer
from rmos.web.queries import described_integer, described_number, integer, number, parameters

router = APIRouter(prefix=API_PREFIX, tags=["patterns"])

_ROSETTES: Final[dict[str, Any]] = {"default": 1, "at_least": 1, "at_most": 10_000}  # Any: keywords of `integer`
_SCRAP: Final[dict[str, Any]] = {"default": DEFAULT_SCRAP_SHARE, "at_least": 0.0, "at_most": 1.0}  # Any: of `number`


@router.get(
    "/patterns/{entity_id}/plan",
    summary="Material need and feasibility",
    response_model=PlanAnswer,
    openapi_extra={
        "parameters": [
            described_integer("rosettes", **_ROSETTES, meaning="How many are to be made."),
            described_number("scrap", **_SCRAP, meaning="Share of the strip that is lost beside the saw cuts."),
        ]
    },
)
async def plan(request: Request, entity_id: str) -> Response:
    """Tiles, strip by family with kerf and scrap, fragility, what the stock is enough for, and what to look at."""
    given = parameters(request, ("rosettes", "scrap"))
    rosettes, scrap = integer(given, "rosettes", **_ROSETTES), number(given, "scrap", **_SCRAP)
    stores = runtime_of(request).stores
    return success(plan=await plan_pattern(stores, entity_id, rosettes=rosettes, scrap_share=scrap))

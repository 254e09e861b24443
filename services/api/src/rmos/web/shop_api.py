"""Figures of the shop under `/api/analytics/shop`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from rmos.errors import InvalidError
from rmos.services.analytics.shop import BY, losses, shop, shop_flow
from rmos.web.analytics_api import ANALYTICS_PREFIX, DAYS
from rmos.web.answers import success
from rmos.web.deps import runtime_of
from rmos.web.models import Analytics
from rmos.web.queries import described_integer, described_number, described_text, integer, number, parameters

_HOURS: Final[dict[str, Any]] = {"default": 8.0, "at_least": 0.0, "at_most": 24.0}  # Any: keywords of `number`
_WEEKDAYS: Final = "1,2,3,4,5"
_DAYS: Final = described_integer("days", **DAYS, meaning="The last days, today included.")
_BY: Final = described_text("by", f"One of {', '.join(BY)}; default: machine.")

router = APIRouter(prefix=f"{ANALYTICS_PREFIX}/shop", tags=["analytics"])


@router.get(
    "",
    summary="OEE, quality and reliability",
    response_model=Analytics,
    openapi_extra={
        "parameters": [
            _BY,
            _DAYS,
            described_number("hours_per_day", **_HOURS, meaning="Planned hours of a machine on a working day."),
            described_text("weekdays", f"Working days, 1 (Monday) to 7; default: {_WEEKDAYS}."),
        ]
    },
)
async def figures_of_shop(request: Request) -> Response:
    """By machine, project, pattern or job type, and of all together: the total is made of the added elements."""
    given = parameters(request, ("by", "days", "hours_per_day", "weekdays"))
    by, days = _by(given), integer(given, "days", **DAYS)
    hours, weekdays = number(given, "hours_per_day", **_HOURS), _weekdays(given.get("weekdays", _WEEKDAYS))
    runtime = runtime_of(request)
    return success(
        **await runtime.stores.figures(
            lambda f: shop(f, by=by, days=days, hours_per_day=hours, weekdays=weekdays, now=runtime.clock())
        )
    )


@router.get(
    "/flow",
    summary="Work in progress, throughput and cycle time",
    response_model=Analytics,
    openapi_extra={"parameters": [_DAYS]},
)
async def flow(request: Request) -> Response:
    """With the residual of Little's law: what the three say about each other."""
    days = integer(parameters(request, ("days",)), "days", **DAYS)
    runtime = runtime_of(request)
    return success(**await runtime.stores.figures(lambda f: shop_flow(f, days=days, now=runtime.clock())))


@router.get(
    "/losses", summary="Scrap and downtime", response_model=Analytics, openapi_extra={"parameters": [_BY, _DAYS]}
)
async def losses_of_shop(request: Request) -> Response:
    """Pareto: the largest causes first, with their share and that of all up to them."""
    given = parameters(request, ("by", "days"))
    by, days = _by(given), integer(given, "days", **DAYS)
    runtime = runtime_of(request)
    return success(**await runtime.stores.figures(lambda f: losses(f, by=by, days=days, now=runtime.clock())))


def _by(given: Mapping[str, str]) -> str:
    by = given.get("by", "machine")
    if by not in BY:
        raise InvalidError.at("/by", f"unknown value {by[:80]!r}; expected one of {', '.join(BY)}")
    return by


def _weekdays(text: str) -> frozenset[int]:
    days = text.split(",") if text else []
    if any(day not in ("1", "2", "3", "4", "5", "6", "7") for day in days):
        raise InvalidError.at("/weekdays", f"expected numbers from 1 (Monday) to 7, with commas, not {text[:80]!r}")
    return frozenset(map(int, days))

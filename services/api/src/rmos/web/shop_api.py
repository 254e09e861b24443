"""Figures of the shop under `/api/analytics/shop`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from rmos.analytics.shifts import Shifts, every_day
from rmos.domain.entities import JsonValue
from rmos.errors import InvalidError
from rmos.services.analytics.shop import BY, losses, shop, shop_flow
from rmos.web.analytics_api import ANALYTICS_PREFIX, DAYS, described_days, described_until
from rmos.web.answers import success
from rmos.web.deps import runtime_of
from rmos.web.models import Analytics
from rmos.web.queries import described_number, described_text, integer, number, parameters, window_end

_HOURS: Final[dict[str, Any]] = {"default": 8.0, "at_least": 0.0, "at_most": 24.0}  # Any: keywords of `number`
_WEEKDAYS: Final = "1,2,3,4,5"
_INSTEAD: Final = "instead of the shifts of the settings"
_DAYS: Final = described_days()
_UNTIL: Final = described_until()
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
            _UNTIL,
            described_number("hours_per_day", **_HOURS, meaning=f"Planned hours of a working day; {_INSTEAD}."),
            described_text("weekdays", f"Working days, 1 (Monday) to 7; default: {_WEEKDAYS}; {_INSTEAD}."),
        ]
    },
)
async def figures_of_shop(request: Request) -> Response:
    """By machine, project, pattern, job type or shift, and of all together: the total is made of the added elements."""
    given = parameters(request, ("by", "days", "until", "hours_per_day", "weekdays"))
    by, days = _by(given), integer(given, "days", **DAYS)
    runtime = runtime_of(request)
    configured = runtime.shifts
    shifts = _shifts(given, configured)
    now = window_end(given, "until", now=runtime.clock())
    found = await runtime.stores.figures(lambda f: shop(f, by=by, days=days, shifts=shifts, now=now))
    return success(**found, planned_by="shifts" if shifts is configured else "hours", shifts=_told(configured))


@router.get(
    "/flow",
    summary="Work in progress, throughput and cycle time",
    response_model=Analytics,
    openapi_extra={"parameters": [_DAYS, _UNTIL]},
)
async def flow(request: Request) -> Response:
    """With the residual of Little's law: what the three say about each other."""
    given = parameters(request, ("days", "until"))
    days = integer(given, "days", **DAYS)
    runtime = runtime_of(request)
    now = window_end(given, "until", now=runtime.clock())
    return success(**await runtime.stores.figures(lambda f: shop_flow(f, days=days, now=now)))


@router.get(
    "/losses",
    summary="Scrap and downtime",
    response_model=Analytics,
    openapi_extra={"parameters": [_BY, _DAYS, _UNTIL]},
)
async def losses_of_shop(request: Request) -> Response:
    """Pareto: the largest causes first, with their share and that of all up to them."""
    given = parameters(request, ("by", "days", "until"))
    by, days = _by(given), integer(given, "days", **DAYS)
    runtime = runtime_of(request)
    now = window_end(given, "until", now=runtime.clock())
    return success(**await runtime.stores.figures(lambda f: losses(f, by=by, days=days, now=now)))


def _by(given: Mapping[str, str]) -> str:
    by = given.get("by", "machine")
    if by not in BY:
        raise InvalidError.at("/by", f"unknown value {by[:80]!r}; expected one of {', '.join(BY)}")
    return by


def _shifts(given: Mapping[str, str], configured: Shifts) -> Shifts:
    """The working time that was asked for, or else that of the settings, or else eight hours from Monday to Friday."""
    if configured and "hours_per_day" not in given and "weekdays" not in given:
        return configured
    return every_day(_weekdays(given.get("weekdays", _WEEKDAYS)), number(given, "hours_per_day", **_HOURS))


def _told(shifts: Shifts) -> list[JsonValue]:
    """The shifts of the settings, written as they are set."""
    return [
        {
            "name": shift.name,
            "days": [*sorted(shift.weekdays)],
            "start": shift.start.isoformat("minutes"),
            "end": shift.end.isoformat("minutes"),
        }
        for shift in shifts.shifts
    ]


def _weekdays(text: str) -> frozenset[int]:
    days = text.split(",") if text else []
    if any(day not in ("1", "2", "3", "4", "5", "6", "7") for day in days):
        raise InvalidError.at("/weekdays", f"expected numbers from 1 (Monday) to 7, with commas, not {text[:80]!r}")
    return frozenset(map(int, days))

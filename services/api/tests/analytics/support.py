"""Questions to a running shop, and the figures computed the slow way: from every document."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from typing import Any

import orjson

from rmos.analytics.facts import RISK_SEPARATOR, TOOL_BANDS, Dimension, Tally
from rmos.analytics.shifts import Shift, Shifts
from rmos.clock import seconds_between, to_timestamp
from rmos.domain.entities import Kind
from rmos.domain.jobs import STOPPED
from rmos.stores.base import ListQuery, Stores
from tests.web.shops import Shop

ANALYTICS = "/api/analytics"
_WORKDAYS = frozenset({1, 2, 3, 4, 5})
BERLIN = Shifts(
    (
        Shift("early", _WORKDAYS, time(6), time(14)),
        Shift("late", _WORKDAYS, time(14), time(22)),
        Shift("night", _WORKDAYS, time(22), time(6)),
    ),
    "Europe/Berlin",
)
"""The shifts of a shop whose figures are held against its documents."""
SIMPLE_ROUTES = (
    "patterns/complexity",
    "patterns/rings",
    "patterns/geometry",
    "patterns/families",
    "patterns/popularity",
    "materials/distribution",
    "materials/consumption",
    "materials/efficiency",
    "materials/dimensions",
    "materials/suppliers",
    "materials/inventory",
    "jobs/success-trends",
    "jobs/duration",
    "jobs/status",
    "jobs/throughput",
    "jobs/failures",
    "jobs/types",
    "jobs/recent",
)
"""All of N9.0 but the details of one pattern."""


async def ask(shop: Shop, path: str, **query: Any) -> dict[str, Any]:
    """The figures of a route, without the envelope."""
    answer = await shop.client.get(f"{ANALYTICS}/{path}", params=query)
    assert answer.status_code == 200, answer.text
    figures = answer.json()
    assert figures.pop("success") is True
    return figures


def days_ago(days: float) -> str:
    """A time in the past, for jobs that fall into a window."""
    return to_timestamp(datetime.now(UTC) - timedelta(days=days))


async def documents(stores: Stores, kind: Kind) -> list[dict[str, Any]]:
    """Every document of a kind."""
    found: list[dict[str, Any]] = []
    query = ListQuery({}, limit=1000)
    while True:
        page = await stores.page(kind, query)
        found += [orjson.loads(body) for body in page.items]
        if page.next is None:
            return found
        query = ListQuery({}, limit=1000, after=page.next)


def tallies(jobs: Iterable[dict[str, Any]], dimension: Dimension) -> dict[tuple[Any, ...], Tally]:
    """What `Figures` must answer of these jobs, by value and status."""
    cells: defaultdict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for job in jobs:
        cells[value_of(job, dimension), job["status"]].append(job)
    return {key: _tally(key, members) for key, members in cells.items()}


def moment_of(job: dict[str, Any]) -> str:
    """When a job counts."""
    return job["end_time"] or job["start_time"] or job["created_at"]


def value_of(job: dict[str, Any], dimension: Dimension) -> str | None:
    """The value of a job in a dimension."""
    if dimension is Dimension.RISK:
        return RISK_SEPARATOR.join((job["job_type"], job["strip_family_id"] or "", tool_band(job) or ""))
    if dimension is Dimension.SHIFT:
        return BERLIN.shift_of(moment_of(job))
    return job[dimension.value]


def tool_band(job: dict[str, Any]) -> str | None:
    """The band of the tool that the job used."""
    tool_mm = number_in(job["parameters"], "tool_diameter_mm")
    return None if tool_mm is None else next(name for name, below in TOOL_BANDS if tool_mm < below)


def number_in(members: dict[str, Any] | None, name: str) -> float | None:
    """A member that is a number."""
    value = (members or {}).get(name)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _tally(key: tuple[Any, ...], jobs: list[dict[str, Any]]) -> Tally:
    def known(values: Iterable[Any]) -> list[Any]:
        return [value for value in values if value is not None]

    durations = known(job["duration_seconds"] for job in jobs)
    wastes = known(number_in(job["results"], "waste_percentage") for job in jobs)
    used = known(number_in(job["results"], "strip_used_mm") for job in jobs)
    leads = [
        seconds_between(job["start_time"], job["end_time"]) for job in jobs if job["start_time"] and job["end_time"]
    ]
    planned = known(map(_planned, jobs))
    return Tally(
        *key,
        jobs=len(jobs),
        timed=len(durations),
        duration_s=sum(durations),
        measured=len(wastes),
        waste_percentage=sum(wastes),
        reported=len(used),
        used_mm=sum(used),
        counted=sum(job["good_qty"] is not None or job["scrap_qty"] is not None for job in jobs),
        good=sum(known(job["good_qty"] for job in jobs)),
        scrap=sum(known(job["scrap_qty"] for job in jobs)),
        rework=sum(known(job["rework_qty"] for job in jobs)),
        first_pass=sum(
            max(0, job["good_qty"] - (job["rework_qty"] or 0)) for job in jobs if job["good_qty"] is not None
        ),
        spanned=len(leads),
        lead_s=sum(leads),
        planned=len(planned),
        planned_s=sum(planned_s for planned_s, _ in planned),
        planned_run_s=sum(run_s for _, run_s in planned),
    )


def _planned(job: dict[str, Any]) -> tuple[float, float] | None:
    """Planned and actual seconds of a job that tells both, and its pieces."""
    per_piece = number_in(job["parameters"], "planned_seconds_per_piece")
    if None in (per_piece, job["duration_seconds"]) or (job["good_qty"] is None and job["scrap_qty"] is None):
        return None
    return per_piece * ((job["good_qty"] or 0) + (job["scrap_qty"] or 0)), job["duration_seconds"]


def stop_tallies(histories: Iterable[list[dict[str, Any]]], field: str) -> dict[tuple[Any, Any], list[float]]:
    """What `Figures.stops` must answer over all days: begun, seconds and open, by value and reason.

    Args:
        histories: The versions of each job that is there, oldest first, with the time of each as `at`.
    """
    found: defaultdict[tuple[Any, Any], list[float]] = defaultdict(lambda: [0, 0.0, 0])
    for versions in histories:
        before: dict[str, Any] = {"status": None, "reason": None}
        for number, version in enumerate(versions):
            is_stopped = version["status"] in STOPPED
            if is_stopped or version["status"] == "failed":
                entry = found[versions[-1][field], version["reason"]]
                entry[0] += not (before["status"] in STOPPED and before["reason"] == version["reason"])
                if is_stopped and number + 1 < len(versions):
                    entry[1] += seconds_between(version["at"], versions[number + 1]["at"])
                elif is_stopped:
                    entry[2] += 1
            before = version
    return found

"""`Stores.statistics`, `overview`, `running` and `status`."""

from __future__ import annotations

from typing import Any

import pytest

from rmos.domain.entities import JOBLOG, PATTERN, STRIP_FAMILY, Kind
from rmos.domain.jobs import STATUSES
from rmos.stores.base import Running, Stores
from tests.contract.builders import custom, making
from tests.contract.engines import Engine

NOTHING: list[tuple[Kind, dict[str, Any]]] = [
    (
        PATTERN,
        {
            "total_count": 0,
            "avg_ring_count": None,
            "min_ring_count": None,
            "max_ring_count": None,
            "unique_families": 0,
        },
    ),
    (
        JOBLOG,
        {
            "total_count": 0,
            "completed_count": 0,
            "failed_count": 0,
            "running_count": 0,
            "pending_count": 0,
            "success_rate": None,
            "avg_duration": None,
            "unique_job_types": 0,
            "unique_patterns": 0,
        },
    ),
    (
        STRIP_FAMILY,
        {
            "total_count": 0,
            "unique_materials": 0,
            "avg_width_mm": None,
            "min_width_mm": None,
            "max_width_mm": None,
            "avg_thickness_mm": None,
            "material_counts": {},
        },
    ),
]


@pytest.mark.parametrize(("kind", "expected"), NOTHING)
async def test_empty_stores_have_zero_counts_and_no_averages(
    stores: Stores, kind: Kind, expected: dict[str, Any]
) -> None:
    assert await stores.statistics(kind) == expected


async def test_pattern_statistics(stores: Stores) -> None:
    for family in ("f1", "f2"):
        await stores.write(making(STRIP_FAMILY, id=family))
    for ring_count, family in ((1, "f1"), (2, "f1"), (6, "f2"), (7, None)):
        await stores.write(making(PATTERN, ring_count=ring_count, strip_family_id=family))

    assert await stores.statistics(PATTERN) == {
        "total_count": 4,
        "avg_ring_count": 4.0,
        "min_ring_count": 1,
        "max_ring_count": 7,
        "unique_families": 2,
    }


async def test_open_jobs_do_not_count_against_the_success_rate(stores: Stores) -> None:
    await stores.write(making(PATTERN, id="p"))
    for status, duration, pattern, job_type in (
        ("completed", 10, "p", "slice"),
        ("completed", 20.5, "p", "slice"),
        ("completed", None, None, "glue_up"),
        ("failed", 0, None, "slice"),
        ("running", None, "p", "slice"),
        ("pending", None, None, "batch"),
        ("held", None, None, "batch"),
    ):
        await stores.write(
            making(JOBLOG, status=status, duration_seconds=duration, pattern_id=pattern, job_type=job_type)
        )

    assert await stores.statistics(JOBLOG) == {
        "total_count": 7,
        "completed_count": 3,
        "failed_count": 1,
        "running_count": 1,
        "pending_count": 1,
        "success_rate": 75.0,
        "avg_duration": pytest.approx(30.5 / 3),
        "unique_job_types": 3,
        "unique_patterns": 1,
    }


async def test_materials_that_differ_in_case_are_one(stores: Stores) -> None:
    for material, width, thickness in (("maple", 1.0, 0.5), ("Maple", 2.0, 0.5), ("Ébène", 3.0, 1.0), ("ébène", 6, 2)):
        await stores.write(
            making(STRIP_FAMILY, material_type=material, strip_width_mm=width, strip_thickness_mm=thickness)
        )

    assert await stores.statistics(STRIP_FAMILY) == {
        "total_count": 4,
        "unique_materials": 2,
        "avg_width_mm": 3.0,
        "min_width_mm": 1.0,
        "max_width_mm": 6.0,
        "avg_thickness_mm": 1.0,
        "material_counts": {"Maple": 2, "Ébène": 2},
    }


async def test_overview_of_an_empty_shop_has_every_status(stores: Stores) -> None:
    overview = await stores.overview()

    assert overview.jobs_by_status == dict.fromkeys(STATUSES, 0)
    assert overview.entities == {"patterns": 0, "joblogs": 0, "strip_families": 0}
    assert await stores.running() == Running([], 0)


async def test_running_jobs_come_in_the_order_of_their_start(stores: Stores) -> None:
    await stores.write(making(PATTERN))
    for entity_id, start in (("late", "2026-02-02"), ("unknown", None), ("early", "2026-02-01")):
        await stores.write(making(JOBLOG, id=entity_id, status="running", start_time=start))
    await stores.write(making(JOBLOG, status="held"))

    overview, running = await stores.overview(), await stores.running()

    assert [job["id"] for job in running.jobs] == ["early", "late", "unknown"]
    assert running.jobs[0]["start_time"] == "2026-02-01"
    assert (overview.jobs_by_status["running"], overview.jobs_by_status["held"]) == (3, 1)
    assert overview.entities == {"patterns": 1, "joblogs": 4, "strip_families": 0}
    assert running.offset == 5


async def test_at_most_100_running_jobs_are_told(stores: Stores) -> None:
    for _ in range(103):
        await stores.write(making(JOBLOG, status="running"))

    assert len((await stores.running()).jobs) == 100
    assert (await stores.overview()).jobs_by_status["running"] == 103


async def test_status_tells_counts_and_size_but_no_path(engine: Engine) -> None:
    async with engine.open() as stores:
        await stores.write(making(PATTERN))
        await stores.write(custom("x"))
        status = await stores.status()

    assert status["schema_version"] == "0006"
    assert status["counts"] == {"patterns": 1, "joblogs": 0, "strip_families": 0}
    assert status["events"] == 2
    assert isinstance(status["size_bytes"], int)
    assert status["size_bytes"] > 4096
    assert "/" not in str(status)

"""The figures follow the log: whatever was done, and however often they were asked for, they are those of now."""

from __future__ import annotations

import asyncio
import itertools
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import astuple
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from rmos.analytics.calendar import last_days
from rmos.analytics.facts import Dimension, Tally
from rmos.domain.entities import JOBLOG, PATTERN, STRIP_FAMILY, JsonValue
from rmos.domain.jobs import COMPLETED, FAILED, STOPPED
from rmos.errors import ClientError, ConflictError, UnavailableError
from rmos.eventlog.sqlite_statement import Statement
from rmos.services import entities
from rmos.services.context import Context
from rmos.services.metrics import metrics_snapshot
from rmos.stores.base import Stores
from rmos.stores.figures import Figures, JobQuery
from rmos.stores.figures_schema import BY_DAY, spans
from rmos.stores.sqlite import figures as figures_file
from rmos.stores.sqlite import open_sqlite
from rmos.stores.sqlite.figures import catch_up
from rmos.stores.sqlite.figures.reads import jobs_query
from tests.analytics.support import BERLIN, documents, moment_of, stop_tallies, tallies, value_of

FIRST, LAST = "0001-01-01", "9999-12-31"
NOW = "2026-11-24T23:00:00.000Z"
CONTEXT = Context("tester", None, "2026-11-24T10:00:00.000Z")
_minutes = itertools.count()


def later() -> Context:
    """A context one minute after the one before."""
    minutes = next(_minutes) % 600
    return Context("tester", None, f"2026-11-24T{10 + minutes // 60:02}:{minutes % 60:02}:00.000Z")


Step = tuple[Any, ...]

LATER_TIMES = [
    "2026-11-30T23:59:59.999Z",
    "2026-12-01T00:00:00.000Z",
    "2027-01-31T12:00:00.000Z",
    "2027-02-01T00:00:00.000Z",
]
WINDOWS = (
    ("2026-11-20", "2026-11-30"),
    ("2026-11-01", "2027-01-31"),
    ("2026-11-21", "2027-02-01"),
    ("2026-12-01", "2026-12-01"),
)
_NUMBERS = st.none() | st.floats(0, 1e6).map(lambda value: round(value, 3)) | st.just("much") | st.just(True)
_TIMES = st.none() | st.sampled_from(
    ["2026-11-20T08:00:00.000Z", "2026-11-20T23:59:59.999Z", "2026-11-21T00:00:00.000Z", *LATER_TIMES]
)
_JOBS = st.fixed_dictionaries(
    {
        "job_type": st.sampled_from(["slice", "glue_up"]),
        "status": st.sampled_from(["running", "completed", "failed", "cancelled", "held", "suspended"]),
        "pattern_id": st.none() | st.just("p1"),
        "strip_family_id": st.none() | st.just("f1"),
        "machine_id": st.none() | st.sampled_from(["cnc1", "cnc2"]),
        "reason": st.none() | st.sampled_from(["QUALITY_HOLD", "OTHER"]),
        "start_time": st.none() | st.just("2026-11-20T07:00:00.000Z"),
        "end_time": _TIMES,
        "duration_seconds": st.none() | st.floats(0, 1e5).map(lambda value: round(value, 3)),
        "good_qty": st.none() | st.integers(0, 9),
        "scrap_qty": st.none() | st.integers(0, 9),
        "rework_qty": st.none() | st.integers(0, 9),
        "parameters": st.fixed_dictionaries(
            {},
            optional={
                "tool_diameter_mm": st.none() | st.sampled_from([0.5, 1, 9]),
                "planned_seconds_per_piece": st.sampled_from([0, 60, "quick"]),
            },
        ),
        "results": st.none()
        | st.fixed_dictionaries(
            {}, optional={"waste_percentage": st.none() | st.sampled_from([0, 4.5, "high"]), "strip_used_mm": _NUMBERS}
        ),
    }
)
_IDS = st.sampled_from(["a", "b", "c", "d"])
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("make"), _IDS, _JOBS),
        st.tuples(st.just("make"), _IDS, _JOBS),
        st.tuples(st.just("change"), _IDS, _JOBS),
        st.tuples(st.just("delete"), _IDS),
        st.tuples(st.just("ask")),
    ),
    max_size=25,
)


async def open_stores(folder: Path, **options: Any) -> Any:
    return await open_sqlite(folder / "rmos.db", on_commit=lambda: None, shifts=BERLIN, **options)


async def do(stores: Stores, step: Step) -> None:
    """One step; what a service refuses is left undone."""
    try:
        match step:
            case ("make", job_id, fields):
                await stores.write(lambda tx: entities.create(tx, JOBLOG, {"id": job_id, **fields}, later()))
            case ("change", job_id, fields):
                changes = {**fields, "reopen": True}
                await stores.write(lambda tx: entities.update(tx, JOBLOG, job_id, changes, later()))
            case ("delete", job_id):
                await stores.write(lambda tx: entities.delete(tx, JOBLOG, job_id, CONTEXT))
            case _:
                await stores.figures(lambda figures: figures.totals(Dimension.JOB_TYPE))
    except ClientError:
        pass


async def make_parents(stores: Stores) -> None:
    family: dict[str, JsonValue] = {
        "id": "f1",
        "name": "Maple",
        "strip_width_mm": 1,
        "strip_thickness_mm": 1,
        "material_type": "maple",
    }
    await stores.write(lambda tx: entities.create(tx, STRIP_FAMILY, family, CONTEXT))
    await stores.write(lambda tx: entities.create(tx, PATTERN, {"id": "p1", "name": "Rope", "ring_count": 3}, CONTEXT))


def same(found: list[Tally], expected: dict[tuple[Any, ...], Tally]) -> None:
    assert {(tally.value, tally.status) for tally in found} == set(expected)
    for tally in found:
        other = expected[tally.value, tally.status]
        assert astuple(tally)[2:] == pytest.approx(astuple(other)[2:], rel=1e-9, abs=1e-6)


async def check(stores: Stores) -> None:
    """The figures are what every document says."""
    jobs = await documents(stores, JOBLOG)
    for dimension in Dimension:
        everything = await stores.figures(lambda f, d=dimension: f.totals(d))
        same(everything, tallies(jobs, dimension))
        if dimension not in BY_DAY:
            continue
        for first, last in WINDOWS:
            window = await stores.figures(lambda f, d=dimension, w=(first, last): f.window_totals(d, *w))
            within = [job for job in jobs if first <= moment_of(job)[:10] <= last]
            same(window, tallies(within, dimension))
    await check_days(stores, jobs)
    await check_live(stores, jobs)
    histories = [await versions_of(stores, job["id"]) for job in jobs]
    for dimension in (Dimension.MACHINE, Dimension.PATTERN):
        stops = await stores.figures(lambda f, d=dimension: f.stops(d, FIRST, LAST))

        slow = stop_tallies(histories, dimension.value)
        assert {(stop.value, stop.reason) for stop in stops} == set(slow)
        for stop in stops:
            assert [stop.begun, stop.seconds, stop.open] == pytest.approx(slow[stop.value, stop.reason], abs=0.002)


async def check_days(stores: Stores, jobs: list[dict[str, Any]]) -> None:
    """The jobs of each day, of no condition, of one of each kind, and of two."""
    conditions: list[dict[Dimension, str]] = [{}]
    for job in jobs:
        known = {dimension: value for dimension in BY_DAY if (value := value_of(job, dimension)) is not None}
        conditions += [{dimension: value} for dimension, value in known.items()]
        conditions += [dict(pair) for pair in itertools.pairwise(known.items())]
    asked = list(itertools.product(conditions, WINDOWS))
    answers = await stores.figures(lambda f: [f.daily_counts(only, *window) for only, window in asked])
    for (only, (first, last)), counts in zip(asked, answers, strict=True):
        expected = Counter(
            (moment_of(job)[:10], job["status"])
            for job in jobs
            if first <= moment_of(job)[:10] <= last
            and all(value_of(job, dimension) == value for dimension, value in only.items())
        )
        assert {(count.day, count.status): count.jobs for count in counts} == expected


async def check_live(stores: Stores, jobs: list[dict[str, Any]]) -> None:
    """The live metrics are what the documents say, though nothing is counted for them."""
    live, counted = await metrics_snapshot(stores, NOW), await stores.overview()
    assert live["counting"] is False
    assert live["jobs"]["by_status"] == counted.jobs_by_status
    assert live["entities"] == counted.entities
    for name, days in (("today", 1), ("last_7_days", 7)):
        calendar = last_days(NOW, days)
        within = [job for job in jobs if calendar[0] <= moment_of(job)[:10] <= calendar[-1]]
        for status in (COMPLETED, FAILED):
            assert live["throughput"][name][status] == sum(job["status"] == status for job in within)
    machines = {job["machine_id"] for job in jobs} - {None}
    assert live["machines"] == [
        {
            "machine_id": machine,
            "state": "running" if running else "stopped" if stopped else "idle",
            "running": running,
            "last_seen": max(job["updated_at"] for job in own),
        }
        for machine in sorted(machines)
        if (own := [job for job in jobs if job["machine_id"] == machine])
        for running, stopped in [
            (sum(job["status"] == "running" for job in own), any(job["status"] in STOPPED for job in own))
        ]
    ]


async def versions_of(stores: Stores, job_id: str) -> list[dict[str, Any]]:
    """The versions of a job since it was last created."""
    versions: list[dict[str, Any]] = []
    for event in await stores.history(JOBLOG.key(job_id)):
        if event.type == "job:created":
            versions = []
        versions.append({**orjson.loads(event.data), "at": event.timestamp})
    return versions


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database to begin with, made once: to make one takes longer than all the steps."""

    async def make(folder: Path) -> None:
        stores = await open_stores(folder)
        await make_parents(stores)
        await stores.close()

    folder = tmp_path_factory.mktemp("begun")
    asyncio.run(make(folder))
    return folder / "rmos.db"


@settings(
    max_examples=60, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate]
)  # shrinking takes minutes
@given(steps=_STEPS)
def test_figures_are_those_of_every_document_counted_anew(begun: Path, steps: list[Step]) -> None:
    async def run(folder: Path) -> None:
        shutil.copy(begun, folder)
        stores = await open_stores(folder)
        try:
            for step in steps:
                await do(stores, step)
            await check(stores)
        finally:
            await stores.close()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(Path(folder)))


async def shop_with_jobs(folder: Path, count: int, **options: Any) -> Any:
    stores = await open_stores(folder, **options)
    for number in range(count):
        fields: dict[str, JsonValue] = {"job_type": "slice", "status": "completed", "duration_seconds": number}
        await stores.write(lambda tx, fields=fields: entities.create(tx, JOBLOG, fields, CONTEXT))
    return stores


def job_count(figures: Figures) -> int:
    return sum(tally.jobs for tally in figures.totals(Dimension.JOB_TYPE))


async def test_they_are_kept_over_a_restart_and_go_on_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stores = await shop_with_jobs(tmp_path, 3)
    assert await stores.figures(job_count) == 3
    await stores.close()
    monkeypatch.setattr(catch_up, "_begin_anew", None)  # would be called if they were counted anew

    stores = await shop_with_jobs(tmp_path, 2)

    assert await stores.figures(job_count) == 5
    await stores.close()


@pytest.mark.parametrize("damage", ["delete", "overwrite", "another layout"])
async def test_a_file_that_is_lost_or_foreign_is_made_anew(tmp_path: Path, damage: str) -> None:
    stores = await shop_with_jobs(tmp_path, 3)
    assert await stores.figures(job_count) == 3
    await stores.close()
    path = tmp_path / "rmos.db.figures"
    if damage == "delete":
        path.unlink()
    elif damage == "overwrite":
        path.write_bytes(b"no database at all" * 1000)
    else:
        with sqlite3.connect(path) as connection:
            connection.execute("PRAGMA user_version=999999")
            connection.execute("DROP TABLE job_totals")
        connection.close()

    stores = await open_stores(tmp_path)

    assert await stores.figures(job_count) == 3
    await stores.close()


async def test_they_are_counted_anew_when_the_log_no_longer_says_what_changed(tmp_path: Path) -> None:
    stores = await shop_with_jobs(tmp_path, 3, keep_events=1)
    assert await stores.figures(job_count) == 3
    job = (await documents(stores, JOBLOG))[0]["id"]
    await stores.write(lambda tx: entities.delete(tx, JOBLOG, job, CONTEXT))
    await stores.close()
    connection = sqlite3.connect(tmp_path / "rmos.db")
    with connection:  # as retention would
        connection.execute("UPDATE log_head SET head = 9, oldest = 9")
    connection.close()

    stores = await open_stores(tmp_path)

    await check(stores)
    assert await stores.figures(job_count) == 2
    await stores.close()


async def test_what_changes_while_all_is_counted_anew_is_counted_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stores = await shop_with_jobs(tmp_path, 5)
    monkeypatch.setattr(figures_file, "PATIENCE_S", -1.0)  # one step at a time
    with pytest.raises(UnavailableError):
        await stores.figures(job_count)
    failed: dict[str, JsonValue] = {"status": "failed", "reopen": True}
    for job in await documents(stores, JOBLOG):
        await stores.write(lambda tx, job=job: entities.update(tx, JOBLOG, job["id"], failed, CONTEXT))
    for _ in range(9):
        try:
            await stores.figures(job_count)
        except UnavailableError:
            continue

    await check(stores)
    await stores.close()


async def test_who_would_wait_for_long_is_told_to_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stores = await shop_with_jobs(tmp_path, 1)
    monkeypatch.setattr(figures_file, "PATIENCE_S", -1.0)

    with pytest.raises(UnavailableError, match="try again") as caught:
        await stores.figures(job_count)

    assert caught.value.retry_after_s == 1
    await stores.close()


async def test_jobs_are_the_newest_that_match_oldest_first(tmp_path: Path) -> None:
    stores = await open_stores(tmp_path)
    for hour, kind in ((9, "slice"), (11, "slice"), (10, "slice"), (12, "glue_up")):
        time = f"2026-11-20T{hour:02}:00:00.000Z"
        fields: dict[str, JsonValue] = {"id": f"j{hour}", "job_type": kind, "status": "completed", "end_time": time}
        await stores.write(lambda tx, fields=fields: entities.create(tx, JOBLOG, fields, CONTEXT))

    found = await stores.figures(lambda f: f.jobs(JobQuery([("job_type", "slice")], ["completed"], limit=2)))

    assert [job.id for job in found] == ["j10", "j11"]
    await stores.close()


def test_a_window_is_whole_months_and_the_days_at_its_ends() -> None:
    assert spans("2026-11-20", "2026-11-24") == [("2026-11-20", "2026-11-24")]
    assert spans("2026-11-01", "2026-11-30") == [("M2026-11", "M2026-11")]
    assert spans("2025-11-25", "2026-11-24") == [
        ("M2025-12", "M2026-10"),
        ("2025-11-25", "2025-11-30"),
        ("2026-11-01", "2026-11-24"),
    ]
    assert spans("2024-01-31", "2024-02-29") == [("M2024-02", "M2024-02"), ("2024-01-31", "2024-01-31")]
    assert spans("2024-01-02", "2024-02-28") == [("2024-01-02", "2024-02-28")]


@pytest.mark.parametrize("has_window", [False, True])
@pytest.mark.parametrize("fields", [(), ("job_type",), ("machine_id", "job_type"), ("pattern_id",), ("project_id",)])
async def test_the_newest_jobs_are_found_without_sorting_all(
    tmp_path: Path, fields: tuple[str, ...], has_window: bool
) -> None:
    stores = await shop_with_jobs(tmp_path, 30)
    await stores.figures(job_count)
    await stores.close()
    query = jobs_query(fields, ("duration_seconds",), has_statuses=True, has_window=has_window)
    text = Statement(query).text
    connection = sqlite3.connect(tmp_path / "rmos.db.figures")
    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {text}", ["x"] * text.count("?"))]
    connection.close()

    assert any("INDEX ix_job_facts_" in step for step in plan), plan
    assert "USE TEMP B-TREE FOR ORDER BY" not in plan


async def test_medians_are_those_of_the_sorted_durations(tmp_path: Path) -> None:
    for count, median in ((1, 0.0), (4, 1.5), (5, 2.0)):
        stores = await shop_with_jobs(tmp_path / str(count), count)

        (spread,) = await stores.figures(lambda figures: figures.spreads())

        assert (spread.timed, spread.min_s, spread.median_s, spread.max_s) == (count, 0, median, count - 1)
        await stores.close()


async def test_a_work_that_raises_leaves_the_figures_usable(tmp_path: Path) -> None:
    stores = await shop_with_jobs(tmp_path, 2)

    def fail(figures: Figures) -> Callable[[], None]:
        raise ConflictError("no")

    with pytest.raises(ConflictError):
        await stores.figures(fail)

    assert await stores.figures(job_count) == 2
    await stores.close()

"""What the watch makes events of, that it says each thing once, and what it leaves alone."""

from __future__ import annotations

import asyncio
from datetime import time, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmos.analytics.cadence import FACTOR, FEW_GAPS, Cadence
from rmos.analytics.shifts import Shift, Shifts
from rmos.clock import Timestamp, add_seconds, from_timestamp, to_timestamp, utc_now
from rmos.domain.events import Event
from rmos.services.watch import Watch
from tests.services.support import NOW, Shop, open_shop
from tests.web.shops import JOBS
from tests.web.shops import Shop as Server
from tests.web.shops import open_shop as open_server


class Watched:
    """A shop, a watch on it, and the time of both."""

    def __init__(self, shop: Shop, shifts: Shifts) -> None:
        self.shop = shop
        self.shifts = shifts
        self.watch = self.another()

    def another(self) -> Watch:
        """The watch after a restart."""
        return Watch(
            self.shop.stores, shifts=self.shifts, interval_s=5, least_silence_s=60, clock=lambda: self.shop.now
        )

    def later(self, seconds: float) -> None:
        self.shop.now = add_seconds(self.shop.now, seconds)

    async def said(self) -> list[tuple[Event, dict[str, Any]]]:
        """What the watch has said so far."""
        events = await self.shop.stores.log.read(0, limit=10_000, max_bytes=2**30)
        return [(event, orjson.loads(event.data)) for event in events if event.actor == "system"]

    async def past(self, jobs: int, **fields: Any) -> None:
        """Completed jobs whose durations scatter by a tenth."""
        for number in range(jobs):
            self.later(60)
            await self.shop.make_job(
                **{"status": "completed", "duration_seconds": 600.0 + 10 * (number % 7), "end_time": self.shop.now}
                | fields
            )


@pytest.fixture
async def watched(tmp_path: Path) -> Any:
    async with open_shop(tmp_path) as shop:
        yield Watched(shop, Shifts())


async def test_an_ordinary_job_is_no_news(watched: Watched):
    await watched.past(30)
    await watched.watch.look()
    assert await watched.said() == []


async def test_a_job_out_of_the_ordinary_is_told_once_with_its_evidence(watched: Watched):
    await watched.past(30, machine_id="cnc1", project_id="p7")
    job = await watched.shop.make_job(
        status="completed", duration_seconds=3000.0, end_time=watched.shop.now, machine_id="cnc1", project_id="p7"
    )
    await watched.watch.look()
    await watched.watch.look()
    await watched.another().look()

    ((event, data),) = await watched.said()
    assert (event.type, event.key) == ("metrics:anomaly", f"metrics/anomaly/{job.id}/duration")
    assert event.channels == ("project:p7", "machine:cnc1")
    assert event.version is None
    (evidence,) = [e for e in await watched.shop.stores.log.read(0) if e.key == f"job/{job.id}"]
    assert event.cause is not None
    assert event.cause.endswith(f":{evidence.offset}")
    assert (data["job_id"], data["measure"], data["value"], data["unit"]) == (job.id, "duration", 3000, "s")
    assert data["robust_z"] > 3.5
    assert data["severity"] == "critical"
    assert data["rules"]
    assert data["value"] > data["upper"]
    assert data["n"] == 30


async def test_a_job_that_ended_long_ago_is_no_news(watched: Watched):
    await watched.past(30)
    await watched.watch.look()
    await watched.shop.make_job(status="completed", duration_seconds=9e5, end_time="2026-01-01T10:00:00Z")
    await watched.watch.look()
    assert await watched.said() == []


async def test_an_update_of_an_ended_job_is_not_judged_again(watched: Watched):
    await watched.past(30)
    job = await watched.shop.make_job(status="completed", duration_seconds=3000.0, end_time=watched.shop.now)
    await watched.watch.look()
    await watched.shop.update(job.kind, job.id, note="looked at")
    await watched.watch.look()
    assert len(await watched.said()) == 1


async def test_a_lively_job_that_falls_silent_is_stalled_once_until_it_is_heard_again(watched: Watched):
    job = await watched.shop.make_job(status="running", machine_id="cnc1")
    for step in range(1, 9):
        watched.later(30)
        await watched.shop.update(job.kind, job.id, progress=step / 100)
    await watched.watch.look()
    watched.later(119)
    await watched.watch.look()
    assert await watched.said() == []

    watched.later(1)
    await watched.watch.look()
    await watched.watch.look()
    await watched.another().look()
    stalled = [data for event, data in await watched.said() if event.type == "job:stalled"]
    assert len(stalled) == 1
    assert (stalled[0]["id"], stalled[0]["silent_s"], stalled[0]["expected_s"]) == (job.id, 120, 30)
    assert (stalled[0]["basis"], stalled[0]["n"], stalled[0]["machine_id"]) == ("updates", 8, "cnc1")

    await watched.shop.update(job.kind, job.id, progress=0.5)
    watched.later(150)
    await watched.watch.look()
    assert [event.type for event, _ in await watched.said()].count("job:stalled") == 2


async def test_a_job_that_ends_is_not_stalled(watched: Watched):
    job = await watched.shop.make_job(status="running")
    for step in range(1, 9):
        watched.later(30)
        await watched.shop.update(job.kind, job.id, progress=step / 100)
    await watched.shop.update(job.kind, job.id, status="held", reason="GLUE_DRY")
    watched.later(3000)
    await watched.watch.look()
    assert await watched.said() == []


async def test_a_job_that_only_begins_and_ends_is_stalled_when_none_ever_took_so_long(watched: Watched):
    await watched.past(12)
    job = await watched.shop.make_job(status="running")
    await watched.watch.look()
    watched.later(1.5 * 660)
    await watched.watch.look()
    assert await watched.said() == []
    watched.later(1)
    await watched.watch.look()
    ((event, data),) = await watched.said()
    assert (event.type, data["id"], data["basis"], data["n"]) == ("job:stalled", job.id, "durations", 12)


async def test_a_machine_that_should_be_heard_and_is_not_is_silent(watched: Watched):
    for _ in range(8):
        watched.later(120)
        await watched.shop.make_job(machine_id="cnc1", status="completed", end_time=watched.shop.now)
    await watched.watch.look()
    watched.later(3600)
    await watched.watch.look()
    assert await watched.said() == [], "nothing runs on it, and nobody has said when the shop works"

    await watched.shop.make_job(machine_id="cnc1", status="running")
    await watched.watch.look()
    watched.later(480)
    await watched.watch.look()
    await watched.another().look()
    silent = [(e, data) for e, data in await watched.said() if e.type == "metrics:machine_silent"]
    assert len(silent) == 1
    assert silent[0][0].channels == ("machine:cnc1",)
    assert silent[0][1]["machine_id"] == "cnc1"
    assert (silent[0][1]["silent_s"], silent[0][1]["expected_s"]) == (480, 120)


async def test_within_a_shift_a_machine_is_to_be_heard_and_outside_it_is_not(tmp_path: Path):
    day = Shifts((Shift("day", frozenset(range(1, 8)), time(10), time(16)),))
    async with open_shop(tmp_path) as shop:
        watched = Watched(shop, day)
        for _ in range(8):
            watched.later(120)
            await shop.make_job(machine_id="cnc1", status="completed", end_time=shop.now)
        shop.now = "2026-11-24T15:59:59.000Z"
        await watched.watch.look()
        assert [event.type for event, _ in await watched.said()] == ["metrics:machine_silent"]
        shop.now = "2026-11-24T19:00:00.000Z"
        await watched.another().look()
        shop.now = "2026-11-25T10:05:00.000Z"
        await watched.another().look()
        assert len(await watched.said()) == 1, "the night is no silence"
        shop.now = "2026-11-25T10:08:00.000Z"
        await watched.another().look()


@given(st.lists(st.floats(1, 3600), min_size=FEW_GAPS, max_size=80), st.floats(0, 1e6))
def test_no_silence_is_told_within_its_usual_length(gaps: list[float], silent_s: float):
    cadence, now = Cadence(NOW), from_timestamp(NOW)
    for gap in gaps:
        now += timedelta(seconds=gap)
        cadence.note(to_timestamp(now))
    found = cadence.silence(_after(now, silent_s), least_s=60)
    if found is not None:
        assert found.silent_s >= max(60, FACTOR * found.expected_s) - 0.002
        assert found.expected_s <= max(gaps) + 0.002


def _after(moment: Any, seconds: float) -> Timestamp:
    return to_timestamp(moment + timedelta(seconds=seconds))


def test_nights_are_no_usual_gap_and_a_clock_put_back_is_none():
    cadence = Cadence(NOW)
    for seconds in (60, 60 + 50_000, 120, 180, 240, 300):
        cadence.note(add_seconds(NOW, seconds))
    assert max(cadence.gaps_s) == 60
    assert cadence.silence(add_seconds(NOW, -1000), least_s=1) is None


async def test_a_running_server_tells_what_it_finds(tmp_path: Path):
    async with open_server(tmp_path, watch_interval_s=0.05) as server:
        for number in range(30):
            end = utc_now()
            body = {
                "job_type": "slice",
                "status": "completed",
                "duration_seconds": 600 + number * 3 % 7,
                "end_time": end,
            }
            await server.make(JOBS, body)
        job = await server.make(JOBS, body | {"duration_seconds": 9000})
        async with asyncio.timeout(20):
            while not (found := await anomalies(server)):
                await asyncio.sleep(0.05)
    assert [event["data"]["job_id"] for event in found] == [job["id"]]
    assert found[0]["actor"] == "system"


async def anomalies(server: Server) -> list[dict[str, Any]]:
    answer = await server.client.get("/api/rmos/monitor/events", params={"filters": "metrics"})
    return answer.json()["events"]

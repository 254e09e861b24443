"""Shifts: whose a moment is, how long they are, and the figures by them."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmos.analytics.facts import Dimension
from rmos.analytics.shifts import Shift, Shifts, every_day
from rmos.clock import to_timestamp
from rmos.domain.entities import JOBLOG
from rmos.services import entities
from rmos.services.analytics.shop import shop
from rmos.services.context import Context
from rmos.stores.sqlite import open_sqlite
from tests.analytics.support import BERLIN, ask
from tests.web.shops import is_problem, open_shop


@pytest.mark.parametrize(
    ("moment", "shift"),
    [
        ("2026-11-24T05:00:00.000Z", "early"),  # Tuesday, 06:00 in Berlin
        ("2026-11-24T12:59:59.999Z", "early"),
        ("2026-11-24T13:00:00.000Z", "late"),
        ("2026-11-24T21:00:00.000Z", "night"),
        ("2026-11-28T04:59:59.999Z", "night"),  # Saturday morning: of the night that began on Friday
        ("2026-11-28T05:00:00.000Z", None),
        ("2026-11-23T04:00:00.000Z", None),  # Monday morning: the night of Sunday is none
        ("2026-07-07T04:00:00.000Z", "early"),  # summer time
    ],
)
def test_a_moment_belongs_to_the_shift_of_the_place(moment: str, shift: str | None):
    assert BERLIN.shift_of(moment) == shift


def test_a_shop_that_has_not_said_has_no_shifts():
    assert not Shifts()
    assert Shifts().shift_of("2026-11-24T05:00:00.000Z") is None
    assert Shifts().planned_s(["2026-11-24"]) == {}


def test_a_week_is_planned_by_shift():
    week = [f"2026-11-{day}" for day in range(23, 30)]
    assert BERLIN.planned_s(week) == {"early": 5 * 8 * 3600, "late": 5 * 8 * 3600, "night": 5 * 8 * 3600}


def test_the_night_in_which_the_clock_is_put_back_is_an_hour_longer():
    sunday = Shifts((Shift("night", frozenset({6}), time(22), time(6)),), "Europe/Berlin")
    assert sunday.planned_s(["2026-10-24"]) == {"night": 9 * 3600}
    assert sunday.planned_s(["2026-03-28"]) == {"night": 7 * 3600}


@given(st.floats(0, 24), st.sets(st.integers(1, 7), min_size=1))
def test_every_day_has_its_hours(hours: float, weekdays: set[int]):
    week = [f"2026-11-{day}" for day in range(23, 30)]
    planned = every_day(frozenset(weekdays), hours).planned_s(week)
    assert sum(planned.values()) == pytest.approx(hours * 3600 * len(weekdays), abs=0.01)


@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)))  # noqa: DTZ001 -- UTC is given below
def test_round_the_clock_no_moment_of_a_working_day_is_lost(moment: datetime):
    around = Shifts(tuple(Shift(s.name, frozenset(range(1, 8)), s.start, s.end) for s in BERLIN.shifts), BERLIN.zone)
    assert around.shift_of(to_timestamp(moment.replace(tzinfo=UTC))) is not None


async def test_jobs_are_added_up_by_the_shift_in_which_they_ended(tmp_path: Path) -> None:
    stores = await open_sqlite(tmp_path / "rmos.db", on_commit=lambda: None, shifts=BERLIN)
    for end in ("2026-11-24T06:00:00Z", "2026-11-24T12:00:00Z", "2026-11-24T14:00:00Z", "2026-11-21T12:00:00Z"):
        fields = {"job_type": "slice", "status": "completed", "end_time": end, "duration_seconds": 3600}
        fields |= {"machine_id": "cnc1"}
        context = Context("tester", None, "2026-11-24T20:00:00.000Z")
        await stores.write(lambda tx, fields=fields, context=context: entities.create(tx, JOBLOG, fields, context))

    totals = await stores.figures(lambda f: {t.value: t.jobs for t in f.totals(Dimension.SHIFT)})
    found = await stores.figures(lambda f: shop(f, by="shift", days=1, shifts=BERLIN, now="2026-11-24T20:00:00.000Z"))

    assert totals == {"early": 2, "late": 1, None: 1}
    groups = {group["shift"]: group for group in found["groups"]}
    assert groups["early"]["availability"] == pytest.approx(2 / 8)
    assert groups["late"]["availability"] == pytest.approx(1 / 8)
    assert groups["night"]["availability"] == 0
    assert found["total"]["elements"]["pbt_s"] == 24 * 3600
    await stores.close()


async def test_other_shifts_are_counted_anew(tmp_path: Path) -> None:
    for shifts, expected in ((Shifts(), None), (BERLIN, "early"), (BERLIN, "early"), (Shifts(), None)):
        stores = await open_sqlite(tmp_path / "rmos.db", on_commit=lambda: None, shifts=shifts)
        context = Context("tester", None, "2026-11-24T20:00:00.000Z")
        fields = {"job_type": "slice", "status": "completed", "end_time": "2026-11-24T06:00:00Z"}
        await stores.write(lambda tx, fields=fields, context=context: entities.create(tx, JOBLOG, fields, context))
        values = await stores.figures(lambda f: {t.value for t in f.totals(Dimension.SHIFT)})
        assert values == {expected}
        await stores.close()


async def test_the_settings_say_when_machines_are_planned(tmp_path: Path) -> None:
    shifts = [{"name": "day", "days": [1, 2, 3, 4, 5, 6, 7], "start": "06:00", "end": "18:00"}]
    async with open_shop(tmp_path / "shifts", shifts=shifts, time_zone="Europe/Berlin") as running:
        now = to_timestamp(datetime.now(UTC) - timedelta(seconds=1))
        body = {"job_type": "slice", "status": "completed", "machine_id": "cnc1", "end_time": now}
        await running.make("/api/rmos/stores/joblogs", body)
        configured = await ask(running, "shop", days=1)
        asked = await ask(running, "shop", days=1, hours_per_day=4, weekdays="1,2,3,4,5,6,7")
        by_shift = await ask(running, "shop", days=1, by="shift")
        bad = await running.client.get("/api/analytics/shop", params={"by": "week"})
    async with open_shop(tmp_path / "none") as running:
        without = await ask(running, "shop", days=1)

    assert configured["total"]["elements"]["pbt_s"] == 12 * 3600
    assert asked["total"]["elements"]["pbt_s"] == 4 * 3600
    assert [told["planned_by"] for told in (configured, asked, without)] == ["shifts", "hours", "hours"]
    assert configured["shifts"] == asked["shifts"] == shifts
    assert without["shifts"] == []
    assert "day" in {group["shift"] for group in by_shift["groups"]}
    assert is_problem(bad, 422, "invalid")
    assert "shift" in bad.json()["errors"][0]["detail"]

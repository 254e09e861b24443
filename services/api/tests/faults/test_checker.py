"""Each invariant is found broken when it is: a run in which all is well, and then one thing in it is made wrong."""

from __future__ import annotations

import asyncio
import copy
import shutil
import sqlite3
from array import array
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from soak.checker import Evidence, Memory, violations
from soak.crash import Ordeal
from soak.journal import Heard, Outcome, Stretch
from soak.listener import hang_up
from soak.servers import Nursery

FIRST_EVENT = '(SELECT min("offset") FROM events)'


@pytest.fixture(scope="module")
def run(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    """What a run left in which nothing went wrong."""

    async def live() -> Evidence:
        place = await nursery.place(tmp_path_factory.mktemp("good") / "data", RMOS_AUTH="required")
        ordeal = await Ordeal.on(place, writers=2, listeners=5)
        server = await place.serve()
        await ordeal.live_through(server, 30)
        assert await ordeal.settle(server) == []
        await hang_up(ordeal.listeners)
        await place.stop()
        await place.close()
        return Evidence(
            place.database,
            epoch=ordeal.epoch,
            writes=list(ordeal.journal.writes.values()),
            listeners=[listener.heard for listener in ordeal.listeners],
            starts_s=place.starts_s,
        )

    return asyncio.run(live())


@pytest.fixture
def good(run: Evidence, tmp_path: Path) -> Evidence:
    """A copy of it, to be made wrong."""
    return replace(copy.deepcopy(run), database=Path(shutil.copy(run.database, tmp_path)))


def found(evidence: Evidence) -> set[str]:
    return {violation.invariant for violation in violations(evidence)}


def tamper(database: Path, sql: str) -> None:
    with sqlite3.connect(database) as connection:
        connection.execute(sql)
    connection.close()


def test_a_good_run_breaks_nothing(good: Evidence) -> None:
    assert violations(good) == []


@pytest.mark.parametrize(
    ("sql", "invariant"),
    [
        (f'DELETE FROM events WHERE "offset" = {FIRST_EVENT}', "I1"),
        ("UPDATE patterns SET version = version + 1", "I2"),
        ("UPDATE patterns SET body = CAST('{}' AS BLOB)", "I2"),
        (f'UPDATE events SET version = 7 WHERE "offset" = {FIRST_EVENT}', "I3"),
        (
            'INSERT INTO events ("offset", type, category, key, version, actor, timestamp, data, hash)'
            f" SELECT head + 1, type, category, key, version, actor, timestamp, data, events.hash"
            f' FROM events, log_head WHERE "offset" = {FIRST_EVENT}',
            "I3",
        ),
        ("UPDATE log_head SET head = head + 1", "I4"),
        ("UPDATE log_head SET epoch = 'other'", "I4"),
    ],
)
def test_a_wrong_database_is_seen(good: Evidence, sql: str, invariant: str) -> None:
    tamper(good.database, sql)

    assert invariant in found(good)


def test_a_refused_write_that_happened_is_seen(good: Evidence) -> None:
    writes = list(good.writes or ())
    refused = [replace(writes[0], outcome=Outcome.REFUSED), *writes[1:]]

    assert found(replace(good, writes=refused)) == {"I2"}


def test_an_event_of_nobody_is_seen(good: Evidence) -> None:
    assert found(replace(good, writes=list(good.writes or ())[1:])) == {"I2"}


def _without_an_event(stretch: Stretch) -> None:
    del stretch.offsets[3], stretch.sums[3]


def _twice(stretch: Stretch) -> None:
    stretch.offsets.insert(3, stretch.offsets[3])
    stretch.sums.insert(3, stretch.sums[3])


def _other_bytes(stretch: Stretch) -> None:
    stretch.sums = array("Q", [*stretch.sums[:-1], stretch.sums[-1] ^ 1])


@pytest.mark.parametrize(
    ("change", "invariant"), [(_without_an_event, "I5"), (_twice, "I5"), (_other_bytes, "I4")], ids=lambda it: str(it)
)
def test_a_wrong_stream_is_seen(good: Evidence, change: Callable[[Stretch], None], invariant: str) -> None:
    change(good.listeners[0].stretches[0])

    assert found(good) == {invariant}


@pytest.mark.parametrize(
    ("fields", "invariant"),
    [
        ({"filters": ("job",)}, "I5"),
        ({"allowed": ("machine:other",)}, "I8"),
        ({"state": {"pattern/none": {}}}, "I7"),
        ({"broken": ["another epoch came"]}, "I6"),
    ],
)
def test_a_listener_that_heard_what_it_must_not_is_seen(good: Evidence, fields: dict[str, Any], invariant: str) -> None:
    heard: Heard = replace(good.listeners[0], **({"state": None} | fields))

    assert found(replace(good, listeners=[heard])) == {invariant}


def test_a_place_lost_without_a_word_is_seen(good: Evidence) -> None:
    heard = good.listeners[0]
    heard.state = None
    upto = heard.stretches[0].upto
    heard.stretches.append(Stretch(good.epoch or "", upto, upto))

    assert found(good) == {"I6"}


def test_a_slow_start_and_kept_memory_are_seen(good: Evidence) -> None:
    assert found(replace(good, starts_s=[5.1])) == {"I9"}
    assert found(replace(good, memory=Memory(100, 150, 121))) == {"I10"}
    assert found(replace(good, memory=Memory(100, 151, 119), memory_bound=150)) == {"I10"}

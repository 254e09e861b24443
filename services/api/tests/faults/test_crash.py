"""A server that dies, at random moments or at a chosen one: nothing is lost, nothing comes twice or from nowhere."""

from __future__ import annotations

import signal

import pytest

from soak.crash import Ordeal, run
from soak.listener import hang_up
from soak.servers import Place
from tests.faults.failpoints import AFTER, STATEMENTS


async def test_kills_at_random_moments_under_writers_and_listeners_lose_nothing(guarded_place: Place) -> None:
    ordeal, found = await run(guarded_place, cycles=12, seed=9, check_every=4)

    assert found == []
    assert ordeal.journal.acked > 100
    assert all(listener.heard.events for listener in ordeal.listeners)
    assert all(len(listener.heard.stretches) == 1 for listener in ordeal.listeners), "somebody lost its place"


@pytest.mark.parametrize("point", [*STATEMENTS, *AFTER])
async def test_an_end_at_a_point_around_a_commit_loses_nothing(guarded_place: Place, point: str) -> None:
    ordeal = await Ordeal.on(guarded_place, writers=4, listeners=5)

    for times in (3, 17):
        server = await guarded_place.serve(prepare=["tests.faults.failpoints:die", point, times])
        assert await ordeal.die_by_itself(server) == -signal.SIGKILL
    found = await ordeal.settle(await guarded_place.serve())
    await hang_up(ordeal.listeners)

    assert found == []

"""A wall clock that jumps while the server runs: times are wrong then, and nothing else is."""

from __future__ import annotations

import pytest

from soak.crash import Ordeal
from soak.listener import hang_up
from soak.preload import System
from soak.servers import Nursery
from tests.faults.conftest import Open

HOUR_S = 3600


@pytest.mark.parametrize("jump_s", [-HOUR_S, 24 * HOUR_S], ids=["an hour back", "a day ahead"])
async def test_a_jump_of_the_clock_loses_nothing(
    open_place: Open, frail_nursery: Nursery, system: System, jump_s: int
) -> None:
    place = await open_place(within=frail_nursery, RMOS_AUTH="required", RMOS_HEARTBEAT_S="0.5")
    ordeal = await Ordeal.on(place, writers=4, listeners=5)
    server = await place.serve()
    await ordeal.live_through(server, 20)
    heard = [listener.heard.events for listener in ordeal.listeners]

    system.shift_clock(jump_s)
    try:
        await ordeal.live_through(server, 20)
        found = await ordeal.settle(server)
        frames = (await server.get("/api/rmos/monitor/events?limit=1000"))["events"]
    finally:
        system.shift_clock(0)
    await hang_up(ordeal.listeners)

    assert found == []
    assert all(one.heard.events > before for one, before in zip(ordeal.listeners, heard, strict=True))
    assert all(len(one.heard.stretches) == 1 for one in ordeal.listeners), "somebody lost its place"
    days = {frame["timestamp"][:13] for frame in frames}
    assert len(days) > 1, "the clock did not jump"

"""Clients that are slow, stopped, half gone or too many: others do not notice, and each finally hears everything."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

from soak import connections, slow_consumer, storm
from soak.checker import Evidence, violations
from soak.crowd import Crowd
from soak.journal import Heard
from soak.listener import Listener, catch_up
from soak.load import post_one, post_patterns
from soak.servers import Nursery, Place
from soak.writers import client_for
from tests.faults.conftest import Open
from tests.faults.listening import listening
from tests.monitor.raw_client import RawClient

WAIT_S = 60


async def test_a_stalled_client_costs_the_server_nothing_and_misses_nothing(nursery: Nursery, tmp_path: Path) -> None:
    seen = await slow_consumer.run(nursery, tmp_path, clients=50, rounds=1, events=20)

    assert seen.found == []


async def test_a_client_that_reads_a_kilobyte_a_second_does_not_hold_up_the_others(
    place: Place, listeners: list[Listener]
) -> None:
    server = await place.serve()
    others = await listening(server, listeners, 30)
    slow = Listener(Heard("the slow one"))
    listeners.append(slow)
    await slow.connect(server.port, receive_buffer_bytes=slow_consumer.RECEIVE_BUFFER_BYTES)
    await asyncio.wait_for(slow.until(lambda: slow.is_open), WAIT_S)

    before = server.resident_bytes()
    dripping = asyncio.create_task(drip(slow))
    head = await post_patterns(server, 1000, size_bytes=1000)
    await asyncio.wait_for(asyncio.gather(*(one.reach(head) for one in others)), WAIT_S)
    was_behind = slow.position < head
    grown = server.resident_bytes() - before
    dripping.cancel()
    slow.resume()
    await asyncio.wait_for(slow.reach(head), WAIT_S)

    assert was_behind
    assert grown < connections.BYTES_BESIDE
    assert violations(Evidence(place.database, listeners=[one.heard for one in listeners])) == []


async def drip(slow: Listener) -> None:
    """Read a little, now and then; its buffer holds four kilobytes."""
    while True:
        slow.pause()
        await asyncio.sleep(4)
        slow.resume()
        await asyncio.sleep(0)


async def test_half_of_the_clients_stopped_for_a_while_hear_everything_when_they_go_on(
    place: Place, tmp_path: Path
) -> None:
    server = await place.serve()
    with Crowd(server.port, 50) as running, Crowd(server.port, 50) as stopped:
        for crowd in (running, stopped):
            await asyncio.to_thread(crowd.ask, "connect", at_once=50)

        os.kill(stopped.process, signal.SIGSTOP)
        head = await post_patterns(server, 1000, size_bytes=2000)
        await asyncio.to_thread(running.ask, "reach", offset=head, timeout_s=WAIT_S)
        os.kill(stopped.process, signal.SIGCONT)
        await asyncio.to_thread(stopped.ask, "reach", offset=head, timeout_s=WAIT_S)
        counts = [await asyncio.to_thread(crowd.ask, "count") for crowd in (running, stopped)]
        heard = [
            one for crowd in (running, stopped) for one in await asyncio.to_thread(crowd.heard, tmp_path / "heard.json")
        ]

    assert [count["open"] for count in counts] == [50, 50]
    assert violations(Evidence(place.database, listeners=heard)) == []


async def test_a_line_that_is_dead_at_the_other_end_is_dropped(open_place: Open, listeners: list[Listener]) -> None:
    """As after a cut cable: nothing says that it is over, and nothing is answered."""
    place = await open_place(RMOS_PING_INTERVAL_S="1", RMOS_PING_TIMEOUT_S="1")
    server = await place.serve()
    (living,) = await listening(server, listeners)
    dead = await RawClient.open(server.port)

    opcodes = []
    async with asyncio.timeout(40):
        while not opcodes or opcodes[-1] != -1:
            opcodes.append((await dead.receive())[0])  # and a ping is not answered
    await dead.cut()
    head = await post_patterns(server, 1)

    assert opcodes[-3:] == [1, 8, -1], "told, closed, cut"
    await asyncio.wait_for(living.reach(head), WAIT_S)
    assert living.is_open


async def test_a_crowd_that_is_cut_off_and_comes_back_at_once_misses_nothing(nursery: Nursery, tmp_path: Path) -> None:
    took_ms, found = await storm.run(nursery, tmp_path, clients=200, behind=500)

    assert len(took_ms) == 200
    assert found == []


async def test_memory_comes_back_when_a_crowd_has_gone(nursery: Nursery, tmp_path: Path) -> None:
    seen = await connections.run(nursery, tmp_path, connections=400, events=10, rounds=2)

    assert seen.drops == 0
    assert seen.found == []


async def test_connections_beyond_the_limit_are_turned_away_and_harm_nobody(
    open_place: Open, listeners: list[Listener]
) -> None:
    place = await open_place(RMOS_MAX_CONNECTIONS="40")
    server = await place.serve()
    inside = await listening(server, listeners, 30)

    outside = [Listener(Heard(f"too many {i}")) for i in range(200)]
    listeners += outside
    async with client_for(server.url) as client:
        writing = asyncio.gather(*(post_one(client) for _ in range(20)))
        await asyncio.gather(*(one.connect(server.port) for one in outside))
        async with asyncio.timeout(WAIT_S):
            for one in outside:
                await one.until(lambda one=one: one.is_open or one.transport is None)
        answers = await writing
    refused = [one for one in outside if one.closings]
    late = await catch_up(inside, server.port, await server.head())

    assert {answer.status_code for answer in answers} == {201}
    assert len(refused) >= 190
    assert {code for one in refused for code in one.closings} == {4129}
    assert late == []
    assert all(one.is_open and not one.closings for one in inside)
    assert violations(Evidence(place.database, listeners=[one.heard for one in inside])) == []

"""A database that others lock, replace or prune: who cannot be served is told, and nobody is told wrong."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from pathlib import Path

from soak.checker import Evidence, epoch_of, violations
from soak.listener import Listener, catch_up
from soak.load import post_one, post_patterns
from soak.servers import Place
from soak.writers import client_for
from tests.contract.locker import locked_by_another_program
from tests.faults.conftest import Open
from tests.faults.listening import listening

WAIT_S = 60


async def test_a_database_locked_for_ten_seconds_refuses_writes_and_blocks_nobody_else(
    open_place: Open, listeners: list[Listener]
) -> None:
    place = await open_place(RMOS_BUSY_TIMEOUT_S="1", RMOS_HEARTBEAT_S="0.5")
    server = await place.serve()
    (listener,) = await listening(server, listeners)

    async with client_for(server.url) as client:
        with locked_by_another_program(place.database):
            locked_until = asyncio.get_running_loop().time() + 10
            answers = []
            while asyncio.get_running_loop().time() < locked_until:
                answers.append(await post_one(client))
                assert (await client.get("/healthz")).status_code == 200
        after = await post_one(client)

    assert {answer.status_code for answer in answers} == {503}
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in answers)
    assert after.status_code == 201
    await asyncio.wait_for(listener.reach(1), WAIT_S)
    assert await server.head() == 1
    assert violations(Evidence(place.database, listeners=[listener.heard])) == []


async def test_an_older_database_in_its_place_has_a_new_epoch_and_every_client_is_told(
    place: Place, tmp_path: Path, listeners: list[Listener]
) -> None:
    server = await place.serve()
    there = await listening(server, listeners, 10)
    await post_patterns(server, 20)
    await place.stop()
    backup = shutil.copy(place.database, tmp_path / "backup.db")
    server = await place.serve()
    head = await post_patterns(server, 20)
    assert await catch_up(there, server.port, head) == []
    first = epoch_of(place.database)
    await place.stop()

    shutil.copy(backup, place.database)
    server = await place.serve()
    head = await post_patterns(server, 30)
    late = await catch_up(there, server.port, head)

    assert late == []
    assert epoch_of(place.database) != first
    assert [[s.because for s in one.heard.stretches] for one in there] == [["", "epoch_changed"]] * 10
    assert violations(Evidence(place.database, listeners=[one.heard for one in there])) == []


async def test_a_cursor_behind_retention_is_told_so(open_place: Open, listeners: list[Listener]) -> None:
    place = await open_place(RMOS_LOG_KEEP_EVENTS="50", RMOS_RING_EVENTS="256")
    server = await place.serve()
    away, here = await listening(server, listeners, 2)
    await post_patterns(server, 10)
    await asyncio.wait_for(away.reach(10), WAIT_S)
    away.cut()
    await away.gone()

    head = await post_patterns(server, 600)  # more than is kept, also in memory
    async with asyncio.timeout(WAIT_S):
        while await oldest(place) <= 11:  # retention tells nobody
            await asyncio.sleep(0.1)
    late = await catch_up([away, here], server.port, head)

    assert late == []
    assert [stretch.because for stretch in away.heard.stretches] == ["", "expired"]
    assert [stretch.because for stretch in here.heard.stretches] == [""]
    assert violations(Evidence(place.database, listeners=[away.heard, here.heard])) == []


async def oldest(place: Place) -> int:
    """The smallest offset that the log still keeps."""
    connection = sqlite3.connect(place.database)
    try:
        return int(connection.execute("SELECT oldest FROM log_head").fetchone()[0])
    finally:
        connection.close()


async def test_a_second_server_on_the_same_file_is_refused_and_the_first_goes_on(
    open_place: Open, place: Place, listeners: list[Listener]
) -> None:
    server = await place.serve()
    (listener,) = await listening(server, listeners)
    other = await open_place(place.data)

    code = await other.serve_in_vain()
    head = await post_patterns(server, 3)

    assert code == 1
    assert "another RMOS server" in other.errors()
    await asyncio.wait_for(listener.reach(head), WAIT_S)

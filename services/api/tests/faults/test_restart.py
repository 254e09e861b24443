"""A rolling restart under load: whoever is connected is told, nothing is lost, and the next server goes on."""

from __future__ import annotations

import asyncio

from soak.crash import Ordeal
from soak.listener import hang_up
from soak.servers import Place
from soak.writers import client_for


async def test_a_restart_under_load_is_told_and_loses_nothing(guarded_place: Place) -> None:
    ordeal = await Ordeal.on(guarded_place, writers=4, listeners=10)
    codes = []

    for _ in range(3):
        server = await guarded_place.serve()
        await ordeal.live_through(server, 10)
        async with client_for(server.url, token=server.token) as client, asyncio.TaskGroup() as tasks:
            for writer in ordeal.writers:
                tasks.create_task(writer.run(client))
            await ordeal.journal.more(10)
            codes.append(await guarded_place.stop())
        async with asyncio.timeout(30):
            await asyncio.gather(*(listener.gone() for listener in ordeal.listeners))
    found = await ordeal.settle(await guarded_place.serve())
    await hang_up(ordeal.listeners)

    assert codes == [0, 0, 0]
    assert all(listener.closings == [1012] * 3 for listener in ordeal.listeners)
    assert found == []

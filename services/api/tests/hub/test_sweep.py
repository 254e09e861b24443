"""Heartbeats, pings and the end of connections that do not answer or do not move."""

from __future__ import annotations

import asyncio

from tests.hub.fakes import RecordingSink, open_shop


async def until(condition, *, within_s: float = 5.0) -> None:
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.005)


def is_closed_with(sink: RecordingSink, code: int):
    return lambda: sink.closed_with is not None and sink.closed_with[0] == code


async def test_version_2_clients_get_heartbeats_that_move_a_narrow_cursor_on():
    async with open_shop(heartbeat_s=0.02) as shop:
        client = shop.connect('{"action":"subscribe","filters":["pattern"]}')
        shop.write(7, "job:updated")

        await until(lambda: client.system("heartbeat") and client.system("heartbeat")[-1]["offset"] == 7)

        assert client.system("heartbeat")[-1]["lag"] == 0
        assert client.offsets() == []


async def test_version_1_clients_get_no_heartbeat():
    async with open_shop(heartbeat_s=0.01) as shop:
        old = shop.connect('{"action":"subscribe"}', is_v2=False)
        new = shop.connect('{"action":"subscribe"}')

        await until(lambda: len(new.system("heartbeat")) >= 3)

        assert old.system("heartbeat") == []


async def test_a_silent_client_is_pinged_and_closed_with_4008_when_it_does_not_answer():
    async with open_shop(ping_interval_s=0.02, ping_timeout_s=0.05) as shop:
        silent = shop.connect()
        answering = shop.connect()

        def answer() -> bool:
            if answering.subscriber.pinged_at is not None:
                shop.hub.heard(answering.subscriber)
            return silent.closed_with is not None

        await until(answer)

        assert is_closed_with(silent, 4008)()
        assert silent.pings == 1
        assert answering.closed_with is None
        assert answering.pings >= 1


async def test_a_client_that_takes_nothing_is_closed_with_4108():
    async with open_shop(stall_timeout_s=0.05) as shop:
        stalled = shop.connect('{"action":"subscribe"}', capacity=10)
        shop.write(1)

        await until(is_closed_with(stalled, 4108))


async def test_a_client_that_takes_a_little_is_kept():
    async with open_shop(stall_timeout_s=0.1) as shop:
        slow = shop.connect('{"action":"subscribe"}', capacity=10)
        stalled = shop.connect('{"action":"subscribe"}', capacity=10)
        shop.write(1)
        await until(lambda: slow.subscriber.is_paused and stalled.subscriber.is_paused)

        def trickle() -> bool:
            slow.held -= 1
            return stalled.closed_with is not None

        await until(trickle)

        assert slow.closed_with is None

"""§9, and what only heartbeats show: these checks mostly wait."""

from __future__ import annotations

import asyncio

from rules import Wait, check, expect, expect_equal, miss
from wire import CLOSE, PING, Socket
from world import World

PING_WAIT_S = 50.0
"""The default period of pings, and as much again for the answer, with something to spare."""


@check("LIV-01")
async def heartbeats_come(world: World) -> None:
    period = await world.heartbeat_s()
    for query in ("", "filters=pattern"):
        async with world.open(query, subprotocols=["rmos.monitor.v2"]) as socket:
            socket.accepted()
            for _ in range(2):
                await heartbeat(socket, period)


async def heartbeat(socket: Socket, period: float) -> dict[str, object]:
    """The data of the next heartbeat; other frames are passed over."""
    async with asyncio.timeout(period * 2 + 2):
        while (frame := await socket.next(period * 2 + 2))["type"] != "system:heartbeat":
            pass
    data: dict[str, object] = frame["data"]
    expect_equal(sorted(data), ["lag", "offset", "time"], "the keys of data")
    return data


@check("LIV-02")
async def heartbeats_move_a_narrow_cursor(world: World) -> None:
    period = await world.heartbeat_s()
    async with world.open("filters=material", subprotocols=["rmos.monitor.v2"]) as socket:
        socket.accepted()
        for _ in range(3):
            await world.create("patterns")
        _, head, _ = await world.head()
        for _ in range(4):
            data = await heartbeat(socket, period)
            expect(int(str(data["lag"])) >= 0, f"lag is {data['lag']}")
            if int(str(data["offset"])) >= head:
                return
        miss(f"the heartbeat's offset stays below {head}")


@check("SUB-01", "V1-16")
async def only_version_2_gets_heartbeats(world: World) -> None:
    period = await world.heartbeat_s()
    async with world.client(filters=[]) as old, world.client(filters=[]) as risen:
        await risen.ask({"action": "ping", "id": "1"}, "pong")
        for _ in range(2):
            await heartbeat(risen, period)
        await risen.ask({"action": "subscribe", "filters": []}, "subscribed")
        await heartbeat(risen, period)
        await old.ask({"action": "ping"}, "pong")
        expect(not any("system:heartbeat" in text for text in old.texts), "a heartbeat came to version 1")
        old.send_text('{"action":"subscribe","channels":["refused"]}')
        await old.next_of("system:error")
        await heartbeat(risen, period)
        await heartbeat(risen, period)
        await old.ask({"action": "ping"}, "pong")
        expect(not any("system:heartbeat" in text for text in old.texts), "a refused command raised the version")


@check("LIV-03")
async def the_silent_are_pinged_and_then_closed(world: World) -> None:
    if not world.is_slow:
        raise Wait("pings come after 20 s by default: use --slow")
    async with world.client() as socket:
        for _ in range(2):
            while (frame := await socket.receive(PING_WAIT_S)).opcode != PING:
                expect(frame.opcode != CLOSE, f"closed with {frame.code} instead of a ping")
        socket.answers_pings = False
        while (frame := await socket.receive(PING_WAIT_S)).opcode != CLOSE:
            pass
        expect_equal(frame.code, 4008, "the close code")


ALL = (
    heartbeats_come,
    heartbeats_move_a_narrow_cursor,
    only_version_2_gets_heartbeats,
    the_silent_are_pinged_and_then_closed,
)

"""§10: how connections end, and what is limited."""

from __future__ import annotations

import json

from rules import check, expect, expect_equal
from wire import PONG, Socket, client_frame
from world import World

BIG = {"blob": "x" * 100_000}


async def farewell(socket: Socket, code: int, *, reconnect: bool) -> None:
    """The server says why it closes, and closes so."""
    closed = await socket.closed()
    expect_equal(closed.code, code, "the close code")
    last = json.loads(socket.texts[-1])
    expect_equal(last["type"], "system:closing", "the last frame")
    expect_equal(list(last["data"]), ["code", "reason", "reconnect", "retry_after"], "its keys")
    expect_equal((last["data"]["code"], last["data"]["reconnect"]), (code, reconnect), "code and reconnect")
    expect(last["data"]["reason"], "no reason is given")
    await socket.ended()


@check("CLS-01", "CLS-02")
async def the_server_says_why_it_closes(world: World) -> None:
    async with world.open(headers={"Origin": "https://evil.example"}) as socket:
        await farewell(socket.accepted(), 4403, reconnect=False)
    async with world.open(subprotocols=["chat"]) as socket:
        await farewell(socket.accepted(), 4400, reconnect=False)
    async with world.client(filters=["all"]) as socket:
        socket.send_text(*["["] * 20)
        await farewell(socket, 4400, reconnect=False)


@check("LIM-02")
async def too_fast_is_told(world: World) -> None:
    async with world.client(filters=["material"]) as socket:
        socket.send(*[{"action": "ping", "id": str(number)} for number in range(29)])
        for number in range(29):
            expect_equal((await socket.next_of("system:pong"))["data"]["id"], str(number), "the pong")
        # The allowance grows while we talk, so the first refusal comes within a few more.
        refused = None
        while refused is None:
            frame = await _ping(socket)
            refused = frame["data"] if frame["type"] == "system:error" else None
        expect_equal((refused["code"], refused["temporary"]), ("rate_limited", True), "code and temporary")
        expect(refused["retry_after"] > 0, f"retry_after is {refused['retry_after']}")


async def _ping(socket: Socket) -> dict[str, dict[str, object]]:
    socket.send({"action": "ping"})
    return await socket.next_of("system:pong", "system:error")


@check("LIM-03")
async def much_too_fast_is_the_end(world: World) -> None:
    async with world.client() as socket:
        socket.send(*[{"action": "ping"}] * 80)
        await farewell(socket, 4429, reconnect=False)


@check("LIM-05")
async def a_flood_of_frames_is_the_end(world: World) -> None:
    async with world.client() as socket:
        socket.send_bytes(client_frame(PONG, b"") * 400)
        expect_equal((await socket.closed()).code, 4429, "the close code")


@check("LIM-04")
async def a_client_that_does_not_read_delays_nobody_and_misses_nothing(world: World) -> None:
    async with world.client(filters=["pattern"]) as stalled, world.client(filters=["pattern"]) as reader:
        stalled.stall()
        data = {"name": "conformance big", "ring_count": 1, "geometry": {}, "metadata": BIG}
        for _ in range(2):
            operations = [{"op": "create", "entity": "pattern", "data": data}] * 100
            answer = await world.request("POST", "/api/rmos/stores/bulk", {"operations": operations})
            expect_equal(answer.status, 200, "the status of bulk")
        last = (await world.create("patterns"))["id"]
        live = await _offsets_until(world, reader, last)
        stalled.resume()
        late = await _offsets_until(world, stalled, last)
    expect(len(live) >= 201, f"only {len(live)} events came")
    expect_equal(late, live, "the offsets that the stalled one got")


async def _offsets_until(world: World, socket: Socket, entity_id: str) -> list[int]:
    await world.event(socket, entity_id)
    return [frame["offset"] for text in socket.texts if "offset" in (frame := json.loads(text))]

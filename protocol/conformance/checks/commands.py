"""§4: commands and what bad ones get. The vectors of commands.json are put to the server as they are."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

from rules import Check, check, expect, expect_equal
from wire import BINARY, TEXT, Frame, Socket, client_frame
from world import Json, World, join, vectors

COMMANDS_A_CONNECTION = 15
"""Fewer than the bad ones in a row that end a connection, and than the burst that is allowed."""


async def put(socket: Socket, vector: Json) -> None:
    """Send a vector of commands.json; a miss when the answer is another one."""
    socket.send_text(join(vector["raw"]))
    name = vector["name"]
    if "error" in vector:
        data = (await _answer(socket, "system:error"))["data"]
        expect_equal((data["code"], data["id"]), (vector["error"], vector["id"]), f"code and id for {name!r}")
        return
    command = vector["command"]
    if command["action"] == "ping":
        data = (await _answer(socket, "system:pong"))["data"]
        expect_equal(data, {} if command["id"] is None else {"id": command["id"]}, f"data for {name!r}")
        return
    data = (await _answer(socket, "system:subscribed"))["data"]
    wanted = {"filters": command.get("filters", []), "channels": command.get("channels"), "id": command["id"]}
    wanted |= {"types": command.get("types"), "mode": command.get("mode", "stream")}
    expect_equal({key: data[key] for key in wanted}, wanted, f"the answer to {name!r}")


_BESIDES = ("system:heartbeat", "system:caught_up", "system:gap", "system:conflated", "system:snapshot")


async def _answer(socket: Socket, kind: str) -> Frame:
    """The next answer; events and the end of the replay before it belong to a subscription of an earlier vector."""
    while True:
        frame = await socket.next()
        if frame["type"].startswith("system:") and frame["type"] not in _BESIDES:
            expect_equal(frame["type"], kind, "the answer")
            return frame


def by_vectors(rule: str) -> Check:
    """A check that puts every vector of the rule to the server."""

    async def run(world: World) -> None:
        wanted = [vector for vector in vectors("commands.json") if rule in vector["rules"]]
        expect(wanted, "no vector names this rule")
        for first in range(0, len(wanted), COMMANDS_A_CONNECTION):
            async with world.client() as socket:
                for vector in wanted[first : first + COMMANDS_A_CONNECTION]:
                    await put(socket, vector)

    return run


VECTOR_RULES = [
    *(f"CMD-{number:02}" for number in (1, *range(4, 13), 15, 16, 17, 18)),
]
for _rule in VECTOR_RULES:
    check(_rule)(by_vectors(_rule))


@check("CMD-13")
async def binary_messages_are_refused(world: World) -> None:
    async with world.client(filters=["pattern"]) as socket:
        for payload in (b"", b"\x00\xff", b'{"action":"ping"}', os.urandom(65_536)):
            socket.send_bytes(client_frame(BINARY, payload))
            expect_equal((await socket.next_of("system:error"))["data"]["code"], "binary_not_supported", "the code")


@check("CMD-02")
async def after_an_error_everything_is_as_before(world: World) -> None:
    async with world.client(filters=["material"]) as socket:
        for text in (
            "[",
            "{}",
            '{"action":"subscribe","filters":null}',
            '{"action":"subscribe","filters":["pattern","x"]}',
        ):
            socket.send_text(text)
            data = (await socket.next_of("system:error"))["data"]
            expect_equal(list(data), ["id", "code", "message", "temporary", "retry_after"], "the keys of data")
            expect(
                isinstance(data["message"], str) and len(data["message"]) > 10, f"the message is {data['message']!r}"
            )
            expect_equal((data["temporary"], data["retry_after"]), (False, None), "temporary and retry_after")
        expect(
            "pattern" in data["message"] and "material" in data["message"], f"{data['message']!r} does not say what is"
        )
        await world.silent(socket)
        made = await world.create("strip-families")
        expect_equal((await socket.next_of("material:created"))["data"]["id"], made["id"], "data.id")


@check("CMD-03")
async def bad_input_disturbs_nobody_else(world: World) -> None:
    async with world.client(filters=["pattern"]) as other:
        made: list[str] = []
        for spoil in _SPOILERS:
            async with world.client(filters=["all"]) as bad:
                bad.send_bytes(spoil())
                await bad.flushed()
                made.append((await world.create("patterns"))["id"])
                async with asyncio.timeout(5):
                    expect_equal(
                        (await other.next_of("pattern:created"))["data"]["id"], made[-1], "what another client saw"
                    )


_SPOILERS: tuple[Callable[[], bytes], ...] = (
    lambda: client_frame(TEXT, b'{"action":"subscribe","filters":null}'),
    lambda: client_frame(TEXT, b"[" * 10_000),
    lambda: client_frame(TEXT, b"\xff\xfe"),
    lambda: client_frame(TEXT, b"x" * 65_537),
    lambda: client_frame(BINARY, b"\x00" * 1000),
    lambda: client_frame(TEXT, b'["subscribe"]'),
    lambda: client_frame(TEXT, b'{"action":') * 40,
    lambda: b"\x00" * 1000,
    lambda: client_frame(0x3, b"x"),
    lambda: client_frame(TEXT, b"a", is_final=False) * 100,
    lambda: client_frame(0x9, b"x" * 125) * 200,
)


@check("CMD-14")
async def twenty_bad_commands_in_a_row_are_the_end(world: World) -> None:
    async with world.client() as socket:
        for _ in range(19):
            socket.send_text("[")
            await socket.next_of("system:error")
        await socket.ask({"action": "ping"}, "pong")
    async with world.client() as socket:
        for _ in range(20):
            socket.send_text("[")
            await socket.next_of("system:error")
        expect_equal((await socket.closed()).code, 4400, "the close code")

"""§5: bytes of RFC 6455. The vectors of frames.json are put to the server as they are."""

from __future__ import annotations

import asyncio
import json

from rules import Check, check, expect, expect_equal, miss
from wire import CLOSE, PING, PONG, TEXT, WAIT_S, EndOfStreamError, Received, Socket, client_frame
from world import Json, World, join, vectors


async def put(world: World, vector: Json, *, is_fault_answered: bool) -> None:
    """Send a vector of frames.json; a miss when the server answers otherwise than its events demand.

    `is_fault_answered`: what came before a fault must get its answer too.
    """
    name, events = vector["name"], vector["events"]
    is_end = vector["close"] is not None or "close" in events[-1]
    async with world.client() as socket:
        for chunk in vector["chunks"]:
            socket.send_bytes(bytes.fromhex(join(chunk)))
            await socket.flushed()
        wanted = [error for event in events if (error := _error_of(event))]
        pings = [bytes.fromhex(event["ping"]) for event in events if "ping" in event]
        if not is_end:
            pings.append(b"still there")
            socket.send_bytes(client_frame(PING, pings[-1]))
        errors, pongs, closed = await _answers(socket, len(wanted), None if is_end else pings[-1])
        if vector["close"] is None or is_fault_answered:
            expect_equal(errors, wanted, f"what the messages got for {name!r}")
        expect(set(pongs) <= set(pings), f"the pongs are {pongs} for {name!r}")
        expect_equal(closed is not None, is_end, f"whether it was closed for {name!r}")
        if closed is None:
            return
        code = vector["close"] or events[-1]["close"]
        # A close without a code has none to echo; 1000 says the same.
        expect(closed.code == code or (code is None and closed.code == 1000), f"closed with {closed.code} for {name!r}")


async def _answers(
    socket: Socket, messages: int, last_pong: bytes | None
) -> tuple[list[str], list[bytes], Received | None]:
    """Codes of the errors, payloads of the pongs and the close frame, if any.

    Reads to the close where `last_pong` is None, else until all messages have their error and the last ping its pong:
    answers of the two kinds may overtake each other.
    """
    errors: list[str] = []
    pongs: list[bytes] = []
    deadline = asyncio.get_running_loop().time() + WAIT_S
    while last_pong is None or last_pong not in pongs or len(errors) < messages:
        frame = await socket.receive(max(0.0, deadline - asyncio.get_running_loop().time()))
        match frame.opcode:
            case 0x1:
                message = json.loads(frame.payload)
                errors += [message["data"]["code"]] if message["type"] == "system:error" else []
            case 0x8:
                return errors, pongs, frame
            case 0xA:
                pongs.append(frame.payload)
    return errors, pongs, None


def _error_of(event: Json) -> str | None:
    """The error that a message of the vectors gets: none of them is a command."""
    if "binary" in event:
        return "binary_not_supported"
    if "text" not in event:
        return None
    try:
        json.loads(join(event["text"]))
    except ValueError:
        return "invalid_json"
    return "invalid_command"


async def _next_pong(socket: Socket) -> bytes:
    try:
        while (frame := await socket.receive()).opcode != PONG:
            if frame.opcode == CLOSE:
                miss(f"closed with {frame.code} instead of a pong")
    except EndOfStreamError:
        miss("the connection ended instead of a pong")
    return frame.payload


def by_vectors(rule: str) -> Check:
    """A check that puts every vector of the rule to the server."""

    async def run(world: World) -> None:
        wanted = [v for v in vectors("frames.json", "client") if rule in v["rules"]]
        expect(wanted, "no vector names this rule")
        for vector in wanted:
            if vector["events"] or vector["close"]:  # what is left unfinished gets no answer
                await put(world, vector, is_fault_answered=rule == "FRM-14")

    return run


for _rule in (f"FRM-{number:02}" for number in (*range(1, 11), 14)):
    check(_rule)(by_vectors(_rule))


@check("FRM-11")
async def pings_are_answered(world: World) -> None:
    async with world.client(filters=["pattern"]) as socket:
        for payload in (b"", b"hello", bytes(125)):
            socket.send_bytes(client_frame(PING, payload))
            expect_equal(await _next_pong(socket), payload, "the payload of the pong")
        socket.send_bytes(b"".join(client_frame(PING, b"%d" % number) for number in range(30)))
        while await _next_pong(socket) != b"29":
            pass


@check("FRM-12")
async def a_close_is_echoed_and_ends_the_connection(world: World) -> None:
    for code in (1000, 1001, 3000, 4999):
        async with world.client(filters=[]) as socket:
            socket.send_bytes(client_frame(CLOSE, code.to_bytes(2, "big") + "Feierabend ☕".encode()))
            socket.send_bytes(client_frame(TEXT, b'{"action":"ping"}'))
            frame = await socket.receive()
            expect_equal((frame.opcode, frame.code), (CLOSE, code), "the answer")
            await socket.ended()
    async with world.client() as socket:
        socket.send_bytes(client_frame(CLOSE, b""))
        expect_equal((await socket.receive()).opcode, CLOSE, "the answer to a close without code")
        await socket.ended()

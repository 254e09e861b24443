"""The opening handshake (RFC 6455, 4.2): who asks well is let in, who does not is refused in HTTP."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.monitor.raw_client import TEXT, TIMEOUT_S, RawClient
from tests.processes import Server

GOOD = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
}


async def ask(server: Server, first_line: str, headers: dict[str, str], *, before: bytes = b"") -> RawClient:
    """Send a handshake, after another request where there is one; the client holds the answer to the last."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    lines = [first_line, f"Host: 127.0.0.1:{server.port}", *[f"{name}: {value}" for name, value in headers.items()]]
    async with asyncio.timeout(TIMEOUT_S):
        if before:
            writer.write(before)
            await reader.readuntil(b"}")
        writer.write("\r\n".join([*lines, "", ""]).encode())
        answer = await reader.readuntil(b"\r\n\r\n")
    return RawClient(reader, writer, answer.decode())


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"Sec-WebSocket-Key": None}, 400),
        ({"Sec-WebSocket-Key": "short"}, 400),
        ({"Sec-WebSocket-Key": "c2hvcnQ="}, 400),
        ({"Sec-WebSocket-Version": None}, 400),
        ({"Sec-WebSocket-Version": "8"}, 400),
        ({"Connection": "keep-alive"}, 426),
        ({"Upgrade": "h2c"}, 426),
    ],
)
async def test_a_handshake_that_is_not_well_formed_is_refused(
    server: Server, changes: dict[str, str | None], status: int
) -> None:
    headers = {name: value for name, value in (GOOD | changes).items() if value is not None}

    client = await ask(server, "GET /ws/monitor HTTP/1.1", headers)

    assert client.response.startswith(f"HTTP/1.1 {status} ")
    await client.cut()


@pytest.mark.parametrize("first_line", ["POST /ws/monitor HTTP/1.1", "GET /ws/elsewhere HTTP/1.1"])
async def test_only_a_get_of_the_monitor_opens_it(server: Server, first_line: str) -> None:
    client = await ask(server, first_line, GOOD)

    assert client.response.startswith("HTTP/1.1 4")
    await client.cut()


async def test_names_and_values_of_headers_may_be_in_any_case(server: Server) -> None:
    headers = {
        name.upper(): value.upper() if name in ("Upgrade", "Connection") else value for name, value in GOOD.items()
    }

    client = await ask(server, "GET /ws/monitor HTTP/1.1", headers)

    assert client.response.startswith("HTTP/1.1 101 ")
    await client.cut()


async def test_a_connection_that_has_served_a_request_can_become_a_monitor(server: Server) -> None:
    request = f"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode()

    client = await ask(server, "GET /ws/monitor?filters=job HTTP/1.1", GOOD, before=request)

    frames = [json.loads(payload) for _, payload in [await client.receive(), await client.receive()]]
    assert [frame["type"] for frame in frames] == ["system:connected", "system:subscribed"]
    assert frames[1]["data"]["filters"] == ["job"]
    client.say({"action": "ping"})
    opcode, _ = await client.receive()
    assert opcode == TEXT
    await client.cut()

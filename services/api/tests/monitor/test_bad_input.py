"""What bad input gets: an error and a living connection, or the named close code; and nobody else is harmed."""

from __future__ import annotations

import asyncio

import orjson
import pytest

from tests.monitor.conftest import Connect
from tests.monitor.raw_client import BINARY, CLOSE, PING, PONG, TEXT, frame
from tests.processes import Server

PING_COMMAND = b'{"action":"ping"}'


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"hello", "invalid_json"),
        (b"", "invalid_json"),
        (b'{"action":"ping"', "invalid_json"),
        (b'{"action":"ping","x":NaN}', "invalid_json"),
        (b'{"action":"ping","x":"\\ud800"}', "invalid_json"),
        (b"[" * 10_000 + b"]" * 10_000, "too_deep"),
        (b'{"a":' * 2000 + b"1" + b"}" * 2000, "too_deep"),
        (b"[]", "invalid_command"),
        (b'[{"action":"ping"}]', "invalid_command"),
        (b"null", "invalid_command"),
        (b"7", "invalid_command"),
        (b"{}", "invalid_command"),
        (b'{"action":null}', "invalid_command"),
        (b'{"action":7}', "invalid_command"),
        (b'{"action":"dance"}', "unknown_action"),
        (b'{"action":"subscribe","filters":null}', "invalid_filter"),
        (b'{"action":"subscribe","filters":"job"}', "invalid_filter"),
        (b'{"action":"subscribe","filters":[7]}', "invalid_filter"),
        (b'{"action":"subscribe","filters":["jobs"]}', "invalid_filter"),
        (b'{"action":"subscribe","filters":["job"],"channels":["cnc1"]}', "invalid_channel"),
        (b'{"action":"subscribe","since":"7"}', "invalid_cursor"),
        (b'{"action":"subscribe","since":"abc:-1"}', "invalid_cursor"),
        (b'{"action":"subscribe","since":"abc:9223372036854775808"}', "invalid_cursor"),
        (b'{"action":"subscribe","since":7}', "invalid_cursor"),
        (b'{"action":"subscribe","last":0}', "invalid_command"),
        (b'{"action":"subscribe","last":1e400}', "invalid_json"),
        (b'{"action":"subscribe","last":5,"since":"a:1"}', "invalid_command"),
        (b'{"action":"state","at":"noon"}', "invalid_cursor"),
        (b'{"action":"replay"}', "invalid_command"),
    ],
)
async def test_bad_text_gets_an_error_and_the_connection_stays(connect: Connect, text: bytes, code: str):
    client = await connect()
    before = await client.subscribed(filters=["pattern"])

    client.send(frame(TEXT, text))

    answer = await client.message("system:error")
    assert answer["data"]["code"] == code
    assert answer["data"]["message"]
    assert answer["timestamp"] == ""
    assert await client.is_usable()
    assert before["filters"] == ["pattern"]


async def test_after_a_bad_subscribe_the_old_filters_stay_in_force(connect: Connect, server: Server):
    client = await connect()
    await client.subscribed(filters=["pattern"])

    client.say({"action": "subscribe", "filters": None})
    await client.message("system:error")
    created = await asyncio.to_thread(server.post_pattern, "still heard")

    assert (await client.message("pattern:created"))["data"] == created


async def test_filters_null_does_not_harm_later_writes_nor_other_clients(connect: Connect, server: Server):
    bad, good = await connect(), await connect()
    await good.subscribed()
    bad.say({"action": "subscribe", "filters": None})
    await bad.message("system:error")

    created = await asyncio.to_thread(server.post_pattern, "written")

    assert (await good.message("pattern:created"))["data"] == created


async def test_binary_gets_an_error_and_the_connection_stays(connect: Connect):
    client = await connect()

    client.send(frame(BINARY, b"\x00\x01"))

    assert (await client.message("system:error"))["data"]["code"] == "binary_not_supported"
    assert await client.is_usable()


async def test_64_kib_is_accepted_and_one_byte_more_is_closed_with_1009(connect: Connect):
    client = await connect()
    client.send(frame(TEXT, PING_COMMAND + b" " * (65_536 - len(PING_COMMAND))))
    await client.message("system:pong")

    client.send(frame(TEXT, PING_COMMAND + b" " * (65_537 - len(PING_COMMAND))))

    assert (await client.closed())[0] == 1009


@pytest.mark.parametrize("text", [b"\xff\xfe", b"\xc3", b'{"action":"\xed\xa0\x80"}'])
async def test_invalid_utf8_is_closed_with_1007(connect: Connect, text: bytes):
    client = await connect()

    client.send(frame(TEXT, text))

    assert (await client.closed())[0] == 1007


@pytest.mark.parametrize(
    "wrong",
    [
        frame(TEXT, PING_COMMAND, is_masked=False),
        frame(TEXT, PING_COMMAND, reserved=4),
        frame(3, b"x"),
        frame(11, b"x"),
        frame(PING, b"x" * 126),
        frame(PING, b"x", fin=False),
        frame(0, b"x"),
        frame(TEXT, b"x", fin=False) + frame(TEXT, b"x"),
        frame(CLOSE, b"x"),
        frame(CLOSE, (1005).to_bytes(2, "big")),
    ],
)
async def test_a_breach_of_the_websocket_protocol_is_closed_with_1002(connect: Connect, wrong: bytes):
    client = await connect()

    client.send(wrong)

    assert (await client.closed())[0] == 1002


async def test_fragments_with_control_frames_between_make_one_command(connect: Connect):
    client = await connect()
    await client.message("system:connected")

    client.send(frame(TEXT, PING_COMMAND[:6], fin=False), frame(PING, b"a"), frame(0, PING_COMMAND[6:]))

    answers = {(await client.receive())[0] for _ in range(2)}
    assert answers == {TEXT, 10}


async def test_20_errors_in_a_row_are_closed_with_4400(connect: Connect):
    client = await connect()

    for _ in range(20):
        client.send(frame(TEXT, b"nonsense"))

    code, before = await client.closed()
    assert code == 4400
    assert [m["type"] for m in before].count("system:error") == 20
    assert before[-1]["type"] == "system:closing"
    assert before[-1]["data"]["reconnect"] is False


async def test_a_flood_of_commands_is_warned_then_closed_with_4429(connect: Connect):
    client = await connect()

    for _ in range(60):
        client.send(frame(TEXT, PING_COMMAND))

    code, before = await client.closed()
    assert code == 4429
    assert [m["data"]["code"] for m in before if m["type"] == "system:error"][:1] == ["rate_limited"]


@pytest.mark.parametrize(
    "origin", ["null", "https://evil.example", "http://localhost.evil.example", "http://127.0.0.1:1"]
)
async def test_a_foreign_origin_is_closed_with_4403(connect: Connect, origin: str):
    client = await connect(headers={"Origin": origin})

    code, before = await client.closed()

    assert code == 4403
    assert [m["type"] for m in before] == ["system:closing"]


async def test_the_servers_own_origin_is_welcome(connect: Connect, server: Server):
    client = await connect(headers={"Origin": server.url})

    assert (await client.message())["type"] == "system:connected"


async def test_an_unknown_subprotocol_is_closed_with_4400(connect: Connect):
    client = await connect(headers={"Sec-WebSocket-Protocol": "graphql-ws"})

    assert (await client.closed())[0] == 4400
    assert "sec-websocket-protocol: graphql-ws" in client.response.lower()


async def test_version_2_is_selected_and_a_token_is_never_echoed(connect: Connect):
    client = await connect(headers={"Sec-WebSocket-Protocol": "bearer.c2VjcmV0, rmos.monitor.v1, rmos.monitor.v2"})

    assert (await client.message())["data"]["protocol"] == "rmos.monitor.v2"
    assert "rmos.monitor.v2" in client.response
    assert "bearer" not in client.response


async def test_a_bad_query_gets_an_error_and_no_subscription(connect: Connect, server: Server):
    client = await connect(query="?filters=jobs")
    assert (await client.message("system:error"))["data"]["code"] == "invalid_filter"

    await asyncio.to_thread(server.post_pattern, "unheard")

    client.say({"action": "ping"})
    assert (await client.message())["type"] == "system:pong"


async def test_plain_http_gets_426(server: Server):
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(f"GET /ws/monitor HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nConnection: close\r\n\r\n".encode())
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    await writer.wait_closed()

    assert answer.startswith(b"HTTP/1.1 426")


async def test_nobody_else_notices_a_rude_client(connect: Connect, server: Server):
    polite = await connect()
    await polite.subscribed(filters=["pattern"])
    for wrong in (frame(3, b"x"), frame(TEXT, b"\xff"), b"\x81\xff" + b"\x7f" * 8, frame(BINARY), b"garbage" * 100):
        rude = await connect()
        rude.send(wrong)
    gone = await connect()
    await gone.subscribed()
    await gone.cut()

    names = [f"rose {i}" for i in range(5)]
    for name in names:
        await asyncio.to_thread(server.post_pattern, name)

    heard = [(await polite.message("pattern:created"))["data"]["name"] for _ in names]
    assert heard == names
    assert orjson.loads(orjson.dumps(heard)) == names


async def test_a_message_of_endless_empty_fragments_is_closed_before_it_costs_anything(lean: Connect):
    client = await lean()

    client.send(frame(TEXT, b"", fin=False), *[frame(0, b"", fin=False)] * 1_000_000)

    assert (await client.closed())[0] in (1009, 4429)


async def test_a_flood_of_pings_that_is_never_read_is_ended(lean: Connect):
    client = await lean()
    client.writer.transport.pause_reading()

    for _ in range(100):
        client.send(*[frame(PING, b"x" * 125)] * 1000)
        await asyncio.sleep(0)
    client.writer.transport.resume_reading()

    assert (await client.closed())[0] == 4429


async def test_pings_are_answered_where_they_stand_among_messages_and_before_a_close(lean: Connect):
    client = await lean()
    await client.message()
    command = frame(TEXT, PING_COMMAND)

    client.send(frame(PING, b"1"), command, frame(PING, b"2"), frame(PING, b"3"), frame(CLOSE, b"\x03\xe8"))

    answers = [await client.receive() for _ in range(5)]
    assert [opcode for opcode, _ in answers] == [PONG, TEXT, PONG, PONG, CLOSE]
    assert [payload for opcode, payload in answers if opcode == PONG] == [b"1", b"2", b"3"]

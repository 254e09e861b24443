"""The stream on a real server: what version 1 promises, and what version 2 adds to it."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import httpx2
import pytest

from tests.monitor.conftest import Connect
from tests.monitor.raw_client import CLOSE, END, PING, TEXT, RawClient, frame
from tests.processes import Server
from tests.streams import cloud_event_faults

STORES = "/api/rmos/stores"


@pytest.fixture
def http(server: Server):
    with httpx2.Client(base_url=server.url, timeout=20, trust_env=False) as client:
        yield client


async def call(http: httpx2.Client, method: str, path: str, **json: Any) -> httpx2.Response:
    answer = await asyncio.to_thread(http.request, method, STORES + path, json=json or None)
    assert answer.is_success, answer.text
    return answer


async def test_the_first_frame_greets_and_carries_a_cursor(connect: Connect):
    client = await connect()

    greeting = await client.message()

    assert greeting["type"] == "system:connected"
    assert greeting["timestamp"] == ""
    data = greeting["data"]
    assert data["message"] == "Real-time monitoring active"
    assert data["protocol"] == "rmos.monitor.v1"
    assert data["offset"] >= 0
    assert data["limits"]["max_frame_bytes"] == 65_536


async def test_every_change_gives_its_one_event_whose_data_is_what_get_answers(connect: Connect, http: httpx2.Client):
    client = await connect()
    await client.subscribed(filters=["job", "pattern", "material"])

    family = (
        await call(
            http, "POST", "/strip-families", name="Rope", strip_width_mm=1, strip_thickness_mm=1, material_type="maple"
        )
    ).json()["strip_family"]
    pattern = (await call(http, "POST", "/patterns", name="Torres", ring_count=1, geometry={})).json()["pattern"]
    job = (await call(http, "POST", "/joblogs", job_type="slice", pattern_id=pattern["id"])).json()["joblog"]
    await call(http, "PUT", f"/joblogs/{job['id']}", status="running")
    await call(http, "PUT", f"/joblogs/{job['id']}", progress=0.5)
    await call(http, "PUT", f"/joblogs/{job['id']}", status="completed")
    stored = (await call(http, "GET", f"/joblogs/{job['id']}")).json()["joblog"]
    await call(http, "PUT", f"/patterns/{pattern['id']}", name="Torres II")
    await call(http, "PATCH", f"/strip-families/{family['id']}", name="Rope II")
    await call(http, "DELETE", f"/strip-families/{family['id']}")

    events = [await client.message() for _ in range(9)]
    assert [event["type"] for event in events] == [
        "material:created",
        "pattern:created",
        "job:created",
        "job:updated",
        "job:updated",
        "job:completed",
        "pattern:updated",
        "material:updated",
        "material:deleted",
    ]
    assert events[5]["data"] == stored
    offsets = [event["offset"] for event in events]
    assert offsets == list(range(offsets[0], offsets[0] + 9))
    assert [event["version"] for event in events[2:6]] == [1, 2, 3, 4]
    assert events[2]["key"] == f"job/{job['id']}"
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", event["timestamp"]) for event in events)


async def test_a_failing_job_gives_failed_once_and_a_write_without_change_gives_nothing(
    connect: Connect, http: httpx2.Client
):
    client = await connect()
    await client.subscribed(filters=["job"])

    job = (await call(http, "POST", "/joblogs", job_type="slice", machine_id="cnc1")).json()["joblog"]
    await call(http, "PUT", f"/joblogs/{job['id']}", status="failed", reason="MACHINE_FAILURE")
    await call(http, "PUT", f"/joblogs/{job['id']}", status="failed")
    await call(http, "PUT", f"/joblogs/{job['id']}", note="belt slipped")

    events = [await client.message() for _ in range(3)]
    assert [event["type"] for event in events] == ["job:created", "job:failed", "job:updated"]
    assert events[0]["channels"] == ["machine:cnc1"]


async def test_the_query_subscribes_at_once(connect: Connect, server: Server):
    client = await connect(query="?filters=pattern,job")
    assert (await client.message("system:subscribed"))["data"]["filters"] == ["job", "pattern"]

    created = await asyncio.to_thread(server.post_pattern, "by query")

    assert (await client.message("pattern:created"))["data"] == created


async def test_subscribe_without_filters_means_all_and_replaces(connect: Connect):
    client = await connect()

    assert (await client.subscribed())["filters"] == ["all"]
    assert (await client.subscribed(filters=["material", "job"]))["filters"] == ["job", "material"]
    client.say({"action": "unsubscribe"})
    assert (await client.message("system:subscribed"))["data"]["filters"] == []


async def test_metrics_come_at_once_and_then_periodically_without_an_id(connect: Connect):
    client = await connect()
    await client.subscribed(filters=["metrics"])

    snapshots = [await client.message("metrics:snapshot") for _ in range(3)]

    assert snapshots[0].keys() == {"type", "data", "timestamp"}
    assert snapshots[0]["data"]["entities"].keys() == {"patterns", "joblogs", "strip_families"}
    assert "completed" in snapshots[0]["data"]["jobs"]["by_status"]


async def test_a_cut_connection_resumes_without_loss_or_doubles(connect: Connect, server: Server):
    client = await connect()
    cursor = f"{(await client.message())['data']['epoch']}:{(await client.subscribed(filters=['pattern']))['offset']}"
    names = [f"rosette {i}" for i in range(30)]
    heard: list[str] = []

    for i, name in enumerate(names):
        await asyncio.to_thread(server.post_pattern, name)
        if i % 7 == 3:
            await client.cut()
            client = await connect()
            answer = await client.subscribed(filters=["pattern"], since=cursor)
            assert answer["recovered"] is True
        if i % 3 == 2:
            event = await client.message("pattern:created")
            heard.append(event["data"]["name"])
            cursor = event["id"]
    while len(heard) < len(names):
        heard.append((await client.message("pattern:created"))["data"]["name"])

    assert heard == names


async def test_last_replays_then_says_that_it_has_caught_up(connect: Connect, server: Server):
    for name in ("a", "b", "c"):
        await asyncio.to_thread(server.post_pattern, name)
    client = await connect()

    answer = await client.subscribed(filters=["pattern"], last=2, id="q1")

    assert answer["id"] == "q1"
    assert [(await client.message())["data"]["name"] for _ in range(2)] == ["b", "c"]
    assert (await client.message())["type"] == "system:caught_up"


async def test_the_log_pages_carry_the_frames_of_the_stream(connect: Connect, server: Server, http: httpx2.Client):
    client = await connect()
    await client.subscribed(filters=["pattern"])
    await asyncio.to_thread(server.post_pattern, "paged")

    event = await client.message("pattern:created")
    epoch, offset = event["id"].split(":")
    page = http.get("/api/rmos/monitor/events", params={"after": f"{epoch}:{int(offset) - 1}"}).json()

    assert page["events"] == [event]
    assert page["head"] == event["id"]


async def test_only_the_newest_ping_of_a_read_is_answered(connect: Connect):
    client = await connect()
    await client.message("system:connected")

    client.send(*[frame(PING, b"%d" % i) for i in range(20)])

    payload = b""
    while payload != b"19":
        opcode, payload = await client.receive()
        assert opcode == 10


async def test_a_close_is_answered_with_its_code(connect: Connect):
    client = await connect()
    await client.message("system:connected")

    client.send(frame(CLOSE, (1000).to_bytes(2, "big")))

    assert await client.receive() == (CLOSE, (1000).to_bytes(2, "big"))
    assert (await client.receive())[0] == END


async def test_a_client_that_does_not_read_delays_nobody_and_gets_everything_later(
    connect: Connect, server: Server, http: httpx2.Client
):
    stalled, reading = await connect(), await connect()
    for client in (stalled, reading):
        await client.subscribed(filters=["pattern"])
    stalled.reader._transport.pause_reading()  # type: ignore[attr-defined]  # asyncio has no public way
    big = {"op": "create", "entity": "pattern", "data": {"name": "big", "ring_count": 1, "geometry": {"x": "y" * 4000}}}

    for _ in range(10):
        await call(http, "POST", "/bulk", operations=[big] * 300)
    seen = [(await reading.message("pattern:created"))["offset"] for _ in range(3000)]
    stalled.reader._transport.resume_reading()  # type: ignore[attr-defined]  # as above
    late = [(await stalled.message("pattern:created"))["offset"] for _ in range(3000)]

    assert late == seen == list(range(seen[0], seen[0] + 3000))


async def test_nothing_is_compressed_so_frames_can_be_shared(connect: Connect):
    client = await connect(headers={"Sec-WebSocket-Extensions": "permessage-deflate"})

    assert "deflate" not in client.response.lower()


async def test_frames_may_arrive_byte_by_byte(connect: Connect):
    client = await connect()
    await client.message("system:connected")

    for byte in frame(TEXT, b'{"action":"ping"}'):
        client.send(bytes([byte]))
        await client.writer.drain()
        await asyncio.sleep(0)

    assert (await client.message())["type"] == "system:pong"


async def test_the_server_can_restart_and_the_stream_goes_on(tmp_path, request: pytest.FixtureRequest):
    first = Server(tmp_path / "data").wait_until_ready()
    request.addfinalizer(first.kill)
    client = await RawClient.open(first.port)
    await client.subscribed(filters=["pattern"])
    await asyncio.to_thread(first.post_pattern, "before")
    cursor = (await client.message("pattern:created"))["id"]

    stopping = asyncio.create_task(asyncio.to_thread(first.stop))
    code, before = await client.closed()
    await client.cut()
    assert await stopping == 0
    second = Server(tmp_path / "data").wait_until_ready()
    request.addfinalizer(second.kill)
    await asyncio.to_thread(second.post_pattern, "between")
    again = await RawClient.open(second.port)
    answer = await again.subscribed(filters=["pattern"], since=cursor)

    assert code == 1012
    assert before[-1]["type"] == "system:closing"
    assert answer["recovered"] is True
    assert (await again.message("pattern:created"))["data"]["name"] == "between"
    await again.cut()


async def test_cloud_events_are_what_their_subprotocol_sends(connect: Connect, http: httpx2.Client):
    client = await connect(headers={"Sec-WebSocket-Protocol": "cloudevents.json"})
    assert "sec-websocket-protocol: cloudevents.json" in client.response.lower()
    greeting = await client.message()
    client.say({"action": "subscribe", "id": "s1", "filters": ["pattern"]})
    answer = await client.message("rmos.system.subscribed")

    await call(http, "POST", "/patterns", name="Torres", ring_count=1, geometry={})
    event = await client.message("rmos.pattern.created")

    assert [cloud_event_faults(frame) for frame in (greeting, answer, event)] == [[], [], []]
    assert greeting["type"] == "rmos.system.connected"
    assert answer["data"]["id"] == "s1"
    assert event["subject"] == f"pattern/{event['data']['id']}"
    assert event["entityversion"] == 1

"""Server-sent events on a real server: what the WebSocket guarantees, for who has HTTP alone."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest
import pytest_asyncio

from tests.monitor.conftest import WAYS
from tests.monitor.sse_client import SseClient
from tests.processes import Server
from tests.streams import cloud_event_faults

Listen = Callable[..., Coroutine[Any, Any, SseClient]]


@pytest_asyncio.fixture
async def listen() -> AsyncIterator[Listen]:
    """Opens streams, and cuts them when the test is over."""
    opened: list[SseClient] = []

    async def open_one(server: Server, *arguments: Any, **options: Any) -> SseClient:
        opened.append(await SseClient.open(server.port, *arguments, **options))
        return opened[-1]

    yield open_one
    for client in opened:
        await client.cut()


async def post(server: Server, count: int = 1) -> None:
    """Create patterns."""
    for n in range(count):
        await asyncio.to_thread(server.post_pattern, f"p{n}")


async def post_large(server: Server, count: int, *, size: int) -> None:
    """Create patterns of so many bytes at once."""
    pattern = {"name": "large", "ring_count": 1, "geometry": {}, "metadata": {"notes": "x" * size}}
    body = {"operations": [{"op": "create", "entity": "pattern", "data": pattern}] * count}
    answer = await asyncio.to_thread(
        httpx2.post, f"{server.url}/api/rmos/stores/bulk", json=body, timeout=20, trust_env=False
    )
    assert answer.status_code == 200, answer.text[:500]


async def head_of(server: Server) -> str:
    return str((await asyncio.to_thread(server.get, "/api/rmos/monitor/events", limit=1))["head"])


async def test_the_head_says_that_nothing_may_store_or_hold_the_stream(server: Server, listen: Listen):
    client = await listen(server)

    assert client.status == 200
    assert client.header("content-type") == "text/event-stream"
    assert client.header("cache-control") == "no-store"
    assert client.header("x-accel-buffering") == "no"
    assert client.header("x-content-type-options") == "nosniff"
    assert client.header("x-request-id")


@pytest.mark.parametrize("way", WAYS)
async def test_a_stream_leaves_asgi_where_the_installed_server_allows_it(way: str, tmp_path: Path, listen: Listen):
    server = WAYS[way](tmp_path).wait_until_ready()
    try:
        client = await listen(server)

        assert (client.header("transfer-encoding") == "chunked") is (way == "asgi")
    finally:
        server.kill()


async def test_first_event_is_subscribed_with_a_place_to_resume_from(server: Server, listen: Listen):
    client = await listen(server, "?filters=pattern,job")

    first = await client.event()

    assert first.name == "message"
    assert first.frame["type"] == "system:subscribed"
    assert first.frame["data"]["filters"] == ["job", "pattern"]
    assert first.last_id == await head_of(server)
    assert client.stream.retry_ms is not None
    assert 1000 <= client.stream.retry_ms <= 3000


async def test_events_are_those_of_the_websocket_with_the_cursor_as_id(server: Server, listen: Listen):
    client = await listen(server, "?filters=pattern")
    await client.event()

    await post(server)
    event = await client.event()

    epoch, offset = event.last_id.split(":")
    log = await asyncio.to_thread(server.get, "/api/rmos/monitor/events", after=f"{epoch}:{int(offset) - 1}")
    assert [event.frame] == log["events"]
    assert event.last_id == event.frame["id"] == log["head"]


async def test_without_parameters_everything_is_heard_and_filters_narrow(server: Server, listen: Listen):
    everything, jobs = await listen(server), await listen(server, "?filters=job")
    await everything.event()
    await jobs.event()

    await post(server)
    answer = await asyncio.to_thread(
        httpx2.post, f"{server.url}/api/rmos/stores/joblogs", json={"job_type": "slice"}, timeout=20, trust_env=False
    )
    assert answer.status_code == 201

    assert (await everything.frame("pattern:created"))["offset"] + 1 == (await jobs.frame())["offset"]
    assert (await everything.frame("metrics:snapshot"))["timestamp"]


async def test_last_event_id_resumes_and_beats_the_query(server: Server, listen: Listen):
    cursor = await head_of(server)
    await post(server, 3)
    later = await head_of(server)

    client = await listen(server, f"?filters=pattern&since={later}&last=1", last_id=cursor)

    subscribed = await client.event()
    assert subscribed.frame["data"]["recovered"] is True
    assert subscribed.last_id == cursor, "cut here, the client would resume from the same place"
    events = [await client.event() for _ in range(3)]
    epoch, _, offset = cursor.partition(":")
    assert [event.frame["offset"] for event in events] == [int(offset) + n for n in (1, 2, 3)]
    caught_up = await client.event()
    assert caught_up.frame["type"] == "system:caught_up"
    assert caught_up.last_id == later == f"{epoch}:{int(offset) + 3}"


async def test_a_resumption_that_is_not_possible_says_why_and_goes_on_live(server: Server, listen: Listen):
    client = await listen(server, last_id="other:3")

    subscribed = await client.event()

    assert subscribed.frame["data"]["recovered"] is False
    assert subscribed.frame["data"]["reason"] == "epoch_changed"
    assert subscribed.last_id == await head_of(server)


@pytest.mark.parametrize(
    ("query", "headers", "status", "code"),
    [
        ("?filters=jobs", {}, 400, "invalid_filter"),
        ("?channels=p7", {}, 400, "invalid_channel"),
        ("?since=7", {}, 400, "invalid_cursor"),
        ("?last=0", {}, 400, "invalid_command"),
        ("?format=xml", {}, 400, "bad_request"),
        ("?since=other:3&strict=true", {}, 409, "epoch_changed"),
        ("", {"Last-Event-ID": "seven"}, 400, "invalid_cursor"),
        ("", {"Origin": "https://evil.example"}, 403, "forbidden"),
        ("", {"Origin": "null"}, 403, "forbidden"),
        ("", {"Host": "evil.example"}, 421, "misdirected"),
    ],
)
async def test_what_is_refused_is_refused_before_the_stream_begins(
    server: Server, query: str, headers: dict[str, str], status: int, code: str
):
    answer = await asyncio.to_thread(
        httpx2.get, f"{server.url}/sse/monitor{query}", headers=headers, timeout=20, trust_env=False
    )

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == code


async def test_head_request_is_answered_and_ends(server: Server, listen: Listen):
    client = await listen(server, method="HEAD", Connection="close")

    assert client.status == 200
    assert client.header("content-type") == "text/event-stream"
    assert await asyncio.wait_for(client.reader.read(), 10) == b""


async def test_cloud_events_come_as_the_data_of_a_stream(server: Server, listen: Listen):
    client = await listen(server, "?format=cloudevents&filters=pattern")
    subscribed = await client.event()

    await post(server)
    event = await client.event()

    assert subscribed.frame["type"] == "rmos.system.subscribed"
    assert [cloud_event_faults(one.frame) for one in (subscribed, event)] == [[], []]
    assert event.frame["type"] == "rmos.pattern.created"
    assert event.frame["source"] == "/rmos/shop"
    assert event.frame["id"] == event.last_id
    assert event.frame["subject"].startswith("pattern/")


async def test_replay_longer_than_any_buffer_arrives_whole_and_in_order(server: Server, listen: Listen):
    cursor = await head_of(server)
    await post_large(server, 700, size=2000)
    client = await listen(server, f"?filters=pattern&since={cursor}")
    first = int(cursor.partition(":")[2]) + 1
    await asyncio.sleep(0.3)  # unread, it fills every buffer on the way

    offsets = [(await client.frame("pattern:created"))["offset"] for _ in range(700)]

    assert offsets == list(range(first, first + 700))


@pytest.mark.parametrize("way", WAYS)
async def test_heartbeats_carry_a_comment_and_move_the_place_of_a_narrow_filter(
    way: str, tmp_path: Path, listen: Listen
):
    server = WAYS[way](tmp_path, RMOS_HEARTBEAT_S="0.2").wait_until_ready()
    try:
        client = await listen(server, "?filters=job")
        await client.event()
        await post(server, 2)
        head = await head_of(server)

        while (beat := await client.event()).last_id != head:
            assert beat.frame["type"] == "system:heartbeat"

        assert client.stream.comments
    finally:
        server.kill()


async def test_stop_of_the_server_is_said_and_a_new_one_goes_on_from_the_same_place(tmp_path: Path, listen: Listen):
    # Heartbeats are frequent, as they may come at any moment when the machine is slow.
    server = Server(tmp_path, RMOS_HEARTBEAT_S="0.1")
    try:
        client = await listen(server.wait_until_ready(), "?filters=pattern")
        await post(server)
        seen = await client.frame("pattern:created")
        last_id = client.stream.last_id

        code = await asyncio.to_thread(server.stop, signal.SIGTERM)
        *before, closing = await client.rest()
    finally:
        server.kill()

    assert code == 0
    assert {frame["type"] for frame in before} <= {"system:heartbeat"}
    assert closing["type"] == "system:closing"
    assert closing["data"]["code"] == 1012
    assert closing["data"]["reconnect"] is True
    assert client.stream.last_id == last_id

    again = Server(tmp_path, RMOS_HEARTBEAT_S="0.1")
    try:
        await post(again.wait_until_ready(), 2)
        resumed = await listen(again, "?filters=pattern", last_id=client.stream.last_id)
        assert (await resumed.frame("system:subscribed"))["data"]["recovered"] is True
        offsets = [(await resumed.frame("pattern:created"))["offset"] for _ in range(2)]
        assert offsets == [seen["offset"] + 1, seen["offset"] + 2]
    finally:
        again.kill()


async def test_stalled_reader_is_ended_and_resumes_complete(tmp_path: Path, listen: Listen):
    server = Server(tmp_path, RMOS_STALL_TIMEOUT_S="0.5").wait_until_ready()
    try:
        cursor = await head_of(server)
        client = await listen(server, f"?filters=pattern&since={cursor}")
        await client.event()
        client.writer.transport.pause_reading()
        while "connection closed by the server" not in "\n".join(server.errors):
            await post_large(server, 100, size=20_000)
        head = int((await head_of(server)).partition(":")[2])
        client.writer.transport.resume_reading()
        seen = []
        try:
            while True:
                event = await client.event()
                seen += [event.frame["offset"]] if "offset" in event.frame else []
        except (EOFError, ConnectionError):
            pass

        resumed = await listen(server, "?filters=pattern", last_id=client.stream.last_id)
        while not seen or seen[-1] < head:
            event = await resumed.event()
            seen += [event.frame["offset"]] if "offset" in event.frame else []

        assert seen == list(range(1, head + 1))
    finally:
        server.kill()


async def test_a_reader_that_talks_without_end_is_cut_off(tmp_path: Path, listen: Listen):
    server = Server(tmp_path).wait_until_ready()
    try:
        client = await listen(server)
        await client.event()

        client.writer.write(b"x" * 65_537)

        assert (await client.frame("system:closing"))["data"]["code"] == 4429
    finally:
        server.kill()


async def test_gone_readers_are_forgotten(server: Server, listen: Listen):
    for _ in range(5):
        client = await listen(server)
        await client.event()
        await client.cut()

    await post(server, 2)

    other = await listen(server, "?last=2")
    assert orjson.loads((await other.event()).data)["data"]["recovered"] is True


async def test_a_forged_address_does_not_get_around_the_limit_of_its_sender(tmp_path: Path, listen: Listen):
    server = Server(tmp_path, RMOS_MAX_CONNECTIONS_PER_ADDRESS="1").wait_until_ready()
    try:
        first = await listen(server, **{"X-Forwarded-For": "10.0.0.1"})
        forged = await listen(server, **{"X-Forwarded-For": "10.0.0.2"})

        assert (first.status, forged.status) == (200, 429)
    finally:
        server.kill()

"""The eight guarantees of version 2, each against a real server, over both kinds of connections.

(PROTOCOL.md §15. What a crash at any instant does is the business of tests/crash.)
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.monitor.conftest import Connect, way_of
from tests.monitor.raw_client import RawClient
from tests.processes import Server

STORES = "/api/rmos/stores"
StartOwn = Callable[..., Server]


@pytest.fixture
def start_own(server: Server, tmp_path: Path) -> Iterator[StartOwn]:
    """Starts servers of the test's own, one after the other on one database, with connections as those of `server`."""
    started: list[Server] = []

    def start(**settings: str) -> Server:
        started.append(way_of(server)(tmp_path, **settings))
        return started[-1].wait_until_ready()

    yield start
    for one in started:
        one.kill()


async def bulk(server: Server, *operations: dict[str, Any]) -> None:
    """Write all of this in one transaction."""
    async with httpx2.AsyncClient(base_url=server.url, timeout=20, trust_env=False) as http:
        answer = await http.post(f"{STORES}/bulk", json={"operations": operations})
        assert answer.status_code == 200, answer.text


def creating(count: int, **fields: Any) -> list[dict[str, Any]]:
    data = {"name": "g", "ring_count": 1, "geometry": {}} | fields
    return [{"op": "create", "entity": "pattern", "data": data}] * count


async def write_one_by_one(server: Server, count: int) -> list[str]:
    """Ids of the patterns whose creation was acknowledged; ends early when the server does."""
    acked: list[str] = []
    async with httpx2.AsyncClient(base_url=server.url, timeout=20, trust_env=False) as http:
        for number in range(count):
            fields = {"name": f"p{number}", "ring_count": 1, "geometry": {}}
            try:
                answer = await http.post(f"{STORES}/patterns", json=fields)
            except httpx2.HTTPError:
                break
            acked.append(answer.json()["pattern"]["id"])
    return acked


async def events_until(client: RawClient, offset: int) -> list[dict[str, Any]]:
    """The events of a connection up to this offset, heartbeats and the like passed over."""
    events: list[dict[str, Any]] = []
    while not events or events[-1]["offset"] < offset:
        message = await client.message()
        events += [message] if "offset" in message else []
    return events


def log_of(server: Server, after: str | None = None) -> list[dict[str, Any]]:
    """All events of the log, by its pages."""
    events: list[dict[str, Any]] = []
    while True:
        page = server.get("/api/rmos/monitor/events", limit=1000, **({"after": after} if after else {}))
        events += page["events"]
        if len(page["events"]) < 1000:
            return events
        after = page["next"]


async def test_guarantee_1_an_event_is_in_the_log_exactly_when_its_change_is_committed(start_own: StartOwn):
    server = start_own()
    writers = [asyncio.create_task(write_one_by_one(server, 10_000)) for _ in range(4)]
    while len(log_of(server)) < 40:
        await asyncio.sleep(0.05)
    server.process.kill()
    acked = {name for names in await asyncio.gather(*writers) for name in names}

    server = start_own()

    told = [event["data"]["id"] for event in log_of(server)]
    stored = [
        pattern["id"]
        for skip in range(0, len(told) + 1, 100)
        for pattern in server.get(f"{STORES}/patterns", limit=100, offset=skip)["patterns"]
    ]
    assert sorted(told) == sorted(stored), "each stored thing has its one event, and no event tells of anything else"
    assert acked <= set(told)
    assert len(set(told)) == len(told)


async def test_guarantee_2_offsets_of_a_connection_strictly_increase(server: Server, connect: Connect):
    client = await connect()
    start = (await client.subscribed())["offset"]

    await asyncio.gather(*(bulk(server, *creating(25)) for _ in range(8)))

    offsets = [event["offset"] for event in await events_until(client, start + 200)]
    assert offsets == list(range(start + 1, start + 201))


async def test_guarantee_3_a_resumption_brings_each_matching_event_once_then_goes_live(
    server: Server, connect: Connect
):
    first = await connect()
    answer = await first.subscribed(filters=["pattern"])
    cursor, start = f"{answer['epoch']}:{answer['offset']}", answer["offset"]
    await first.cut()
    await bulk(server, *creating(300))

    second = await connect()
    writing = asyncio.create_task(bulk(server, *creating(100)))
    answer = await second.subscribed(filters=["pattern"], since=cursor, strict=True)
    await writing
    events = await events_until(second, start + 400)

    assert answer["recovered"] is True
    assert [event["offset"] for event in events] == list(range(start + 1, start + 401))


async def test_guarantee_4_what_cannot_be_recovered_is_told_with_its_reason(start_own: StartOwn):
    server = start_own(RMOS_LOG_KEEP_EVENTS="50", RMOS_RING_EVENTS="256")
    for _ in range(6):
        await bulk(server, *creating(100))
    while (page := server.get("/api/rmos/monitor/events", limit=1))["events"][0]["offset"] < 551:
        await asyncio.sleep(0.1)
    epoch = page["head"].partition(":")[0]

    for start, recovered, reason in (
        ({"since": "other:10"}, False, "epoch_changed"),
        ({"since": f"{epoch}:300"}, False, "expired"),
        ({"since": f"{epoch}:549"}, False, "expired"),  # what follows is still in the ring: the log decides
        ({"since": f"{epoch}:601"}, False, "future_cursor"),
        ({"from_time": "2000-01-01T00:00:00Z"}, True, "too_far"),
        ({"last": 51}, True, "too_far"),
        ({"since": f"{epoch}:550"}, True, None),
    ):
        client = await RawClient.open(server.port)
        answer = await client.subscribed(**start)
        assert (answer["recovered"], answer["reason"]) == (recovered, reason), start
        if reason is not None:
            client.say({"action": "subscribe", **start, "strict": True})
            assert (await client.message("system:error"))["data"]["code"] == reason, start
        await client.cut()


async def test_guarantee_5_loss_and_conflation_come_only_where_declared_and_are_always_reported(
    server: Server, connect: Connect
):
    made = server.post_pattern("conflated")
    after = log_of(server)[-1]["id"]
    changes = [{"op": "update", "entity": "pattern", "id": made["id"], "data": {"name": f"n{n}"}} for n in range(60)]
    await bulk(server, *changes, *creating(3))
    epoch, _, start = after.partition(":")

    stream, latest, lost = [await connect() for _ in range(3)]
    await stream.subscribed(filters=["pattern"], since=after)
    await latest.subscribed(filters=["pattern"], since=after, mode="latest")
    answer = await lost.subscribed(filters=["pattern"], since="other:7")

    assert len(await events_until(stream, int(start) + 63)) == 63
    seen, left_out = [], 0
    while (message := await latest.message())["type"] != "system:caught_up":
        seen += [message] if "offset" in message else []
        left_out += message["data"]["count"] if message["type"] == "system:conflated" else 0
    assert len(seen) + left_out == 63
    assert left_out > 50
    assert [event["data"]["name"] for event in seen][-4:] == ["n59", "g", "g", "g"], "the newest state, and each birth"
    gap = (await lost.message("system:gap"))["data"]
    assert gap == {"from": 1, "to": answer["offset"], "reason": "epoch_changed"}
    assert epoch == answer["epoch"]


async def test_guarantee_6_a_restart_loses_nothing_and_keeps_the_epoch(start_own: StartOwn):
    server = start_own()
    client = await RawClient.open(server.port)
    before = await client.subscribed()
    await bulk(server, *creating(20))
    await client.cut()
    server.stop()

    server = start_own()
    await bulk(server, *creating(5))
    client = await RawClient.open(server.port)
    answer = await client.subscribed(since=f"{before['epoch']}:{before['offset']}")
    events = await events_until(client, 25)
    await client.cut()

    assert (answer["epoch"], answer["recovered"]) == (before["epoch"], True)
    assert [event["offset"] for event in events] == list(range(1, 26))


async def test_guarantee_7_everybody_is_sent_the_same_bytes_in_the_same_order(server: Server, connect: Connect):
    live = [await connect() for _ in range(3)]
    starts = [(await client.subscribed(filters=["pattern"]))["offset"] for client in live]
    start = starts[-1]

    await asyncio.gather(*(bulk(server, *creating(20)) for _ in range(5)))

    late = await connect()
    await late.subscribed(filters=["pattern"], since=log_of(server)[start - 1]["id"] if start else None, last=None)
    streams = [
        [event for event in await events_until(client, start + 100) if event["offset"] > start]
        for client in (*live, *([late] if start else []))
    ]
    assert all(stream == streams[0] for stream in streams)
    assert streams[0] == log_of(server)[start : start + 100]


async def test_guarantee_8_a_slow_client_delays_nobody_and_costs_no_memory(start_own: StartOwn):
    server = start_own(RMOS_RING_EVENTS="256")
    stalled = [
        await RawClient.open(server.port) for _ in range(40)
    ]  # so many that their backlog would dwarf the caches
    for client in stalled:
        await client.subscribed()
        client.reader._transport.pause_reading()  # type: ignore[attr-defined]  # asyncio has no public way
    reading = await RawClient.open(server.port)
    await reading.subscribed()
    many = creating(100, geometry={"text": "x" * 4000})

    async def write_and_read(upto: int) -> int:
        """Memory of the server when the reading client has got everything."""
        for _ in range(10):
            await bulk(server, *many)
        await events_until(reading, upto)
        return rss_bytes(server)

    await write_and_read(1000)  # by now the server has filled its caches
    growth = -await write_and_read(2000) + await write_and_read(3000)

    for client in stalled:
        client.reader._transport.resume_reading()  # type: ignore[attr-defined]  # as above
    offsets = [event["offset"] for event in await events_until(stalled[0], 3000)]
    for client in (*stalled, reading):
        await client.cut()

    assert offsets == list(range(1, 3001)), "the slow one goes on from where it stood"
    backlog = 1000 * 4000
    assert growth < len(stalled) * backlog / 2, "what waits for a slow client is not kept for it"


def rss_bytes(server: Server) -> int:
    """Memory of the server."""
    status = Path(f"/proc/{server.process.pid}/status").read_text(encoding="utf-8")
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024

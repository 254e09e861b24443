"""State, replay and the list of connections on a real server, with both kinds of connections."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests.monitor.conftest import Connect
from tests.processes import Server

JOBS = "/api/rmos/stores/joblogs"


@pytest.fixture
def http(server: Server) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=server.url, timeout=20, trust_env=False) as client:
        yield client


def make_jobs(http: httpx2.Client, count: int, **fields: Any) -> list[str]:
    """Create so many jobs; their ids."""
    return [http.post(JOBS, json={"job_type": "slice", **fields}).json()["joblog"]["id"] for _ in range(count)]


async def test_a_replay_brings_the_events_of_then_while_new_ones_arrive(
    server: Server, http: httpx2.Client, connect: Connect
) -> None:
    client = await connect()
    begin = (await client.subscribed(filters=["job"], channels=["project:replay"]))["offset"]
    ids = make_jobs(http, 5, project_id="replay")
    for _ in ids:
        await client.message("job:created")
    epoch = (await client.subscribed(filters=["job"], channels=["project:replay"]))["epoch"]

    client.say({"action": "replay", "id": "r", "from": f"{epoch}:{begin}", "speed": "max"})
    started = await client.message("system:replay")
    frames = []
    while (frame := await client.message())["type"] != "system:replay":
        frames.append(frame)
    new_ids = make_jobs(http, 1, project_id="replay")
    live = await client.message("job:created")

    assert (started["data"]["state"], started["data"]["id"]) == ("playing", "r")
    assert [frame["data"]["id"] for frame in frames] == ids
    assert all(frame["replay"] is True for frame in frames)
    assert (frame["data"]["state"], frame["data"]["offset"]) == ("finished", frames[-1]["offset"])
    assert [live["data"]["id"]] == new_ids
    assert "replay" not in live


async def test_a_paused_replay_is_steered_and_stopped(http: httpx2.Client, connect: Connect) -> None:
    client = await connect()
    here = await client.subscribed(filters=[])
    make_jobs(http, 3)

    start = f"{here['epoch']}:{here['offset']}"
    states = []
    for command in (
        {"from": start, "pause": True, "filters": ["job"]},
        {"speed": 10},
        {"seek": start},
        {"stop": True},
    ):
        client.say({"action": "replay", **command})
        states.append((await client.message("system:replay"))["data"])

    assert [state["state"] for state in states] == ["paused", "paused", "paused", "stopped"]
    assert [state["speed"] for state in states] == [1, 10, 10, 10]
    assert await client.is_usable()


async def test_the_state_on_the_socket_is_that_of_http(http: httpx2.Client, connect: Connect) -> None:
    make_jobs(http, 3, project_id="state")
    client = await connect()

    client.say({"action": "state", "channels": ["project:state"]})
    frame = (await client.message("system:snapshot"))["data"]

    page = http.get("/api/rmos/monitor/state", params={"at": frame["at"]["cursor"], "channels": "project:state"}).json()
    assert len(page["joblogs"]) == 3
    for name in ("at", "patterns", "joblogs", "strip_families"):
        assert frame[name] == page[name]
    assert frame["is_last"] is True


async def test_a_large_state_comes_whole_through_a_real_socket(http: httpx2.Client, connect: Connect) -> None:
    operations = [
        {"op": "create", "entity": "joblog", "data": {"job_type": "slice", "project_id": "large", "note": "x" * 500}}
        for _ in range(3000)
    ]
    answer = http.post("/api/rmos/stores/bulk", json={"operations": operations}, timeout=30)
    made = [result["id"] for result in answer.json()["results"]]
    client = await connect()

    client.say({"action": "state", "channels": ["project:large"]})
    pages = []
    while not pages or not pages[-1]["is_last"]:
        pages.append((await client.message("system:snapshot"))["data"])

    assert len(pages) > 5
    assert [job["id"] for page in pages for job in page["joblogs"]] == sorted(made)


async def test_who_is_connected_is_listed(server: Server, http: httpx2.Client, connect: Connect) -> None:
    client = await connect(query="?filters=job,pattern&channels=project:p7")
    hello = (await client.message("system:connected"))["data"]
    await client.message("system:subscribed")
    await asyncio.sleep(0.005)  # the times of arrival are told apart by milliseconds
    silent = await connect()
    other = (await silent.message("system:connected"))["data"]["client"]

    body = http.get("/api/rmos/monitor/connections", params={"limit": 1000}).json()
    by_id = {one["id"]: one for one in body["connections"]}

    mine = by_id[hello["client"]]
    assert body["total"] == len(body["connections"])
    assert list(by_id).index(hello["client"]) < list(by_id).index(other)
    assert mine["peer"].startswith("127.0.0.1:")
    assert mine["cursor"].startswith(f"{hello['epoch']}:")
    assert mine["connected_at"] <= mine["heard_at"]
    stable = {name: mine[name] for name in mine if name not in ("peer", "cursor", "connected_at", "heard_at")}
    assert stable == {
        "id": hello["client"],
        "user": "local",
        "protocol": "rmos.monitor.v2",
        "transport": "websocket",
        "filters": ["job", "pattern"],
        "channels": ["project:p7"],
        "types": None,
        "mode": "stream",
        "lag": 0,
        "unsent_bytes": 0,
        "is_paused": False,
    }
    assert by_id[other]["filters"] == []
    assert len(http.get("/api/rmos/monitor/connections", params={"limit": 1}).json()["connections"]) == 1

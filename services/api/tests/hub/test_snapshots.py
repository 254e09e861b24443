"""Snapshots: the entities at one place of the log, as the client takes them, then what happened since."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rmos.errors import UnavailableError
from tests.hub.fakes import EPOCH, MemoryLog, RecordingSink, Shop, open_shop
from tests.hub.test_sweep import until

SNAPSHOT = '{"action":"subscribe","id":"s1","snapshot":true}'


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rmos.hub.paging.PAGE_ENTITIES", 3)


def change(log: MemoryLog, number: int, version: int = 1, name: str = "updated", **more: Any) -> None:
    data = json.dumps({"id": f"{number:03}", "version": version}).encode()
    log.append(f"job:{name}", key=f"job/{number:03}", version=version, data=data, **more)


def log_with(count: int) -> MemoryLog:
    log = MemoryLog()
    for number in range(count):
        change(log, number, name="created")
    return log


def parts(client: RecordingSink) -> list[dict[str, Any]]:
    return client.system("snapshot")


def shown(client: RecordingSink) -> dict[str, int]:
    """What a client holds that applies snapshots and events as PROTOCOL.md says: id → version."""
    jobs: dict[str, int] = {}
    for frame in client.frames():
        if frame["type"] == "system:snapshot":
            jobs |= {job["id"]: job["version"] for job in frame["data"]["joblogs"]}
        elif frame["type"] == "job:deleted":
            jobs.pop(frame["data"]["id"], None)
        elif frame["type"].startswith("job:"):
            jobs[frame["data"]["id"]] = frame["data"]["version"]
    return jobs


async def take_all(shop: Shop, client: RecordingSink) -> None:
    while not client.system("caught_up"):
        client.drain()
        await shop.settle_ring()


async def test_a_snapshot_comes_in_pages_of_one_place_then_the_events_after_it():
    async with open_shop(log_with(8)) as shop:
        client = shop.connect(SNAPSHOT)
        await shop.settle()
        change(shop.log, 0, 2)
        shop.hub.wake()
        await shop.settle()

        (answer,) = client.system("subscribed")
        assert answer["snapshot"] == {"offset": 8}
        assert answer["offset"] == 8
        assert [answer[key] for key in ("recovered", "reason", "replay", "id")] == [None, None, None, "s1"]
        assert [len(part["joblogs"]) for part in parts(client)] == [3, 3, 2]
        assert [part["is_last"] for part in parts(client)] == [False, False, True]
        assert {part["at"]["cursor"] for part in parts(client)} == {f"{EPOCH}:8"}
        assert client.offsets()[-1] == 9
        kinds = [frame["type"] for frame in client.frames()]
        assert kinds.index("system:caught_up") > kinds.index("system:snapshot")
        assert kinds[-1] == "job:updated"


async def test_an_empty_shop_has_one_empty_page():
    async with open_shop() as shop:
        client = shop.connect(SNAPSHOT)
        await shop.settle()

        (part,) = parts(client)
        assert (part["joblogs"], part["patterns"], part["strip_families"]) == ([], [], [])
        assert part["is_last"] is True
        assert client.system("caught_up") == [{"offset": 0}]


async def test_changes_during_a_snapshot_wait_and_bring_the_client_to_the_present():
    async with open_shop(log_with(9)) as shop:
        client = shop.connect(SNAPSHOT, capacity=200)
        await shop.settle_ring()
        assert len(parts(client)) == 1, "the client has taken nothing yet"

        change(shop.log, 8, 2)
        change(shop.log, 0, 2, "deleted")
        change(shop.log, 9, 1, "created")
        shop.hub.wake()
        await take_all(shop, client)

        assert shown(client) == {f"{n:03}": 1 for n in range(1, 8)} | {"008": 2, "009": 1}
        offsets = [frame["offset"] for frame in client.frames() if "offset" in frame]
        assert offsets == [10, 11, 12]


async def test_a_page_is_read_only_when_the_client_took_the_one_before():
    async with open_shop(log_with(30)) as shop:
        client = shop.connect(SNAPSHOT, capacity=100)
        await shop.settle_ring()
        before = shop.log.reads

        for _ in range(5):
            await shop.settle_ring()
        assert shop.log.reads == before

        client.drain()
        await shop.settle_ring()
        assert shop.log.reads == before + 1


async def test_a_heartbeat_within_a_snapshot_stays_at_its_place():
    async with open_shop(log_with(9)) as shop:
        client = shop.connect(SNAPSHOT, capacity=200)
        await shop.settle_ring()
        change(shop.log, 0, 2)
        shop.hub.wake()
        await shop.settle_ring()

        assert shop.hub.reached(client.subscriber) == 9


@pytest.mark.parametrize("command", ['{"action":"subscribe","filters":[]}', '{"action":"unsubscribe"}'])
async def test_another_subscription_ends_a_snapshot(command: str):
    async with open_shop(log_with(9)) as shop:
        client = shop.connect(SNAPSHOT, capacity=200)
        await shop.settle_ring()

        shop.say(client, command)
        for _ in range(5):
            client.drain()
            await shop.settle_ring()

        assert len(parts(client)) == 1
        assert client.offsets() == []


async def test_a_client_that_leaves_within_a_snapshot_leaves_nothing_behind():
    async with open_shop(log_with(9)) as shop:
        client = shop.connect(SNAPSHOT, capacity=200)
        await shop.settle_ring()
        before = shop.log.reads

        shop.hub.gone(client.subscriber)
        await shop.settle_ring()

        assert shop.log.reads == before


async def test_channels_narrow_a_snapshot_as_they_narrow_events():
    log = MemoryLog()
    change(log, 1, channels=("project:p7",))
    change(log, 2, channels=("project:p8",))
    change(log, 3)
    async with open_shop(log) as shop:
        client = shop.connect('{"action":"subscribe","snapshot":true,"channels":["project:p7"]}')
        await shop.settle()

        assert shown(client) == {"001": 1}


async def test_a_page_that_cannot_be_read_just_now_is_read_later(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("rmos.hub.filling._RETRY_S", 0.001)
    async with open_shop(log_with(9)) as shop:
        read, failures = shop.log.state, 3

        async def failing(*args: Any, **keys: Any) -> Any:
            nonlocal failures
            if keys["after"] and failures:
                failures -= 1
                raise UnavailableError("locked")
            return await read(*args, **keys)

        monkeypatch.setattr(shop.log, "state", failing)
        client = shop.connect(SNAPSHOT)
        await until(lambda: client.system("caught_up"))

        assert failures == 0
        assert len(shown(client)) == 9


async def test_snp_06_a_snapshot_that_cannot_be_begun_leaves_the_old_subscription(monkeypatch: pytest.MonkeyPatch):
    async with open_shop(log_with(2)) as shop:

        async def failing(*args: Any, **keys: Any) -> Any:
            raise UnavailableError("locked")

        monkeypatch.setattr(shop.log, "state", failing)
        client = shop.connect('{"action":"subscribe"}', SNAPSHOT)
        await shop.settle()
        shop.write(1)
        await shop.settle()

        (error,) = client.system("error")
        assert (error["code"], error["temporary"], error["id"]) == ("unavailable", True, "s1")
        assert client.offsets() == [3]


async def test_snp_06_whose_snapshot_outlives_retention_is_closed_to_ask_anew():
    async with open_shop(log_with(9)) as shop:
        client = shop.connect(SNAPSHOT, capacity=200)
        await shop.settle_ring()
        change(shop.log, 0, 2)
        change(shop.log, 0, 3)
        shop.hub.wake()
        await shop.settle_ring()

        shop.log.oldest = 11
        client.drain()
        await shop.settle_ring()

        assert client.closed_with is not None
        assert client.closed_with[0] == 4108

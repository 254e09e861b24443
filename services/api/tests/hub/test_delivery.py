"""Live delivery, replay and slow clients, against a log in memory."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rmos.hub.limits import MaxConnections
from rmos.hub.ring import BLOCK_BYTES
from rmos.hub.tailer import MAX_UNSENT
from tests.hub.fakes import EPOCH, MemoryLog, RecordingSink, open_shop
from tests.hub.test_sweep import until

SUBSCRIBE_ALL = '{"action":"subscribe"}'


def subscribe(**keys: object) -> str:
    return json.dumps({"action": "subscribe", **keys})


async def test_events_reach_who_subscribed_in_order_of_the_log():
    async with open_shop() as shop:
        client = shop.connect(SUBSCRIBE_ALL)

        shop.write(300)
        await shop.settle()

        assert client.offsets() == list(range(1, 301))


async def test_nothing_arrives_before_subscribe():
    async with open_shop() as shop:
        client = shop.connect()

        shop.write(3)
        await shop.settle()

        assert client.offsets() == []


async def test_each_client_gets_the_categories_of_its_own_filter():
    async with open_shop() as shop:
        jobs = shop.connect(subscribe(filters=["job"]))
        others = shop.connect(subscribe(filters=["pattern", "material"]))
        nothing = shop.connect(subscribe(filters=[]))

        for event_type in ("job:created", "pattern:created", "material:updated", "job:failed"):
            shop.write(1, event_type)
        await shop.settle()

        assert jobs.offsets() == [1, 4]
        assert others.offsets() == [2, 3]
        assert nothing.offsets() == []


async def test_channels_narrow_a_filter_and_stars_take_a_whole_namespace():
    async with open_shop() as shop:
        exact = shop.connect(subscribe(channels=["machine:cnc1"]))
        whole = shop.connect(subscribe(channels=["machine:*"]))

        shop.log.append("job:updated", channels=("machine:cnc1",))
        shop.log.append("job:updated", channels=("machine:cnc2", "project:p7"))
        shop.log.append("job:updated")
        shop.hub.wake()
        await shop.settle()

        assert exact.offsets() == [1]
        assert whole.offsets() == [1, 2]


async def test_caught_up_clients_of_one_filter_share_one_buffer():
    async with open_shop() as shop:
        first, second = (shop.connect(subscribe(filters=["job"])) for _ in range(2))

        shop.write(5)
        await shop.settle()

        assert first.writes[-1] is second.writes[-1]
        assert first.offsets() == [1, 2, 3, 4, 5]


async def test_since_replays_what_follows_the_cursor_then_says_so_then_goes_live():
    async with open_shop() as shop:
        shop.write(10)
        await shop.settle()

        client = shop.connect(subscribe(since=f"{EPOCH}:4", id="a"))
        await shop.settle()
        shop.write(2)
        await shop.settle()

        types = [frame["type"] for frame in client.frames()]
        assert client.system("subscribed")[0] | {"filters": 0, "channels": 0} == {
            "filters": 0,
            "channels": 0,
            "types": None,
            "mode": "stream",
            "id": "a",
            "epoch": EPOCH,
            "offset": 10,
            "recovered": True,
            "reason": None,
            "replay": {"from": 5, "to": 10, "truncated": False},
            "snapshot": None,
        }
        assert types.index("system:subscribed") < types.index("job:updated")
        assert [i for i, name in enumerate(types) if name == "system:caught_up"] == [8]
        assert client.offsets() == [5, 6, 7, 8, 9, 10, 11, 12]


async def test_since_the_head_recovers_with_nothing_to_replay():
    async with open_shop() as shop:
        shop.write(3)
        await shop.settle()

        client = shop.connect(subscribe(since=f"{EPOCH}:3"))
        await shop.settle()

        assert client.system("subscribed")[0]["recovered"] is True
        assert client.system("subscribed")[0]["replay"] is None
        assert client.system("caught_up") == [{"offset": 3}]


@pytest.mark.parametrize(
    ("since", "reason"),
    [("other:3", "epoch_changed"), (f"{EPOCH}:99", "future_cursor"), (f"{EPOCH}:1", "expired")],
)
async def test_a_cursor_that_cannot_be_resumed_is_told_and_live_goes_on(since: str, reason: str):
    log = MemoryLog()
    for _ in range(10):
        log.append("job:updated")
    log.oldest = 5
    async with open_shop(log) as shop:
        client = shop.connect(subscribe(since=since))
        await shop.settle()
        shop.write(1)
        await shop.settle()

        answer = client.system("subscribed")[0]
        assert (answer["recovered"], answer["reason"], answer["replay"]) == (False, reason, None)
        assert client.system("caught_up") == []
        assert client.offsets() == [11]


async def test_the_oldest_cursor_that_can_be_resumed_is_the_one_before_the_oldest_event():
    log = MemoryLog()
    for _ in range(10):
        log.append("job:updated")
    log.oldest = 5
    async with open_shop(log) as shop:
        client = shop.connect(subscribe(since=f"{EPOCH}:4"))
        await shop.settle()

        assert client.offsets() == [5, 6, 7, 8, 9, 10]


async def test_a_cursor_ahead_of_the_hub_but_not_of_the_log_is_resumed():
    async with open_shop() as shop:
        client = shop.connect()
        shop.log.append("job:updated")
        shop.log.append("job:updated")  # committed, and the hub was not told

        shop.say(client, subscribe(since=f"{EPOCH}:2"))
        await shop.settle()
        shop.write(1)
        await shop.settle()

        assert client.system("subscribed")[0]["recovered"] is True
        assert client.offsets() == [3]


async def test_last_replays_the_newest_matching_events():
    async with open_shop() as shop:
        for _ in range(5):
            shop.write(1, "job:updated")
            shop.write(1, "pattern:updated")
        await shop.settle()

        client = shop.connect(subscribe(filters=["job"], last=2))
        await shop.settle()

        assert client.offsets() == [7, 9]
        assert client.system("caught_up") == [{"offset": 10}]


async def test_commands_behind_one_that_reads_the_log_are_carried_out_in_order():
    async with open_shop() as shop:
        shop.write(3)
        await shop.settle()

        client = shop.connect(
            subscribe(last=1, id="1"),
            '{"action":"ping","id":"2"}',
            subscribe(last=2, id="3"),
            '{"action":"dance","id":"4"}',
            '{"action":"ping"}',
        )
        await shop.settle()

        answered = ("system:subscribed", "system:pong", "system:error")
        answers = [frame["data"].get("id") for frame in client.frames() if frame["type"] in answered]
        assert answers == ["1", "2", "3", "4", None]


async def test_who_unsubscribes_at_once_gets_no_snapshot_any_more():
    async with open_shop() as shop:
        client = shop.connect(subscribe(filters=["metrics"]), '{"action":"unsubscribe"}')
        other = shop.connect(subscribe(filters=["metrics"]))
        await shop.settle()

        assert "metrics:snapshot" in [frame["type"] for frame in other.frames()]
        assert "metrics:snapshot" not in [frame["type"] for frame in client.frames()]


async def test_unsubscribe_and_narrowing_end_the_wider_delivery():
    async with open_shop() as shop:
        client = shop.connect(SUBSCRIBE_ALL)
        shop.write(1)
        await shop.settle()

        shop.say(client, subscribe(filters=["pattern"]))
        shop.write(1)
        await shop.settle()
        shop.say(client, '{"action":"unsubscribe"}')
        shop.write(1, "pattern:updated")
        await shop.settle()

        assert client.offsets() == [1]
        assert client.system("subscribed")[-1]["filters"] == []


async def test_a_full_client_is_not_written_to_and_goes_on_where_it_was():
    async with open_shop() as shop:
        slow = shop.connect(SUBSCRIBE_ALL, capacity=2000)
        quick = shop.connect(SUBSCRIBE_ALL)

        shop.write(1000)
        await shop.settle()
        held = len(slow.writes)
        shop.write(1000)
        await shop.settle()

        assert quick.offsets() == list(range(1, 2001))
        assert len(slow.writes) == held
        slow.capacity = None
        slow.drain()
        await shop.settle()
        assert slow.offsets() == list(range(1, 2001))


async def test_a_client_that_fell_off_the_ring_is_served_from_the_log():
    async with open_shop(ring_events=256) as shop:
        slow = shop.connect(SUBSCRIBE_ALL, capacity=100)
        shop.write(5000)
        await shop.settle()
        assert len(slow.offsets()) < 500

        slow.capacity = None
        slow.drain()
        await shop.settle()

        assert slow.offsets() == list(range(1, 5001))
        assert slow.subscriber.is_caught_up


async def test_a_crowd_that_fell_off_the_ring_shares_the_pages_of_the_log():
    async with open_shop(ring_events=256) as shop:
        shop.write(4000)
        await shop.settle()
        before = shop.log.reads

        crowd = [shop.connect(subscribe(since=f"{EPOCH}:0")) for _ in range(50)]
        await shop.settle()

        assert all(client.offsets() == list(range(1, 4001)) for client in crowd)
        assert shop.log.reads - before < 50


async def test_a_client_behind_retention_is_closed_with_4108():
    async with open_shop(ring_events=256) as shop:
        slow = shop.connect(SUBSCRIBE_ALL, capacity=100)
        shop.write(5000)
        await shop.settle()

        shop.log.oldest = 4000
        slow.drain()
        await shop.settle()

        assert slow.closed_with is not None
        assert slow.closed_with[0] == 4108
        assert slow.system("closing")[0]["reconnect"] is True


async def test_large_events_are_cut_into_bounded_writes():
    async with open_shop() as shop:
        client = shop.connect(SUBSCRIBE_ALL)

        shop.write(40, data=b'"' + b"x" * 50_000 + b'"')
        await shop.settle()

        assert client.offsets() == list(range(1, 41))
        assert max(len(write) for write in client.writes) <= BLOCK_BYTES


async def test_writers_wait_while_the_fan_out_is_far_behind():
    async with open_shop() as shop:
        crowd = [shop.connect(SUBSCRIBE_ALL, capacity=1) for _ in range(3)]
        for client in crowd:
            client.held = 0
        shop.write(1)
        await shop.settle()
        await shop.hub.room()

        shop.write(MAX_UNSENT * 2)
        await shop.settle()

        assert shop.hub.head <= MAX_UNSENT * 2 + 1


def snapshots(client: RecordingSink) -> int:
    return [frame["type"] for frame in client.frames()].count("metrics:snapshot")


async def test_a_newcomer_to_metrics_gets_a_snapshot_soon_and_nobody_else_does():
    async with open_shop() as shop:
        other = shop.connect(subscribe(filters=["metrics"]))
        await shop.settle()
        assert snapshots(other) == 1
        client = shop.connect(subscribe(filters=["metrics"]))
        await until(lambda: snapshots(client) == 1)

        assert snapshots(other) == 1


async def test_a_crowd_that_comes_within_a_moment_shares_snapshots(monkeypatch: pytest.MonkeyPatch):
    async with open_shop() as shop:
        fed = []
        broadcast = shop.hub.broadcast

        def counted(*args: Any, **kwargs: Any) -> None:
            fed.append(args)
            broadcast(*args, **kwargs)

        monkeypatch.setattr(shop.hub, "broadcast", counted)
        crowd = []
        for _ in range(50):
            crowd.append(shop.connect(subscribe(filters=["metrics"])))
            await shop.settle()
        await until(lambda: all(snapshots(client) for client in crowd))

        assert {snapshots(client) for client in crowd} == {1}
        assert len(fed) < 25


async def test_too_many_connections_are_turned_away_with_4129():
    async with open_shop(max_connections=MaxConnections(2, None, 2)) as shop:
        shop.connect()
        shop.connect()

        third = shop.connect()

        assert third.closed_with is not None
        assert third.closed_with[0] == 4129
        assert len(shop.hub.subscribers) == 2


async def test_a_fault_of_the_hub_closes_with_1011_and_the_hub_starts_again(monkeypatch: pytest.MonkeyPatch):
    async with open_shop(poll_s=0.01) as shop:
        client = shop.connect(SUBSCRIBE_ALL)
        monkeypatch.setattr("rmos.hub.ring.join_matching", lambda *_: 1 / 0)
        shop.write(1)
        await shop.settle()
        assert client.closed_with == (1011, "internal error")
        monkeypatch.undo()

        again = shop.connect(subscribe(since=f"{EPOCH}:0"))
        while not again.offsets():
            await shop.settle()

        assert again.offsets() == [1]


async def test_a_subscription_narrowed_by_channels_gets_no_metrics():
    async with open_shop(metrics_interval_s=0.01) as shop:
        narrow = shop.connect(subscribe(channels=["machine:*"]))
        wide = shop.connect(subscribe(filters=["metrics"]))

        while [f["type"] for f in wide.frames()].count("metrics:snapshot") < 3:
            await shop.settle()

        assert "metrics:snapshot" not in [f["type"] for f in narrow.frames()]

"""Mode `latest`: what it leaves out, what never, and that it says so; and that it helps who is slow."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from rmos.domain.events import Event
from rmos.domain.filters import parse_filter
from rmos.hub.conflation import conflated
from rmos.hub.ring import BLOCK_BYTES, make_entry
from tests.hub.fakes import EPOCH, NOON, MemoryLog, RecordingSink, open_shop

ALL = parse_filter(["all"])


def subscribe(**keys: object) -> str:
    return json.dumps({"action": "subscribe", **keys})


def update(log: MemoryLog, key: str, version: int, name: str = "updated", **more: object) -> None:
    log.append(f"job:{name}", key=key, version=version, **more)


def left_out(client: RecordingSink) -> int:
    return sum(report["count"] for report in client.system("conflated"))


async def test_latest_gets_the_newest_update_of_each_entity_and_every_beginning_and_end():
    async with open_shop() as shop:
        latest, stream = (shop.connect(subscribe(mode=mode)) for mode in ("latest", "stream"))
        for name, version in (("created", 1), ("updated", 2), ("updated", 3), ("completed", 4)):
            update(shop.log, "job/a", version, name)
        for version in (1, 2, 3):
            update(shop.log, "job/b", version)

        shop.hub.wake()
        await shop.settle()

        assert stream.offsets() == [1, 2, 3, 4, 5, 6, 7]
        assert latest.offsets() == [1, 4, 7]
        assert latest.system("conflated") == [{"from": 1, "to": 7, "count": 4}]
        assert stream.system("conflated") == []


async def test_nothing_is_left_out_for_an_event_that_the_filter_does_not_want():
    async with open_shop() as shop:
        client = shop.connect(subscribe(mode="latest", types=["job:updated"]))
        update(shop.log, "job/a", 2)
        update(shop.log, "job/a", 3, "completed")

        shop.hub.wake()
        await shop.settle()

        assert client.offsets() == [1]
        assert left_out(client) == 0


async def test_events_of_programs_are_never_left_out_and_supersede_nothing():
    async with open_shop() as shop:
        client = shop.connect(subscribe(mode="latest"))
        update(shop.log, "job/a", 2)
        for _ in range(2):
            shop.log.append("job:updated", key="job/a")
            shop.log.append("job:custom_status", key="job/a")
            shop.log.append("job:updated")

        shop.hub.wake()
        await shop.settle()

        assert client.offsets() == [1, 2, 3, 4, 5, 6, 7]
        assert left_out(client) == 0


async def test_metrics_of_one_key_and_type_supersede_each_other():
    async with open_shop() as shop:
        client = shop.connect(subscribe(mode="latest", filters=["metrics"]))
        for name, key in (("load", "m1"), ("load", "m2"), ("load", "m1"), ("anomaly", "m1"), ("load", None)):
            shop.log.append(f"metrics:{name}", key=key)

        shop.hub.wake()
        await shop.settle()

        assert client.offsets() == [2, 3, 4, 5]
        assert left_out(client) == 1


async def test_a_slow_client_in_mode_latest_skips_over_thousands_of_updates():
    async with open_shop() as shop:
        slow = shop.connect(subscribe(mode="latest"), capacity=2000)
        for version in range(1, 4001):
            update(shop.log, f"job/{version % 4}", version)
        shop.hub.wake()
        await shop.settle()

        for _ in range(200):
            slow.drain()
            await shop.settle()

        assert slow.offsets()[-4:] == [3997, 3998, 3999, 4000]
        assert len(slow.offsets()) + left_out(slow) == 4000
        assert len(slow.writes) < 60, "it caught up in few writes"
        assert max(len(write) for write in slow.writes) <= BLOCK_BYTES + 1000


async def test_a_resumption_in_mode_latest_is_conflated_too_whether_from_the_ring_or_the_log():
    log = MemoryLog()
    for version in range(1, 1001):
        update(log, "job/a", version)
    async with open_shop(log) as shop:  # the ring begins at the head, so all this comes from the log
        client = shop.connect(subscribe(mode="latest", since=f"{EPOCH}:0"))
        await shop.settle()

        assert client.offsets()[-1] == 1000
        assert len(client.offsets()) + left_out(client) == 1000
        assert left_out(client) >= 990
        assert client.frames()[-1]["type"] == "system:caught_up"


EVENTS = st.builds(
    Event,
    type=st.sampled_from(["job:created", "job:updated", "job:completed", "job:deleted", "job:note", "metrics:load"]),
    data=st.just(b"{}"),
    timestamp=st.just(NOON),
    key=st.none() | st.sampled_from(["job/a", "job/b"]),
    version=st.none() | st.integers(1, 9),
)


@given(st.lists(EVENTS, max_size=12))
def test_what_is_left_out_is_always_superseded_by_what_is_kept(events: list[Event]) -> None:
    entries = [make_entry(event, EPOCH) for event in events]

    kept, count = conflated(entries, ALL)

    assert kept == [entry for entry in entries if entry in kept], "the order is kept"
    assert count == len(entries) - len(kept)
    for place, entry in enumerate(entries):
        if entry not in kept:
            assert entry.type in ("job:updated", "metrics:load")
            assert entry.key is not None
            later = [other for other in entries[place + 1 :] if other in kept and other.key == entry.key]
            if entry.type == "metrics:load":
                assert any(other.type == entry.type for other in later)
            else:
                assert any(other.version is not None and other.type != "job:note" for other in later)

"""Starts by time, strict ones, and what is said when less can be given than was asked for."""

from __future__ import annotations

import json

from rmos.protocol.session import MAX_ERRORS_IN_A_ROW
from tests.hub.fakes import EPOCH, MemoryLog, open_shop


def subscribe(**keys: object) -> str:
    return json.dumps({"action": "subscribe", **keys})


def log_of(*minutes: int, oldest: int = 1) -> MemoryLog:
    log = MemoryLog()
    for minute in minutes:
        log.append("job:updated", timestamp=f"2026-11-24T10:{minute:02}:00.000Z")
    log.oldest = oldest
    return log


async def test_from_time_begins_with_the_first_event_that_is_not_older():
    async with open_shop(log_of(0, 1, 2, 3)) as shop:
        client = shop.connect(subscribe(from_time="2026-11-24T10:02:00Z"))
        await shop.settle()
        shop.write(1)
        await shop.settle()

        (answer,) = client.system("subscribed")
        assert (answer["recovered"], answer["reason"]) == (True, None)
        assert answer["replay"] == {"from": 3, "to": 4, "truncated": False}
        assert client.offsets() == [3, 4, 5]
        assert client.system("caught_up") == [{"offset": 4}]


async def test_a_time_in_the_future_is_the_head():
    async with open_shop(log_of(0, 1)) as shop:
        client = shop.connect(subscribe(from_time="2100-01-01T00:00:00Z"))
        await shop.settle()

        (answer,) = client.system("subscribed")
        assert (answer["recovered"], answer["replay"]) == (True, None)
        assert client.system("caught_up") == [{"offset": 2}]


async def test_a_time_before_what_is_kept_gets_what_is_kept_and_is_told():
    async with open_shop(log_of(0, 1, 2, 3, oldest=3)) as shop:
        early = shop.connect(subscribe(from_time="2026-11-24T10:00:30Z"))
        within = shop.connect(subscribe(from_time="2026-11-24T10:03:00Z"))
        await shop.settle()

        assert early.offsets() == [3, 4]
        assert early.system("subscribed")[0]["reason"] == "too_far"
        assert early.system("subscribed")[0]["replay"]["truncated"] is True
        assert within.offsets() == [4]
        assert within.system("subscribed")[0]["reason"] is None


async def test_last_is_truncated_only_where_fewer_are_kept_than_were_asked_for():
    async with open_shop(log_of(0, 1, 2, 3, oldest=3)) as shop:
        more, exactly = (shop.connect(subscribe(last=count)) for count in (3, 2))
        await shop.settle()

        assert more.offsets() == exactly.offsets() == [3, 4]
        assert more.system("subscribed")[0]["reason"] == "too_far"
        assert more.system("subscribed")[0]["replay"]["truncated"] is True
        assert exactly.system("subscribed")[0]["reason"] is None
        assert exactly.system("subscribed")[0]["replay"]["truncated"] is False


async def test_last_of_a_whole_log_is_never_truncated():
    async with open_shop(log_of(0, 1)) as shop:
        client = shop.connect(subscribe(last=50))
        await shop.settle()

        assert client.system("subscribed")[0]["replay"] == {"from": 1, "to": 2, "truncated": False}


async def test_a_strict_start_that_cannot_be_kept_is_refused_and_the_old_subscription_goes_on():
    async with open_shop(log_of(0, 1, 2, 3, oldest=3)) as shop:
        client = shop.connect(subscribe(filters=["job"]))
        for number, (start, code) in enumerate(
            (
                ({"since": "other:1"}, "epoch_changed"),
                ({"since": f"{EPOCH}:99"}, "future_cursor"),
                ({"since": f"{EPOCH}:1"}, "expired"),
                ({"last": 3}, "too_far"),
                ({"from_time": "2026-11-24T10:00:00Z"}, "too_far"),
            ),
            start=1,
        ):
            shop.say(client, subscribe(id=f"s{number}", filters=["pattern"], strict=True, **start))
            await shop.settle()
            error = client.system("error")[-1]
            assert (error["id"], error["code"]) == (f"s{number}", code)
            assert (error["temporary"], error["retry_after"]) == (False, None)

        shop.write(1)
        shop.write(1, "pattern:created")
        await shop.settle()
        assert client.offsets() == [5]
        assert len(client.system("subscribed")) == 1


async def test_refusals_of_strict_starts_close_no_connection():
    async with open_shop(log_of(0)) as shop:
        client = shop.connect(*[subscribe(since="other:1", strict=True)] * (MAX_ERRORS_IN_A_ROW + 2))
        await shop.settle()

        assert len(client.system("error")) == MAX_ERRORS_IN_A_ROW + 2
        assert client.closed_with is None


async def test_a_strict_start_that_can_be_kept_is_kept():
    async with open_shop(log_of(0, 1, 2, 3, oldest=3)) as shop:
        client = shop.connect(subscribe(since=f"{EPOCH}:2", strict=True))
        await shop.settle()

        assert client.offsets() == [3, 4]
        assert client.system("error") == []


async def test_the_log_decides_what_has_expired_also_while_the_ring_still_has_it():
    """RES-07."""
    async with open_shop(log_of()) as shop:
        shop.write(4)
        await shop.settle()
        shop.log.oldest = 4
        shop.connect(subscribe(last=1))  # for it the hub looks at the log, and learns what that still keeps
        await shop.settle()

        expired, kept = (shop.connect(subscribe(since=f"{EPOCH}:{offset}")) for offset in (2, 3))
        await shop.settle()

        assert [(a["recovered"], a["reason"]) for a in expired.system("subscribed")] == [(False, "expired")]
        assert expired.offsets() == []
        assert [(a["recovered"], a["reason"]) for a in kept.system("subscribed")] == [(True, None)]
        assert kept.offsets() == [4]


async def test_a_loss_is_told_in_offsets_before_anything_else():
    async with open_shop(log_of(0, 1, 2, 3, oldest=4)) as shop:
        expired, changed, future = (
            shop.connect(subscribe(since=since)) for since in (f"{EPOCH}:1", "other:3", f"{EPOCH}:9")
        )
        await shop.settle()
        shop.write(1)
        await shop.settle()

        assert expired.system("gap") == [{"from": 2, "to": 4, "reason": "expired"}]
        assert changed.system("gap") == [{"from": 1, "to": 4, "reason": "epoch_changed"}]
        assert future.system("gap") == []
        for client in (expired, changed, future):
            assert client.offsets() == [5]


async def test_of_an_empty_log_nothing_can_be_lost():
    async with open_shop(log_of()) as shop:
        client = shop.connect(subscribe(since="other:3"))
        await shop.settle()

        assert client.system("subscribed")[0]["reason"] == "epoch_changed"
        assert client.system("gap") == []

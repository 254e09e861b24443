"""How many may come: in all, from one address, and of one user."""

from __future__ import annotations

import logging

import pytest

from rmos.auth.identity import LOCAL, UNKNOWN, Identity
from rmos.domain.access import Role
from rmos.hub.limits import PER_ADDRESS, MaxConnections
from rmos.hub.subscriber import Subscriber
from rmos.protocol.commands import Subscribe, parse_query
from tests.hub.fakes import RecordingSink, Shop, open_shop

MAYA = Identity("maya", Role.VIEWER, credential="key:1")
NOAH = Identity("noah", Role.VIEWER, credential="key:2")


def come(shop: Shop, address: str | None, identity: Identity = LOCAL, *, is_stream: bool = False) -> RecordingSink:
    """One more client."""
    sink = RecordingSink(shop.hub)
    sink.subscriber = shop.hub.connect(sink, is_v2=True, identity=identity, address=address)
    if is_stream:
        shop.hub.listen(sink.subscriber, everything())
    else:
        shop.hub.welcome(sink.subscriber)
    return sink


def everything() -> Subscribe:
    command = parse_query([("filters", "all")])
    assert command is not None
    return command


def is_refused(sink: RecordingSink) -> bool:
    return sink.closed_with is not None and sink.closed_with[0] == 4129


async def test_sockets_and_streams_of_one_address_are_counted_together():
    async with open_shop(max_connections=MaxConnections(100, 2, 100)) as shop:
        came = [come(shop, "10.0.0.7"), come(shop, "10.0.0.7", is_stream=True)]

        assert not any(map(is_refused, came))
        assert is_refused(come(shop, "10.0.0.7"))
        assert is_refused(come(shop, "10.0.0.7", is_stream=True))
        assert shop.hub.too_many("10.0.0.7", LOCAL) == "too many connections from this address"
        assert not is_refused(come(shop, "10.0.0.8"))


async def test_connections_of_one_user_are_counted_wherever_they_come_from():
    async with open_shop(max_connections=MaxConnections(100, None, 2)) as shop:
        for n in range(2):
            assert not is_refused(come(shop, f"10.0.0.{n}", MAYA))

        assert is_refused(come(shop, "10.0.0.9", MAYA))
        assert not is_refused(come(shop, "10.0.0.9", NOAH))


async def test_who_has_left_makes_room():
    async with open_shop(max_connections=MaxConnections(100, 1, 1)) as shop:
        first = come(shop, "10.0.0.7", MAYA)
        assert is_refused(come(shop, "10.0.0.7", MAYA))

        shop.hub.gone(first.subscriber)

        assert not is_refused(come(shop, "10.0.0.7", MAYA))


async def test_a_refusal_says_when_to_come_back():
    async with open_shop(max_connections=MaxConnections(1, None, 1)) as shop:
        come(shop, "10.0.0.7")

        (closing,) = come(shop, "10.0.0.8").system("closing")

        assert closing["reconnect"] is True
        assert closing["retry_after"] > 0
        assert closing["reason"] == "this server has as many connections as it may"


async def test_unless_it_was_set_this_machine_has_no_limit_of_its_own_and_others_have():
    async with open_shop(max_connections=MaxConnections(10_000, None, 1)) as shop:
        for address in ("127.0.0.1", "::1"):
            assert not any(is_refused(come(shop, address)) for _ in range(PER_ADDRESS + 1))

        assert not any(is_refused(come(shop, "10.0.0.7")) for _ in range(PER_ADDRESS))
        assert is_refused(come(shop, "10.0.0.7"))


async def test_who_says_later_who_they_are_is_counted_as_one():
    async with open_shop(max_connections=MaxConnections(100, 2, 1)) as shop:
        client = come(shop, "10.0.0.7", UNKNOWN)
        later(client.subscriber, MAYA, shop)
        assert client.system("connected")

        second = come(shop, "10.0.0.7", UNKNOWN)
        assert not is_refused(second)
        later(second.subscriber, MAYA, shop)

        assert is_refused(second)
        assert not is_refused(come(shop, "10.0.0.7", NOAH))


def later(subscriber: Subscriber, identity: Identity, shop: Shop) -> None:
    """What the doorkeeper does once it knows."""
    subscriber.identity = identity
    shop.hub.welcome(subscriber)


async def test_a_storm_beyond_the_limit_is_told_of_once_and_harms_nobody(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO, "rmos")
    async with open_shop(max_connections=MaxConnections(100, 1, 1)) as shop:
        listener = come(shop, "10.0.0.7")
        shop.say(listener, '{"action":"subscribe"}')

        assert all(is_refused(come(shop, "10.0.0.7")) for _ in range(2000))
        shop.write(3)
        await shop.settle()

        assert listener.offsets() == [1, 2, 3]
        assert len(shop.hub.subscribers) == 1
        assert [record.message for record in caplog.records] == ["connections refused"]

"""Subscribers that listen in different forms to one hub."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rmos.domain.filters import EVERYTHING, EventFilter
from rmos.hub.ring import RING_BYTES, Order, Ring, make_entry
from rmos.protocol.close_codes import CloseCode
from rmos.protocol.forms import TEXT_FRAMES, Form, Forms
from rmos.protocol.messages import event_frame
from tests.hub.fakes import EPOCH, MemoryLog, RecordingSink, Shop, open_shop
from tests.streams import EventStreamReader

FORMS = Forms.of(epoch=EPOCH, site="shop")


class StreamSink(RecordingSink):
    """A sink of server-sent events."""

    def frames(self) -> list[dict[str, Any]]:
        return [event.frame for event in EventStreamReader().feed(b"".join(self.writes))]

    def write(self, data: bytes) -> None:
        assert self.closed_with is None, "written to after its close"
        assert data.endswith(b"\n\n"), "only whole events"
        self.writes.append(data)
        self.held += len(data)
        if self.capacity is not None and self.held > self.capacity and not self.subscriber.is_paused:
            self.hub.paused(self.subscriber)


def listen(shop: Shop, form: Form, *, capacity: int | None = None, **keys: object) -> StreamSink:
    """A client that listens in this form."""
    sink = StreamSink(shop.hub, capacity=capacity)
    sink.subscriber = shop.hub.connect(sink, is_v2=True, form=form)
    shop.hub.welcome(sink.subscriber)
    shop.say(sink, json.dumps({"action": "subscribe", **keys}))
    return sink


async def test_each_listens_in_its_own_form_to_the_same_events():
    async with open_shop() as shop:
        frames = shop.connect('{"action":"subscribe","filters":["job"]}')
        stream = listen(shop, FORMS.event_stream, filters=["job"])
        cloud = listen(shop, FORMS.cloud_event_stream, filters=["job"])

        shop.write(3)
        shop.write(1, "pattern:created")
        await shop.settle()

        assert stream.offsets() == frames.offsets() == [1, 2, 3]
        assert [f["id"] for f in cloud.frames()][-3:] == [f"{EPOCH}:{n}" for n in (1, 2, 3)]
        assert cloud.frames()[0]["type"] == "rmos.system.connected"


async def test_those_who_ask_for_the_same_in_one_form_share_one_buffer():
    async with open_shop() as shop:
        first, second = (listen(shop, FORMS.event_stream) for _ in range(2))

        shop.write(5)
        await shop.settle()

        assert first.writes[-1] is second.writes[-1]


@pytest.mark.parametrize("ring_events", [256, 4096])
async def test_resuming_in_a_form_gets_every_event_once_from_ring_and_log(ring_events: int):
    log = MemoryLog()
    for _ in range(1500):
        log.append("job:updated")
    async with open_shop(log, ring_events=ring_events) as shop:
        shop.write(300)
        client = listen(shop, FORMS.event_stream, since=f"{EPOCH}:7")
        shop.write(300)
        await shop.settle()

        assert client.offsets() == list(range(8, 2101))
        assert client.system("caught_up") == [{"offset": client.system("subscribed")[0]["offset"]}]


async def test_slow_reader_of_a_stream_goes_on_from_its_place():
    async with open_shop(ring_events=256) as shop:
        slow = listen(shop, FORMS.event_stream, capacity=2000)
        other = listen(shop, FORMS.event_stream)

        shop.write(1000)
        await shop.settle()
        assert other.offsets() == list(range(1, 1001))
        while slow.subscriber.is_paused:
            slow.drain()
            await shop.settle()

        assert slow.offsets() == list(range(1, 1001))


async def test_last_words_are_in_the_form_of_the_listener():
    async with open_shop() as shop:
        client = listen(shop, FORMS.event_stream)

        shop.hub.close_everyone(CloseCode.RESTART)

        assert client.system("closing")[0]["code"] == 1012


async def test_broadcasts_are_encoded_in_every_form():
    async with open_shop() as shop:
        frames = shop.connect('{"action":"subscribe","filters":["metrics"]}')
        stream = listen(shop, FORMS.event_stream, filters=["metrics"])
        cloud = listen(shop, FORMS.cloud_event_stream, filters=["metrics"])
        await shop.settle()

        assert frames.frames()[-1]["type"] == stream.frames()[-1]["type"] == "metrics:snapshot"
        assert cloud.frames()[-1]["type"] == "rmos.metrics.snapshot"


def test_an_event_is_encoded_once_a_form_and_every_form_counts_for_the_bound_of_bytes():
    log, encoded = MemoryLog(), 0

    class Counting:
        def encode(self, payload: bytes) -> bytes:
            nonlocal encoded
            encoded += 1
            return FORMS.event_stream.encode(payload)

    form, wanted = Counting(), EventFilter(EVERYTHING)
    ring = Ring(capacity=512, head=0)
    for _ in range(256):
        ring.append(make_entry(log.append("job:updated", data=b'"%b"' % (b"x" * (RING_BYTES // 300))), EPOCH))
    ring.mark_sent(256)
    assert ring.oldest == 1

    kept = ring.entries(0, 128)
    for _ in range(3):
        ring.write_for(Order(wanted, form), kept, after=0)
    ring.write_for(Order(wanted, TEXT_FRAMES), kept, after=0)

    assert encoded == 128
    assert ring.oldest > 1
    assert not ring.is_over_bytes


def test_ring_with_more_unsent_bytes_than_it_may_keep_shrinks_when_they_are_sent():
    log, ring = MemoryLog(), Ring(capacity=512, head=0)
    for _ in range(300):
        ring.append(make_entry(log.append("job:updated", data=b'"%b"' % (b"x" * (RING_BYTES // 256))), EPOCH))
    assert ring.is_over_bytes

    ring.mark_sent(ring.head)

    assert not ring.is_over_bytes
    assert event_frame(log.events[-1], EPOCH) in ring.entries(299, 300)[0].frame

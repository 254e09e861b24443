"""Every competitor must be given the same events, and the number of deliveries to expect must be right."""

from __future__ import annotations

import json

import orjson
import pytest

from benchmarks import events
from benchmarks.servers.shop import ready_event
from rmos.protocol.messages import event_frame


@pytest.mark.parametrize("offset", [1, 2, 3, 4, 1000])
def test_rmos_and_the_published_way_send_the_same_message(offset: int) -> None:
    ours = event_frame(ready_event(offset), "k3f9q2")
    published = json.dumps(events.message_of(offset), separators=(",", ":")).encode()

    assert orjson.loads(ours) == orjson.loads(published)
    assert len(ours) == len(published)
    assert 380 <= len(ours) <= 400


def test_deliveries_are_counted_as_each_connection_would_see_them() -> None:
    connections, first, count = 21, 7, 13

    expected = sum(
        events.matches(events.EIGHT_FILTERS[connection % 8], offset)
        for connection in range(connections)
        for offset in range(first, first + count)
    )

    assert events.deliveries(events.EIGHT_FILTERS, connections, first, count) == expected

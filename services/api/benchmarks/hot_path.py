"""The hot path alone: a real hub between a log in memory and transports in memory.

`python -m benchmarks.hot_path <events> <batch> <subscribers> <filters>` delivers that many events, `batch` of them
pending together, to subscribers who were dealt the first so many of `events.EIGHT_FILTERS`. It says nothing: what it
costs is counted from outside, by `benchmarks.instructions`. Nothing here depends on a kernel, a socket or a clock.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import deque
from typing import Final

from benchmarks import events
from benchmarks.servers.ready_log import ReadyLog, ready_event
from rmos.hub.hub import Hub, HubOptions
from rmos.hub.limits import MaxConnections
from rmos.hub.sweep import Periods

_NEVER_S: Final = 1e6
_OPTIONS: Final = HubOptions(
    periods=Periods(_NEVER_S, _NEVER_S, _NEVER_S, _NEVER_S),
    ring_events=4096,
    poll_s=_NEVER_S,
    metrics_interval_s=_NEVER_S,
    max_connections=MaxConnections(100_000, None, 100_000),
)


class MemorySink:
    """Holds the newest bytes it was given, and is never full."""

    peer = "memory"
    unsent_bytes = 0

    def __init__(self) -> None:
        self._taken: deque[bytes] = deque(maxlen=1)
        self.write = self._taken.append

    @property
    def transport(self) -> MemorySink:
        """Itself."""
        return self

    def ping(self) -> bool:
        """There is nobody to answer."""
        return False

    def close(self, code: int, reason: str, *, last_words: bytes = b"") -> None:
        """Nothing to close."""


async def deliver(count: int, batch: int, subscribers: int, filters: int) -> int:
    """Deliver `count` events. Returns the offset that the hub has reached with everybody."""
    log = ReadyLog()
    hub = Hub(log, await log.head(), _OPTIONS, snapshot_source=_no_snapshot)
    running = asyncio.create_task(hub.run())
    for number in range(subscribers):
        subscriber = hub.connect(MemorySink(), is_v2=True)
        hub.welcome(subscriber)
        names = events.EIGHT_FILTERS[number % filters]
        hub.receive_text(subscriber, json.dumps({"action": "subscribe", "filters": names}))
    for first in range(1, count + 1, batch):
        last = min(first + batch - 1, count)
        log.extend(ready_event(number) for number in range(first, last + 1))
        hub.wake()
        while hub.reached(subscriber) < last:  # noqa: ASYNC110  # one speaks for all: groups are written to in one step
            await asyncio.sleep(0)
    reached = min(hub.reached(subscriber) for subscriber in hub.subscribers)
    running.cancel()
    return reached


async def _no_snapshot() -> bytes:
    return b'{"type":"metrics:snapshot","data":{},"timestamp":""}'


if __name__ == "__main__":
    wanted = [int(word) for word in sys.argv[1:]]
    if asyncio.run(deliver(*wanted)) != wanted[0]:
        sys.exit("not everything was delivered")

"""One client that takes nothing, among many: do the others wait for it?

    python -m soak.slow_consumer [--clients 1000] [--rounds 5] [--events 40]

Each round measures the others' delays twice, one right after the other: with the client reading, and with it stalled.
`p99_ratio` is the median of the rounds' ratios. In the end the stalled one reads again, and must have missed nothing.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.machine import raise_file_limit
from soak.checker import Evidence, Violation, violations
from soak.crowd import PATIENCE_S, Crowd
from soak.journal import Heard
from soak.listener import Listener, hang_up
from soak.load import post_moments, post_patterns
from soak.report import finish, parser_of
from soak.servers import Nursery, Served

EVENT_BYTES: Final = 1000
RECEIVE_BUFFER_BYTES: Final = 4096
"""Of the slow client: with the system's usual megabytes it would never be full."""
_FILL_EVENTS: Final = 400
"""What the system still takes for it, and the server's own high-water mark, are full then."""
_PAUSE_S: Final = 0.02


@dataclass(slots=True)
class Seen:
    """Delays of the others in ms, one of each a round, and what the checker says."""

    p99_reading_ms: list[float] = field(default_factory=list)
    p99_stalled_ms: list[float] = field(default_factory=list)
    grown_bytes: int = 0
    found: list[Violation] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """The others' p99 with one stalled, divided by that with nobody stalled."""
        return statistics.median(b / a for a, b in zip(self.p99_reading_ms, self.p99_stalled_ms, strict=True))


async def run(nursery: Nursery, folder: Path, *, clients: int, rounds: int, events: int) -> Seen:
    """So many rounds on one server."""
    place = await nursery.place(folder / "data", RMOS_STALL_TIMEOUT_S="3600")
    seen = Seen()
    slow = Listener(Heard("the slow one"))
    try:
        server = await place.serve()
        with Crowd(server.port, clients - 1) as crowd:
            await asyncio.to_thread(crowd.ask, "connect", at_once=200)
            await slow.connect(server.port, receive_buffer_bytes=RECEIVE_BUFFER_BYTES)
            await slow.until(lambda: slow.is_open)
            await _measure(server, crowd, events)  # warm
            for _ in range(rounds):
                seen.p99_reading_ms.append(await _measure(server, crowd, events))
                slow.pause()
                before = server.resident_bytes()
                await post_patterns(server, _FILL_EVENTS, size_bytes=EVENT_BYTES)
                seen.p99_stalled_ms.append(await _measure(server, crowd, events))
                seen.grown_bytes = max(seen.grown_bytes, server.resident_bytes() - before)
                slow.resume()
                async with asyncio.timeout(PATIENCE_S):
                    await slow.reach(await server.head())
            heard = await asyncio.to_thread(crowd.heard, folder / "heard.json")
        seen.found = await asyncio.to_thread(violations, Evidence(place.database, listeners=[slow.heard, *heard]))
        return seen
    finally:
        await hang_up([slow])
        await place.close()


async def _measure(server: Served, crowd: Crowd, events: int) -> float:
    """The p99 of the crowd's delays, in ms."""
    await asyncio.to_thread(crowd.ask, "reach", offset=await server.head())
    await asyncio.to_thread(crowd.ask, "delays")
    head = await post_moments(server, events, pause_s=_PAUSE_S, size_bytes=EVENT_BYTES)
    await asyncio.to_thread(crowd.ask, "reach", offset=head)
    p99_ms: float = (await asyncio.to_thread(crowd.ask, "delays"))["p99_ms"]
    return p99_ms


def main(arguments: Iterable[str] | None = None) -> int:
    """Print one line of JSON."""
    parser = parser_of("soak.slow_consumer", __doc__)
    parser.add_argument("--clients", type=int, default=1000, help="all together; 1,000 when not given")
    parser.add_argument("--rounds", type=int, default=5, help="5 when not given")
    parser.add_argument("--events", type=int, default=40, help="in each half of a round; 40 when not given")
    options = parser.parse_args(None if arguments is None else list(arguments))
    raise_file_limit()
    with Nursery() as nursery, tempfile.TemporaryDirectory() as folder:
        seen = asyncio.run(
            run(nursery, Path(folder), clients=options.clients, rounds=options.rounds, events=options.events)
        )
    figures: dict[str, object] = {
        "slow_consumer": 1,
        "of": options.clients,
        "rounds": options.rounds,
        "p99_ratio": round(seen.ratio, 2),
        "p99_reading_ms": round(statistics.median(seen.p99_reading_ms), 1),
        "p99_stalled_ms": round(statistics.median(seen.p99_stalled_ms), 1),
        "missed": len(seen.found),
    }
    return finish(figures, seen.found)


if __name__ == "__main__":
    sys.exit(main())

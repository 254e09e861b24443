"""Thousands of connections at once: none is dropped, each hears everything, and memory comes back.

    python -m soak.connections [--connections 10000] [--events 50]

Two client processes, each with half of them. `rss_mb` is that of the server with all of them connected.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.machine import raise_file_limit
from soak.checker import Evidence, Memory, Violation, violations
from soak.crowd import PATIENCE_S, Crowd
from soak.load import post_patterns
from soak.report import finish, parser_of
from soak.servers import Nursery, Served
from soak.writers import client_for

BYTES_EACH: Final = 8 * 1024
"""What a connection may cost the server at most, with its share of what is on its way."""
BYTES_BESIDE: Final = 80 * 1024 * 1024
"""What a load may cost besides."""
_AT_ONCE: Final = 200
_SETTLE_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Crowded:
    """What was seen: connections that were lost, and resident bytes of the server."""

    drops: int
    memory: Memory
    found: list[Violation]


async def run(nursery: Nursery, folder: Path, *, connections: int, events: int, rounds: int = 2) -> Crowded:
    """Connect everybody, tell them events, let them go; `rounds` times on the same server, two at least."""
    place = await nursery.place(folder / "data", RMOS_MAX_CONNECTIONS=str(connections + 100))
    try:
        server = await place.serve()
        # What the allocator took for the first crowd it keeps for the next one, which must not need more.
        drops, most, found = await _one_round(server, folder, connections=connections, events=events)
        before = await _resting_bytes(server)
        for _ in range(rounds - 1):
            lost, held, broken = await _one_round(server, folder, connections=connections, events=events)
            drops, most, found = drops + lost, max(most, held), found + broken
        memory = Memory(before, most, await _resting_bytes(server))
        bound = before + BYTES_BESIDE + connections * BYTES_EACH
        found += violations(Evidence(place.database, memory=memory, memory_bound=bound))
        return Crowded(drops, memory, found)
    finally:
        await place.close()


async def _one_round(
    server: Served, folder: Path, *, connections: int, events: int
) -> tuple[int, int, list[Violation]]:
    """Connections lost, bytes held at most, and what the checker says of what was heard."""
    with ExitStack() as stack:
        half = connections // 2
        crowds = [stack.enter_context(Crowd(server.port, number)) for number in (half, connections - half)]
        await asyncio.gather(*(asyncio.to_thread(crowd.ask, "connect", at_once=_AT_ONCE) for crowd in crowds))
        held = server.resident_bytes()
        head = 0
        for _ in range(events):
            head = await post_patterns(server, 1)
        reached = (asyncio.to_thread(crowd.ask, "reach", offset=head) for crowd in crowds)
        await asyncio.gather(*reached)
        held = max(held, server.resident_bytes())
        counted = [await asyncio.to_thread(crowd.ask, "count") for crowd in crowds]
        heard = [one for crowd in crowds for one in await asyncio.to_thread(crowd.heard, folder / "heard.json")]
        found = await asyncio.to_thread(violations, Evidence(folder / "data" / "rmos.db", listeners=heard))
        drops = sum(sum(count["closings"].values()) for count in counted)
        return max(drops, connections - sum(count["open"] for count in counted)), held, found


async def _resting_bytes(server: Served) -> int:
    """What it holds when everybody has gone, and it has noticed."""
    async with client_for(server.url) as client, asyncio.timeout(PATIENCE_S):
        while "rmos_monitor_connections 0.0" not in (await client.get("/metrics")).text:  # noqa: ASYNC110  # no event
            await asyncio.sleep(0.1)
    await asyncio.sleep(_SETTLE_S)
    return server.resident_bytes()


def main(arguments: Iterable[str] | None = None) -> int:
    """Print one line of JSON."""
    parser = parser_of("soak.connections", __doc__)
    parser.add_argument("--connections", type=int, default=10_000, help="10,000 when not given")
    parser.add_argument("--rounds", type=int, default=2, help="times that everybody comes and goes; 2 when not given")
    parser.add_argument("--events", type=int, default=50, help="told to each of them; 50 when not given")
    options = parser.parse_args(None if arguments is None else list(arguments))
    files = raise_file_limit()
    if files < options.connections + 200:
        parser.error(f"only {files} open files are allowed, and each connection takes one in the server")
    with Nursery() as nursery, tempfile.TemporaryDirectory() as folder:
        seen = asyncio.run(
            run(nursery, Path(folder), connections=options.connections, events=options.events, rounds=options.rounds)
        )
    figures: dict[str, object] = {
        "conns": options.connections,
        "drops": seen.drops,
        "missed": sum(violation.invariant == "I5" for violation in seen.found),
        "rss_mb": round(seen.memory.most / 2**20),
        "rss_before_mb": round(seen.memory.before / 2**20),
        "rss_after_mb": round(seen.memory.after / 2**20),
    }
    return finish(figures, seen.found) or int(seen.drops > 0)


if __name__ == "__main__":
    sys.exit(main())

"""Everybody is cut at once and comes back at once, hundreds of events behind: all catch up, none misses anything.

python -m soak.storm [--clients 2000] [--behind 500]
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from benchmarks.machine import raise_file_limit
from soak.checker import Evidence, Violation, violations
from soak.crowd import Crowd
from soak.load import post_patterns
from soak.report import finish, parser_of, percentile
from soak.servers import Nursery

_AT_ONCE: Final = 200


async def run(nursery: Nursery, folder: Path, *, clients: int, behind: int) -> tuple[list[float], list[Violation]]:
    """Milliseconds from the storm's beginning until each client had caught up, and what the checker says."""
    place = await nursery.place(folder / "data", RMOS_MAX_CONNECTIONS=str(clients + 100))
    try:
        server = await place.serve()
        with Crowd(server.port, clients) as crowd:
            await asyncio.to_thread(crowd.ask, "connect", at_once=_AT_ONCE)
            head = await post_patterns(server, 10)
            await asyncio.to_thread(crowd.ask, "reach", offset=head)
            await asyncio.to_thread(crowd.ask, "cut")
            head = await post_patterns(server, behind)
            answer = await asyncio.to_thread(crowd.ask, "storm", head=head)
            heard = await asyncio.to_thread(crowd.heard, folder / "heard.json")
        found = await asyncio.to_thread(violations, Evidence(place.database, listeners=heard))
        found += [Violation("I6", f"{one.name} lost its place") for one in heard if len(one.stretches) > 1]
        return answer["took_ms"], found
    finally:
        await place.close()


def main(arguments: Iterable[str] | None = None) -> int:
    """Print one line of JSON."""
    parser = parser_of("soak.storm", __doc__)
    parser.add_argument("--clients", type=int, default=2000, help="2,000 when not given")
    parser.add_argument("--behind", type=int, default=500, help="events they have to catch up with; 500 when not given")
    options = parser.parse_args(None if arguments is None else list(arguments))
    raise_file_limit()
    with Nursery() as nursery, tempfile.TemporaryDirectory() as folder:
        took_ms, found = asyncio.run(run(nursery, Path(folder), clients=options.clients, behind=options.behind))
    figures: dict[str, object] = {
        "storm_clients": options.clients,
        "behind": options.behind,
        "missed": len(found),
        "catch_up_p50_ms": round(percentile(took_ms, 0.5)),
        "catch_up_p99_ms": round(percentile(took_ms, 0.99)),
    }
    return finish(figures, found)


if __name__ == "__main__":
    sys.exit(main())

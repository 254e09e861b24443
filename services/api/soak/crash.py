"""Kill -9 of a real server at random moments, again and again, under writers and listeners.

    python -m soak.crash [--cycles 1000] [--seed 1]

Writers send what was not answered again; listeners come back with their cursors, each with a key of its own, some of
which are limited to channels. Now and then, and in the end, every write is settled, every listener caught up, and the
checker looks at all of it.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from itertools import cycle
from pathlib import Path
from typing import Final, Self, TypeAlias

from soak.checker import Evidence, Violation, epoch_of, violations
from soak.journal import Heard, Journal
from soak.listener import Listener, StreamListener, catch_up, hang_up
from soak.report import counts, finish, parser_of, percentile
from soak.servers import Nursery, Place, Served
from soak.writers import Writer, client_for

WRITERS: Final = 8
LISTENERS: Final = 20
CHECK_EVERY: Final = 50
_Names: TypeAlias = tuple[str, ...]
_WANTED: Final[tuple[tuple[_Names, _Names | None, _Names | None], ...]] = (
    (("all",), None, None),
    (("all",), None, ("machine:cnc1",)),
    (("pattern",), None, None),
    (("job",), ("machine:*",), ("machine:cnc2",)),
    (("job", "pattern"), None, None),
    (("all",), ("machine:*",), None),
    (("job",), None, None),
)
"""Filters, channels, and the channels that its key is limited to."""


def make_writers(journal: Journal, number: int = WRITERS, *, prefix: str = "writer") -> list[Writer]:
    """Half of them write patterns and half jobs."""
    return [Writer(f"{prefix} {i}", journal, category=("pattern", "job")[i % 2]) for i in range(number)]


def make_listeners(number: int = LISTENERS) -> list[Listener]:
    """Listeners with filters and rights of every kind, every fourth over server-sent events.

    Who hears all there is of a category builds its own picture.
    """
    return [
        (StreamListener if i % 4 == 3 else Listener)(
            Heard(f"listener {i}", filters, channels, allowed, state=None if channels or allowed else {})
        )
        for i, (filters, channels, allowed) in zip(range(number), cycle(_WANTED), strict=False)
    ]


class Ordeal:
    """Writers and listeners that live through any number of servers on one folder, where everybody says who they are.

    Attributes:
        recoveries_s: Seconds from each kill to the next acknowledged write.
        patience_s: How long a listener may take to catch up in the end.
    """

    def __init__(self, place: Place, *, writers: int = WRITERS, listeners: int = LISTENERS) -> None:
        self.place = place
        self.journal = Journal()
        self.writers = make_writers(self.journal, writers)
        self.listeners = make_listeners(listeners)
        self.recoveries_s: list[float] = []
        self.patience_s = 60.0
        self.epoch: str | None = None
        self._died_at: float | None = None

    @classmethod
    async def on(cls, place: Place, *, writers: int = WRITERS, listeners: int = LISTENERS) -> Self:
        """With a key for everybody, which they got of a server in which nothing went wrong."""
        ordeal = cls(place, writers=writers, listeners=listeners)
        await ordeal._hand_out_keys(await place.serve())
        await place.stop()
        return ordeal

    async def come_back(self, server: Served) -> None:
        """Every listener connects, as far as the server lives that long."""
        with suppress(OSError):
            await asyncio.gather(*(one.connect(server.port) for one in self.listeners if one.transport is None))

    async def live_through(self, server: Served, number: int) -> None:
        """Write and listen until so many more writes were acknowledged."""
        await self._arrive(server)
        async with client_for(server.url, token=server.token) as client, asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(writer.run(client)) for writer in self.writers]
            await self._count(number)
            for task in running:
                task.cancel()

    async def die_after(self, server: Served, number: int, *, pause_s: float = 0.0) -> None:
        """Write and listen until so many more writes were acknowledged, and the server is killed then."""
        await self._arrive(server)
        async with client_for(server.url, token=server.token) as client, asyncio.TaskGroup() as tasks:
            for writer in self.writers:
                tasks.create_task(writer.run(client))
            await self._count(number)
            await asyncio.sleep(pause_s)
            self._died_at = time.monotonic()
            await self.place.kill()
        await self._wait_for_ends()

    async def die_by_itself(self, server: Served) -> int:
        """Write and listen until the server ends. Returns its exit code."""
        await self._arrive(server)
        async with client_for(server.url, token=server.token) as client, asyncio.TaskGroup() as tasks:
            for writer in self.writers:
                tasks.create_task(writer.run(client))
            code = await self.place.gone()
        await self._wait_for_ends()
        return code

    async def settle(self, server: Served) -> list[Violation]:
        """Settle every write, catch everybody up, and check."""
        await self._arrive(server)
        async with client_for(server.url, token=server.token) as client:
            await asyncio.gather(*(writer.step(client) for writer in self.writers))
        head = await server.head()
        late = await catch_up(self.listeners, server.port, head, timeout_s=self.patience_s)
        found = violations(
            Evidence(
                self.place.database,
                epoch=self.epoch,
                writes=self.journal.writes.values(),
                surprises=self.journal.surprises,
                listeners=[listener.heard for listener in self.listeners],
                starts_s=self.place.starts_s,
            )
        )
        return found + [
            Violation("I5", f"{one.heard.name} is at {one.heard.cursor}, and not at {head}") for one in late
        ]

    async def _arrive(self, server: Served) -> None:
        """The first time everybody is there before the first write, so that everybody hears everything."""
        is_first = self.epoch is None
        self.epoch = self.epoch or epoch_of(self.place.database)
        await self.come_back(server)
        if is_first:
            await asyncio.gather(*(one.until(lambda one=one: one.is_open) for one in self.listeners))  # type: ignore[misc]  # mypy does not see the type of a default

    async def _hand_out_keys(self, server: Served) -> None:
        """Give each listener a viewer's key with its rights."""
        async with client_for(server.url, token=server.token) as client:
            for listener in self.listeners:
                name, allowed = listener.heard.name.replace(" ", "-"), listener.heard.allowed
                fields = {"name": name, "role": "viewer", "channels": allowed}
                answer = await client.post("/api/rmos/auth/keys", json=fields)
                answer.raise_for_status()
                listener.token = answer.json()["secret"]

    async def _count(self, number: int) -> None:
        await self.journal.more(1)
        if self._died_at is not None:
            self.recoveries_s.append(time.monotonic() - self._died_at)
            self._died_at = None
        if number > 1:
            await self.journal.more(number - 1)

    async def _wait_for_ends(self) -> None:
        async with asyncio.timeout(30):
            await asyncio.gather(*(listener.gone() for listener in self.listeners))


async def run(
    place: Place, *, cycles: int, seed: int, check_every: int = CHECK_EVERY
) -> tuple[Ordeal, list[Violation]]:
    """So many kills."""
    chance = random.Random(seed)  # noqa: S311  # when to kill, not a secret
    found: list[Violation] = []
    ordeal = await Ordeal.on(place)
    try:
        for turn in range(1, cycles + 1):
            # A pause, or each kill would come just after an answer.
            await ordeal.die_after(await place.serve(), chance.randint(1, 60), pause_s=chance.uniform(0, 0.01))
            if turn % check_every == 0 or turn == cycles:
                found = await ordeal.settle(await place.serve())
                await place.kill()
                if found:
                    break
    finally:
        await hang_up(ordeal.listeners)
        await place.close()
    return ordeal, found


def main(arguments: Iterable[str] | None = None) -> int:
    """Print one line of JSON."""
    parser = parser_of("soak.crash", __doc__)
    parser.add_argument("--cycles", type=int, default=1000, help="kills; 1000 when not given")
    parser.add_argument("--seed", type=int, default=1, help="of the moments of the kills")
    options = parser.parse_args(None if arguments is None else list(arguments))

    async def on_a_new_place() -> tuple[Ordeal, list[Violation]]:
        return await run(
            await nursery.place(Path(folder) / "data", RMOS_AUTH="required"), cycles=options.cycles, seed=options.seed
        )

    with Nursery() as nursery, tempfile.TemporaryDirectory() as folder:
        ordeal, found = asyncio.run(on_a_new_place())
    recoveries_ms = [s * 1000 for s in ordeal.recoveries_s]
    figures: dict[str, object] = {
        "crash_cycles": options.cycles,
        **counts(found),
        "acked": ordeal.journal.acked,
        "heard": sum(listener.heard.events for listener in ordeal.listeners),
        "recovery_p50_ms": round(percentile(recoveries_ms, 0.5)),
        "recovery_p99_ms": round(percentile(recoveries_ms, 0.99)),
    }
    return finish(figures, found)


if __name__ == "__main__":
    sys.exit(main())

"""The shop's clock: runs processes in the order of shop time, one step after the other.

Rule 1: never two steps at once, so the same seed makes the same sequence however long an answer takes.
Rule 2: time lost to a slow or absent server is not made up for; the shop simply stood still.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncGenerator
from itertools import count
from typing import Final, TypeAlias

Process: TypeAlias = AsyncGenerator[float, None]
"""Does one step after the other, and yields how many shop seconds to wait before the next."""

MAX_LAG_S: Final = 0.5
"""Real seconds the shop may be late and still catch up; a longer lag is forgotten."""


class Simulation:
    """Used by one task.

    Args:
        speed: Shop seconds that pass in one real second.
        stop: Ends the simulation between two steps.
    """

    def __init__(self, *, speed: float, stop: asyncio.Event) -> None:
        self._speed = speed
        self._stop = stop
        self._due: list[tuple[float, int, Process]] = []
        self._number = count()
        self.now_s = 0.0

    def start(self, process: Process, *, after_s: float = 0.0) -> None:
        """Let the process take its first step `after_s` shop seconds from now."""
        # The running number keeps steps of one moment in the order in which they were planned.
        heapq.heappush(self._due, (self.now_s + after_s, next(self._number), process))

    def wall_s(self, shop_s: float) -> float:
        """How long so much shop time takes on the wall clock."""
        return shop_s / self._speed

    async def run(self) -> None:
        """Run until `stop` is set, or until no process is left."""
        loop = asyncio.get_running_loop()
        real_s = loop.time()
        while self._due and not self._stop.is_set():
            due_s, _, process = heapq.heappop(self._due)
            real_s = max(real_s + (due_s - self.now_s) / self._speed, loop.time() - MAX_LAG_S)
            if await self._stopped_before(real_s - loop.time()):
                await process.aclose()
                break
            self.now_s = due_s
            try:
                self.start(process, after_s=await anext(process))
            except StopAsyncIteration:
                continue
        for _, _, process in self._due:
            await process.aclose()

    async def _stopped_before(self, wait_s: float) -> bool:
        if wait_s <= 0:
            return self._stop.is_set()
        try:
            async with asyncio.timeout(wait_s):
                await self._stop.wait()
        except TimeoutError:
            return False
        return True

"""Many listeners in a process of their own, driven by lines of JSON: `python -m soak.crowd <port> <number>`.

Each line is `{"do": …}` with arguments, and is answered by one line. How long to wait for it is up to the parent.

    connect  open what is not open, each from its cursor; `at_once` at a time
    storm    reopen everybody at once; tells how long each took to reach `head`
    reach    wait until all have heard everything up to `offset`
    delays   how long events took since the moment in their name, as far as heard since the last time
    cut      cut every connection, and forget nothing
    count    how many are open, and how often they were closed, by code
    journal  write what was heard into `path`
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import orjson

from benchmarks.processes import Child
from soak.journal import Heard
from soak.listener import Listener
from soak.report import percentile

MOMENT: Final = "at "
"""Begins the name of an event whose name is a moment of CLOCK_MONOTONIC, in ns."""


def moment_name() -> str:
    """The name for an entity that is sent now."""
    return f"{MOMENT}{time.monotonic_ns()}"


PATIENCE_S: Final = 900.0
"""Longest wait for a crowd; only a hanging server, or a very busy machine, takes it."""


_AGAIN_S: Final = 0.05


class Crowd(Child):
    """The process, as its parent sees it. Blocks; belongs to one thread at a time."""

    def __init__(self, port: int, number: int, *, core: int | None = None) -> None:
        super().__init__(
            [sys.executable, "-m", "soak.crowd", str(port), str(number)], core=core, folder=Path(__file__).parents[1]
        )
        self.number = number

    @property
    def process(self) -> int:
        """Its process id."""
        return self._process.pid

    def ask(self, do: str, *, timeout_s: float = PATIENCE_S, **arguments: object) -> dict[str, Any]:  # Any: JSON
        """Have it do something, and wait for the answer."""
        self.tell(json.dumps({"do": do, **arguments}))
        return self.hear_json(timeout_s=timeout_s)

    def heard(self, path: Path) -> list[Heard]:
        """The journals of all its listeners, by way of a file."""
        self.ask("journal", path=str(path))
        return [Heard.from_json(value) for value in orjson.loads(path.read_bytes())]


class _Listeners:
    def __init__(self, port: int, number: int) -> None:
        self._port = port
        self._delays_ms: list[float] = []
        self._all = [Listener(Heard(f"listener {port}/{i}"), on_event=self._note_delay) for i in range(number)]

    async def do(self, what: str, arguments: Mapping[str, Any]) -> dict[str, Any]:  # Any: JSON
        match what:
            case "connect":
                return await self._connect(**arguments)
            case "storm":
                return await self._storm(**arguments)
            case "reach":
                for listener in self._all:
                    await self._bring(listener, arguments["offset"])
                return {}
            case "delays":
                delays, self._delays_ms = self._delays_ms, []
                return {"count": len(delays), "p50_ms": percentile(delays, 0.5), "p99_ms": percentile(delays, 0.99)}
            case "cut":
                await self._cut()
                return {}
            case "count":
                closings = Counter(str(code) for listener in self._all for code in listener.closings)
                return {"open": sum(listener.is_open for listener in self._all), "closings": closings}
            case "journal":
                journals = orjson.dumps([listener.heard.to_json() for listener in self._all])
                await asyncio.to_thread(Path(arguments["path"]).write_bytes, journals)
                return {}
            case _:
                raise ValueError(f"unknown command {what!r}")

    def _note_delay(self, frame: dict[str, Any]) -> None:
        name = frame["data"].get("name", "")
        if name.startswith(MOMENT):
            self._delays_ms.append((time.monotonic_ns() - int(name.removeprefix(MOMENT))) / 1e6)

    async def _connect(self, *, at_once: int) -> dict[str, Any]:  # Any: JSON
        gate = asyncio.Semaphore(at_once)

        async def one(listener: Listener) -> bool:
            async with gate:
                try:
                    await listener.connect(self._port)
                except OSError:
                    return False
                await listener.until(lambda: listener.is_open or listener.transport is None)
                return listener.is_open

        opened = await asyncio.gather(*(one(listener) for listener in self._all if listener.transport is None))
        return {"opened": sum(opened), "refused": len(opened) - sum(opened)}

    async def _bring(self, listener: Listener, offset: int) -> None:
        """Wait until it has heard everything up to there; when it is closed it comes back, as a client should."""
        while listener.position < offset:
            if listener.transport is None:
                try:
                    await listener.connect(self._port)
                except OSError:  # the kernel's queue is full
                    await asyncio.sleep(_AGAIN_S)
                    continue
            await listener.until(lambda: listener.transport is None or listener.position >= offset)

    async def _cut(self) -> None:
        for listener in self._all:
            listener.cut()
        for listener in self._all:
            await listener.gone()

    async def _storm(self, *, head: int) -> dict[str, Any]:  # Any: JSON
        began = time.monotonic()
        took_ms: list[float] = []

        async def one(listener: Listener) -> None:
            await self._bring(listener, head)
            took_ms.append((time.monotonic() - began) * 1000)

        await asyncio.gather(*(one(listener) for listener in self._all))
        return {"took_ms": took_ms}


async def _main(port: int, number: int) -> None:
    listeners = _Listeners(port, number)
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        command = json.loads(line)
        print(json.dumps(await listeners.do(command.pop("do"), command)), flush=True)


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), int(sys.argv[2])))

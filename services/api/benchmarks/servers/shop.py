"""The real RMOS application, with a driver that makes its events.

`source="log"`: each batch is one durable transaction of the store; the hub reads it from the database.
`source="ready"`: the hub follows a log in memory that holds the batch already, so that only the fan-out is measured:
its input are event objects, as the published way's are dictionaries, and the encoding is part of the figure in both.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import orjson
from fastapi import FastAPI

from benchmarks import events
from benchmarks.servers.hosting import turns_until
from benchmarks.servers.one_commit_each import OneCommitEach
from benchmarks.servers.ready_log import ReadyLog, ready_event
from benchmarks.stamps import Stamps
from rmos.clock import utc_now
from rmos.domain.entities import JOBLOG, JsonObject, Revision
from rmos.domain.events import ACTOR_SYSTEM, NewEvent
from rmos.domain.ids import new_id
from rmos.hub.hub import Hub
from rmos.protocol.messages import metrics_frame
from rmos.runtime import Runtime, hub_options
from rmos.services.metrics import metrics_snapshot
from rmos.stores.base import Transaction

Source = Literal["log", "ready"]


class ShopDriver:
    """Drives the shop of one application."""

    def __init__(self, app: FastAPI, source: Source) -> None:
        self._app = app
        self._source = source
        self._is_lean = True
        self._ready = ReadyLog()
        self._following: asyncio.Task[None] | None = None
        self.made = 0

    async def start(self) -> None:
        """In `ready`, put a hub of the same make in the place of the one that follows the database."""
        runtime = self._runtime
        self._is_lean = runtime.settings.lean_connections
        if self._source == "ready":
            head, options = await self._ready.head(), hub_options(runtime.settings)
            hub = Hub(self._ready, head, options, snapshot_source=self._snapshot)
            self._following = asyncio.create_task(hub.run())
            self._app.state.runtime = replace(runtime, hub=hub)
        else:
            self.made = (await runtime.stores.log.head()).offset

    async def publish(self, batch: int) -> None:
        """Make a batch, in one transaction where there is one, and wait until every sink was given it."""
        first = self.made + 1
        self.made += batch
        if self._source == "ready":
            self._ready.extend(ready_event(number) for number in range(first, first + batch))
            self._runtime.hub.wake()
        else:
            await self._runtime.stores.write(lambda tx: _append(tx, range(first, first + batch)))
        await turns_until(self._is_delivered)

    async def obey(self, words: list[str]) -> dict[str, Any]:  # Any: JSON
        """`fill`, `steady` and `write`."""
        match words:
            case ["fill", count, batch]:
                return await self._fill(int(count), int(batch))
            case ["steady", rate, seconds, stamps]:
                return await self._steady(float(rate), float(seconds), Path(stamps))
            case ["write", callers, seconds]:
                return await self._write(int(callers), float(seconds))
            case ["write-one-commit-each", callers, seconds]:
                return await OneCommitEach(self._runtime.settings.data).write(int(callers), float(seconds))
        raise ValueError(f"unknown command {words}")

    @property
    def _runtime(self) -> Runtime:
        runtime: Runtime = self._app.state.runtime
        return runtime

    def _is_delivered(self) -> bool:
        """Whether the hub has given the newest event to its sinks, and none of them holds anything above a transport.

        The groups are all written to in one step, so one subscriber speaks for those that are caught up; who is not
        has a full transport, which the host waits for.
        """
        hub = self._runtime.hub
        if hub.head < self.made or any(hub.reached(one) < self.made for one in islice(hub.subscribers, 1)):
            return False
        return self._is_lean or not any(one.sink.unsent_bytes for one in hub.subscribers)

    async def _snapshot(self) -> bytes:
        now = utc_now()
        return metrics_frame(await metrics_snapshot(self._runtime.stores, now), now)

    async def _fill(self, count: int, batch: int) -> dict[str, Any]:
        first = self.made + 1
        while self.made + 1 - first < count:
            await self.publish(batch)
        return {"events": self.made + 1 - first}

    async def _steady(self, rate: float, seconds: float, path: Path) -> dict[str, Any]:
        """Write evenly spaced events, whether or not the one before is done."""
        runtime, loop = self._runtime, asyncio.get_running_loop()
        with Stamps(path) as stamps:

            def append(number: int, tx: Transaction) -> None:
                _append(tx, (number,))
                stamps.begun(number)

            unsubscribe = runtime.bus.subscribe(stamps.woke)
            began, began_cpu = loop.time(), time.process_time_ns()
            async with asyncio.TaskGroup() as tasks:
                for index in range(round(rate * seconds)):
                    await asyncio.sleep(max(0.0, began + index / rate - loop.time()))
                    self.made += 1
                    number = self.made
                    tasks.create_task(runtime.stores.write(partial(append, number)))
            unsubscribe()
        return {"events": round(rate * seconds), "cpu_ns": time.process_time_ns() - began_cpu}

    async def _write(self, callers: int, seconds: float) -> dict[str, Any]:
        """Entity and event in one `write` each, from many callers at once."""
        stores = self._runtime.stores
        ends = time.monotonic() + seconds
        done = 0

        async def call() -> None:
            nonlocal done
            while time.monotonic() < ends:
                await stores.write(_create_job)
                done += 1

        began = time.monotonic_ns()
        async with asyncio.TaskGroup() as tasks:
            for _ in range(callers):
                tasks.create_task(call())
        return {"writes": done, "wall_ns": time.monotonic_ns() - began}


def _append(tx: Transaction, numbers: Iterable[int]) -> None:
    for number in numbers:
        tx.append(
            NewEvent(
                type=f"{events.category_of(number)}:{events.NAME}",
                data=events.data_of(number),
                timestamp=utc_now(),
                channels=events.CHANNELS,
                actor=ACTOR_SYSTEM,
            )
        )


def _create_job(tx: Transaction) -> None:
    """What a service does for a POST, without its checks: the entity and its event."""
    now = utc_now()
    document: JsonObject = {
        "id": new_id(),
        "job_type": "slice",
        "status": "running",
        "progress": 0.25,
        "parameters": {"blade_id": "b-12", "speed": 1800},
        "created_at": now,
        "updated_at": now,
    }
    revision = Revision(JOBLOG, str(document["id"]), 1, orjson.dumps(document))
    tx.put(revision, document)
    tx.append(NewEvent(type="job:created", data=revision.body, timestamp=now, key=JOBLOG.key(revision.id), version=1))

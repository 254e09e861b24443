"""What group commit is held against: the usual way, one durable transaction a request, in a thread.

Plain sqlite3 with the same pragmas as the store, two tables without indexes: less work a write than the store does.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from pathlib import Path

from benchmarks import events
from rmos.domain.ids import new_id


class OneCommitEach:
    """A database of its own, beside the shop's."""

    def __init__(self, folder: Path) -> None:
        self._database = sqlite3.connect(folder / "one-commit-each.db", isolation_level=None, check_same_thread=False)
        for statement in (
            "PRAGMA journal_mode=WAL",
            "PRAGMA synchronous=FULL",
            "CREATE TABLE IF NOT EXISTS entities (id TEXT PRIMARY KEY, body BLOB)",
            "CREATE TABLE IF NOT EXISTS events (offset INTEGER PRIMARY KEY, data BLOB)",
        ):
            self._database.execute(statement)
        self._turn = asyncio.Lock()
        self._done = 0

    async def write(self, callers: int, seconds: float) -> dict[str, int]:
        """Write from so many callers for so long."""
        began, ends = time.monotonic_ns(), time.monotonic() + seconds

        async def call() -> None:
            while time.monotonic() < ends:
                async with self._turn:
                    await asyncio.to_thread(self._commit)

        async with asyncio.TaskGroup() as tasks:
            for _ in range(callers):
                tasks.create_task(call())
        self._database.close()
        return {"writes": self._done, "wall_ns": time.monotonic_ns() - began}

    def _commit(self) -> None:
        self._done += 1
        body = events.data_of(self._done)
        self._database.execute("BEGIN IMMEDIATE")
        self._database.execute("INSERT INTO entities VALUES (?, ?)", (new_id(), body))
        self._database.execute("INSERT INTO events (data) VALUES (?)", (body,))
        self._database.execute("COMMIT")

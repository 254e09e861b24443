"""A small server without a network: eight writers on the stores, and a line on stdout for each acknowledged write.

    python -m tests.crash.writer_process <database> <point> <commit> [<bug>]

It kills itself at a point around its n-th commit:
    begin     before the transaction has begun
    flushed   all is written, COMMIT comes next
    committed COMMIT has returned, nobody has been told yet

The bugs are for the test of the checker:
    early     callers are told before COMMIT
    apart     the events go into a transaction of their own, after that of the change
"""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
from pathlib import Path
from typing import Any

from rmos.domain.entities import JOBLOG, PATTERN
from rmos.stores.batch import Changes
from rmos.stores.sqlite import SqliteStores, open_sqlite, writer
from tests.contract.builders import deleting, document, saving


class Failpoint:
    """The writer's connection, which dies at the asked place."""

    def __init__(self, connection: sqlite3.Connection, point: str, commit: int) -> None:
        self._connection = connection
        self._point = point
        self._left = commit

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def execute(self, sql: str, parameters: Any = ()) -> sqlite3.Cursor:
        if sql == "COMMIT":
            self._left -= 1
        if self._left == 0 and (sql, self._point) in (("BEGIN IMMEDIATE", "begin"), ("COMMIT", "flushed")):
            os.kill(os.getpid(), signal.SIGKILL)
        cursor = self._connection.execute(sql, parameters)
        if self._left == 0 and (sql, self._point) == ("COMMIT", "committed"):
            os.kill(os.getpid(), signal.SIGKILL)
        return cursor


def plant(bug: str) -> None:
    """Break a promise. The checker must see it."""
    flush = writer.flush
    if bug == "early":

        def flush_and_tell(connection: Any, changes: Changes) -> None:
            flush(connection, changes)
            told = asyncio.run_coroutine_threadsafe(tell(), LOOP[0])
            told.result(10)

        writer.flush = flush_and_tell
    elif bug == "apart":

        def flush_apart(connection: Any, changes: Changes) -> None:
            events, changes.events = changes.events, []
            flush(connection, changes)
            connection.execute("COMMIT")
            connection.execute("BEGIN IMMEDIATE")
            only_events = Changes()
            only_events.events = events
            flush(connection, only_events)

        writer.flush = flush_apart
    else:
        raise SystemExit(f"unknown bug {bug}")


LOOP: list[asyncio.AbstractEventLoop] = []
IN_FLIGHT: set[tuple[str, int]] = set()
"""Writes that wait for their commit."""


async def tell() -> None:
    """As the planted bug does: acknowledge what is not committed yet."""
    for key, version in IN_FLIGHT:
        acknowledge(key, version)


def acknowledge(key: str, version: int) -> None:
    """One whole line, in one system call: a kill leaves no half of one."""
    os.write(sys.stdout.fileno(), f"{key} {version}\n".encode())


async def write(stores: SqliteStores, number: int) -> None:
    """Make, change and sometimes delete one entity after another."""
    for turn in range(10_000):
        kind = (PATTERN, JOBLOG)[turn % 2]
        entity_id = f"{os.getpid()}-{number}-{turn}"
        last = 1 + turn % 4
        for version in range(1, last + 1):
            work = saving(kind, document(kind, id=entity_id, version=version))
            if version == 4:
                work = deleting(kind, entity_id, version)
            IN_FLIGHT.add((kind.key(entity_id), version))
            await stores.write(work)
            IN_FLIGHT.remove((kind.key(entity_id), version))
            acknowledge(kind.key(entity_id), version)


async def main(path: Path, point: str, commit: int, bug: str | None) -> None:
    LOOP.append(asyncio.get_running_loop())
    stores = await open_sqlite(path, on_commit=lambda: None)
    stores._writer._connection = Failpoint(stores._opened.connection, point, commit)  # type: ignore[assignment]
    if bug:
        plant(bug)
    await asyncio.gather(*(write(stores, number) for number in range(8)))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4] if len(sys.argv) > 4 else None))

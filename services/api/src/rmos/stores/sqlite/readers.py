"""Threads that read. SQLite gives the GIL up while it works, so the event loop runs on beside them."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from rmos.errors import UnavailableError
from rmos.stores.sqlite.connection import meaning

T = TypeVar("T")

MAX_WAITING: Final = 20_000
"""Reads that may wait; more are refused. Twice the connections that a server takes."""


class ReaderPool:
    """`threads` readers with a connection each. `run` may be called concurrently, from the event loop only."""

    def __init__(self, connect: Callable[[], sqlite3.Connection], *, threads: int, name: str) -> None:
        self._connect = connect
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._waiting = 0
        self._closed = False

    async def run(self, read: Callable[[sqlite3.Connection], T]) -> T:
        """What `read` returns; it must leave no transaction open.

        Raises:
            UnavailableError: closed, too many reads are waiting, or the database does not answer.
        """
        if self._closed:
            raise UnavailableError("the stores are closed")
        if self._waiting >= MAX_WAITING:
            raise UnavailableError("too many reads are waiting")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, self._read, read)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Wait for the reads that were asked for, then close the connections. Blocks; not for the event loop."""
        self._closed = True
        self._executor.shutdown(wait=True)
        for connection in self._connections:
            connection.close()

    def _read(self, read: Callable[[sqlite3.Connection], T]) -> T:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        try:
            if connection is None:
                connection = self._local.connection = self._connect()
                self._connections.append(connection)
            return read(connection)
        except sqlite3.Error as error:
            if (known := meaning(error)) is error:
                raise
            raise known from error

"""The stores in one SQLite file.

    write ──► writer      one thread: group commit, housekeeping between groups
    get, page, history ──► readers   a few threads that cannot write
    log.read ──► live     one thread, so that the live stream waits for nobody's search
    figures  ──► figures  one thread that adds the jobs up, in a file of its own

Beside the database lie `<name>.lock` (one server at a time), `<name>.epoch.json` (was the file replaced?) and
`<name>.figures` (sums, which can be made anew at any time).
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from rmos.analytics.shifts import Shifts
from rmos.domain.access import AccessBook
from rmos.domain.entities import JsonValue, Kind, Revision
from rmos.domain.events import Event
from rmos.errors import StartupError
from rmos.eventlog.sqlite import SqliteEventLog, read_history
from rmos.eventlog.sqlite_audit import SqliteAuditLog
from rmos.stores.base import ListQuery, Overview, Page, Running, Transaction
from rmos.stores.figures import Figures
from rmos.stores.sqlite import access, reads, rows
from rmos.stores.sqlite.connection import connect_reader, connect_writer
from rmos.stores.sqlite.epoch import Witness
from rmos.stores.sqlite.figures import FiguresFile
from rmos.stores.sqlite.housekeeping import Housekeeping, Retention
from rmos.stores.sqlite.lock import ServerLock
from rmos.stores.sqlite.migrate import upgrade
from rmos.stores.sqlite.readers import ReaderPool
from rmos.stores.sqlite.writer import Writer

__all__ = ["SqliteStores", "open_sqlite"]

T = TypeVar("T")

NO_SHIFTS: Final = Shifts()
READER_THREADS: Final = 3
"""A slow search or two leave one for everybody else; more would only compete for the same disk and cores."""
_LEAST_SQLITE: Final = (3, 35, 0)
"""The first one with RETURNING."""


async def open_sqlite(
    path: Path,
    *,
    on_commit: Callable[[], None],
    busy_timeout_s: float = 5.0,
    keep_days: float | None = None,
    keep_events: int | None = None,
    shifts: Shifts = NO_SHIFTS,
) -> SqliteStores:
    """Open the database at `path`; it is made, or brought to the present schema, where needed.

    Args:
        on_commit: Called on the event loop after each commit, when its callers have their results.
        busy_timeout_s: Seconds a write waits for a lock of another program.
        keep_days: Age in days after which events leave the log; None keeps them.
        keep_events: Number of newest events that the log keeps; None for all.
        shifts: By which figures are added up.

    Raises:
        StartupError: it cannot be opened; the message says why and what to do.
    """
    opened = await asyncio.to_thread(_Opened, path, Retention(keep_days, keep_events))
    return SqliteStores(
        opened, loop=asyncio.get_running_loop(), on_commit=on_commit, busy_timeout_s=busy_timeout_s, shifts=shifts
    )


class _Opened:
    """The file, locked, migrated and in a known epoch. Making one blocks."""

    def __init__(self, path: Path, retention: Retention) -> None:
        self.path = path = path.absolute()
        if sqlite3.sqlite_version_info < _LEAST_SQLITE:
            raise StartupError(f"SQLite {sqlite3.sqlite_version} is too old; use a Python with 3.35 or newer")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.lock = ServerLock(path)
        except OSError as error:
            raise StartupError(
                f"cannot write to {path.parent}: {error.strerror}; choose another folder with --data"
            ) from error
        try:
            upgrade(path)
            self.connection = connect_writer(path)
            try:
                witness = Witness(path)
                witness.settle(self.connection)
                self.housekeeping = Housekeeping(self.connection, path, witness, retention)
            except BaseException:
                self.connection.close()
                raise
        except (sqlite3.Error, OSError) as error:
            self.lock.release()
            raise StartupError(_sentence(path, error)) from error
        except BaseException:
            self.lock.release()
            raise


def _sentence(path: Path, error: sqlite3.Error | OSError) -> str:
    """Why the file cannot be opened, and what to do."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return f"{path} is no usable database ({error}); restore a backup, or choose another folder with --data"
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return f"another program has locked the database {path}; close it and start again"
    if code == sqlite3.SQLITE_FULL:
        return f"the disk of {path} is full; free some space and start again"
    return f"cannot open the database {path}: {error}; choose another folder with --data"


class SqliteStores:
    """The database of the shop (`stores.base.Stores`). Every coroutine may be called concurrently, on one loop."""

    def __init__(
        self,
        opened: _Opened,
        *,
        loop: asyncio.AbstractEventLoop,
        on_commit: Callable[[], None],
        busy_timeout_s: float,
        shifts: Shifts,
    ) -> None:
        self._opened = opened
        path = opened.path
        connect = partial(connect_reader, path, busy_timeout_s=busy_timeout_s)
        self._readers = ReaderPool(connect, threads=READER_THREADS, name="rmos-read")
        self._live = ReaderPool(connect, threads=1, name="rmos-live")
        self._figures = FiguresFile(path, busy_timeout_s=busy_timeout_s, shifts=shifts)
        self._log = SqliteEventLog(self._live, self._readers)
        self._audit = SqliteAuditLog(self._readers)
        self._writer = Writer(
            opened.connection, opened.housekeeping, loop=loop, on_commit=on_commit, busy_timeout_s=busy_timeout_s
        )
        self._closed: asyncio.Task[None] | None = None

    @property
    def log(self) -> SqliteEventLog:
        """The event log of the same database."""
        return self._log

    @property
    def audit(self) -> SqliteAuditLog:
        """The same log with its hashes, for who verifies it."""
        return self._audit

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a transaction and return its result once that is durable."""
        return await self._writer.submit(work)

    async def get(self, kind: Kind, entity_id: str) -> Revision | None:
        """The committed entity, or None."""
        return await self._readers.run(lambda connection: rows.get(connection, kind, entity_id))

    async def page(self, kind: Kind, query: ListQuery) -> Page:
        """One page of committed entities."""
        return await self._readers.run(lambda connection: reads.page(connection, kind, query))

    async def statistics(self, kind: Kind) -> dict[str, JsonValue]:
        """The published statistics of the kind."""
        return await self._readers.run(lambda connection: reads.statistics(connection, kind))

    async def overview(self) -> Overview:
        """Counts of the shop, read in one transaction."""
        return await self._readers.run(reads.overview)

    async def running(self) -> Running:
        """The jobs that run now, read in one transaction."""
        return await self._readers.run(reads.running)

    async def history(self, key: str, *, limit: int = 1000) -> list[Event]:
        """The newest `limit` logged events of one entity, oldest first, also after it was deleted."""
        return await self._readers.run(lambda connection: read_history(connection, key, limit))

    async def access(self) -> AccessBook:
        """Everybody who may come in."""
        return await self._readers.run(reads.access)

    async def access_version(self) -> int:
        """The version of the book that `access` would answer, for less."""
        return await self._live.run(access.version)

    async def figures(self, work: Callable[[Figures], T]) -> T:
        """Run `work` on the figures, once they have caught up with the log, and return its result."""
        return await self._figures.run(work)

    async def status(self) -> dict[str, JsonValue]:
        """Schema version, counts by kind, events, size in bytes. No path of the server."""
        return await self._readers.run(lambda connection: reads.status(connection, self._opened.path))

    async def close(self) -> None:
        """Finish what was submitted, then close. A second call waits for the first."""
        if self._closed is None:
            self._closed = asyncio.ensure_future(asyncio.to_thread(self._close))
        await asyncio.shield(self._closed)

    def _close(self) -> None:
        """In this order: the last connection to close checkpoints, and that must be the writer's."""
        try:
            self._writer.stop()
            self._figures.close()
            self._readers.close()
            self._live.close()
            self._opened.housekeeping.record()
        finally:
            self._opened.connection.close()
            self._opened.lock.release()

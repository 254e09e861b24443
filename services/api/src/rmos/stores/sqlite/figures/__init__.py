"""The figures of the shop, in a file of their own beside the database: `<name>.figures`.

It holds nothing that the database does not: it may be deleted at any time, and is then counted anew. So it is no part
of a backup, of the migrations, or of any write. One thread counts and reads; the database is attached to it to read.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar
from zlib import crc32

from rmos.analytics.shifts import Shifts
from rmos.errors import UnavailableError
from rmos.stores.figures import Figures
from rmos.stores.figures_schema import LAYOUT
from rmos.stores.sqlite.figures.catch_up import make_tables, prepare, step
from rmos.stores.sqlite.figures.reads import SqliteFigures
from rmos.stores.sqlite.readers import ReaderPool

__all__ = ["FiguresFile", "remove_figures"]

log = logging.getLogger(__name__)

T = TypeVar("T")

PATIENCE_S: Final = 5.0
"""How long an asker waits for the counting. Then the answer is to come back later; what was counted is kept."""
_FILES: Final = ("", "-wal", "-shm")


class FiguresFile:
    """`run` may be called concurrently, from the event loop only. The file is opened when it is first asked for."""

    def __init__(self, shop: Path, *, busy_timeout_s: float, shifts: Shifts) -> None:
        self._shop = shop
        self._path = shop.with_name(f"{shop.name}.figures")
        self._busy_timeout_s = busy_timeout_s
        self._shifts = shifts
        self._stamp = crc32(repr(shifts).encode()) & 0x7FFFFFFF
        """Other shifts are other sums, so the file says by which it was counted."""
        self._thread = ReaderPool(self._open, threads=1, name="rmos-figures")

    async def run(self, work: Callable[[Figures], T]) -> T:
        """What `work` returns of the figures, once they have caught up with the log.

        Raises:
            UnavailableError: there is so much to count that it takes longer than `PATIENCE_S`; or as `ReaderPool.run`.
        """

        def read(connection: sqlite3.Connection) -> T:
            _catch_up(connection)
            return work(SqliteFigures(connection))

        return await self._thread.run(read)

    def close(self) -> None:
        """Wait for what was asked for, then close. Blocks; not for the event loop."""
        self._thread.close()

    def _open(self) -> sqlite3.Connection:
        try:
            return self._connect()
        except sqlite3.DatabaseError as error:
            if (error.sqlite_errorcode & 0xFF) not in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
                raise
            log.warning("the figures are damaged and are counted anew", extra={"error": str(error)})
            remove_figures(self._shop)
            return self._connect()

    def _connect(self) -> sqlite3.Connection:
        """The figures, empty where there are none that this program could read."""
        connection = self._connect_file()
        ((layout,),) = connection.execute("PRAGMA user_version").fetchall()
        ((stamp,),) = connection.execute("PRAGMA application_id").fetchall()
        if layout and (layout, stamp) != (LAYOUT, self._stamp):
            connection.close()
            remove_figures(self._shop)
            connection, layout = self._connect_file(), 0
        try:
            if layout == 0:
                make_tables(connection, self._stamp)
            prepare(connection, self._shop, self._shifts)
        except BaseException:
            connection.close()
            raise
        return connection

    def _connect_file(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path.absolute().as_uri(),
            uri=True,
            timeout=self._busy_timeout_s,
            isolation_level=None,
            check_same_thread=False,  # closed by the thread that closes the pool
            cached_statements=256,
        )
        try:
            for setting in (
                "journal_mode=WAL",
                "synchronous=NORMAL",  # what a crash of the machine takes is counted again
                "journal_size_limit=33554432",
                "cache_size=-32768",
            ):
                connection.execute(f"PRAGMA {setting}").fetchall()
        except BaseException:
            connection.close()
            raise
        return connection


def remove_figures(shop: Path) -> None:
    """Delete the file of the figures of this database, if there is one. Nobody may have it open."""
    for ending in _FILES:
        shop.with_name(f"{shop.name}.figures{ending}").unlink(missing_ok=True)


def _catch_up(connection: sqlite3.Connection) -> None:
    until = time.monotonic() + PATIENCE_S
    while step(connection):
        if time.monotonic() > until:
            raise UnavailableError("there is much to count for the figures; try again in a moment", retry_after_s=1)
